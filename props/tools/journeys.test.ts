/** Journeys through the sources enter as few files as they may. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'

const test = suite('journeys')

test('a read, a write and a line of dump enter no more files than they may', () => {
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(new URL('journeys.js', import.meta.url))], {
    encoding: 'utf8'
  })
  assert.is(stdout.match(/ files, at most /g)?.length, 3)
  assert.is(status, 0, stdout)
})

test.run()
