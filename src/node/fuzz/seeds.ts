/** Seeds for coverage-guided fuzzers: small generated images, each with something that those before it have not. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawnChoices } from '../../fuzz/choices.js'
import { type FuzzImage, imageOf } from '../../fuzz/image.js'
import { either, get, system } from '../command-error.js'

/** Most bytes of a seed: fuzzers prefer short ones. */
const longest = 2 ** 14

/** What an image has: its features, and the structures that are changed in it. */
const traitsOf = ({ uses, faults }: FuzzImage): readonly string[] => [...uses, ...faults.map(({ what }) => what)]

/** Writes seeds chosen from `count` images, under the hash of their bytes; the value is how many. */
export const writeSeeds = either(function* (folder: string, count: number, seed: number) {
  yield* get(system('create', folder, () => mkdirSync(folder, { recursive: true })))
  const seen = new Set<string>()
  let written = 0
  for (let i = 0; i < count; i++) {
    const image = imageOf(drawnChoices(seed, i))
    const added = traitsOf(image).filter((trait) => !seen.has(trait))
    if (added.length === 0 || image.bytes.length > longest) continue
    for (const trait of added) seen.add(trait)
    const path = join(folder, createHash('sha256').update(image.bytes).digest('hex').slice(0, 16))
    yield* get(system('write', path, () => writeFileSync(path, image.bytes)))
    written++
  }
  return written
})
