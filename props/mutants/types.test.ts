/** Every mutant has types: one that the compiler rejects would never be built. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { curated } from './curated/index.js'
import { mutate } from './mutate.js'
import { typeMessages } from './type-check.js'

const test = suite('types of mutants')
const root = fileURLToPath(new URL('../../..', import.meta.url))

const variants = curated.flatMap((mutant) => {
  const mutated = mutate(readFileSync(join(root, 'src', mutant.file), 'utf8'), mutant)
  return E.isRight(mutated) ? [{ name: mutant.name, file: mutant.file, text: mutated.right }] : []
})

test('the compiler accepts every mutant', () => {
  const messages = typeMessages(variants)
  const rejected = variants.flatMap(({ name }, i) => (messages[i] ?? []).map((message) => `${name}: ${message}`))
  assert.equal(rejected, [])
})

test('the compiler rejects what has no types', () => {
  const file = 'image/cluster-set.ts'
  const text = readFileSync(join(root, 'src', file), 'utf8')
  const messages = typeMessages([
    { file, text: `${text}export const n: number = 'a'\n` },
    { file, text }
  ])
  assert.equal(messages, [["Type 'string' is not assignable to type 'number'."], []])
})

test.run()
