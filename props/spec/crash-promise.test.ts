/** The promise about crashes: README, the clauses and the page of edges make it in the same words. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { clauses } from '../../spec/clauses/index.js'
import { suite } from '../run/suite.js'

const test = suite('crash promise')

const page = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8')

const promise = /a crash leaves leaks at most, and COPIED flags that a snapshot command has not adapted yet/i

test('README, WR-08, ST-20 and the page of edges promise the same of a crash', () => {
  for (const text of [page('README.md'), page('spec/edges.md'), clauses['WR-08'].says, clauses['ST-20'].says])
    assert.match(text.replace(/\s+/g, ' '), promise)
})

test.run()
