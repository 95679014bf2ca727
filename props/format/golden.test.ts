/** Golden bytes: what QEMU wrote is read as what it says, breaks no rule, and comes back bit for bit. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { run } from '../../corpus/run.js'
import { imageName } from '../../corpus/recipe.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { golden } from './golden.js'
import { same, sameBytes } from './laws.js'
import { bytesIn } from './notation.js'
import { readAs } from './readers.js'

const test = suite('golden bytes')

for (const { structure, title, bytes, json, geometry } of golden)
  test(`${structure}: ${title}`, () => {
    const written = bytesIn(bytes)
    const { complaints, decoded } = readAs(structure, written, geometry)
    same(complaints, [])
    same(decoded?.json, json)
    sameBytes(decoded?.bytes ?? new Uint8Array(), written)
    sameBytes(decoded?.fromJson ?? new Uint8Array(), written)
  })

/** The image that a recipe makes. */
const cooked = async (recipe: readonly string[]): Promise<Uint8Array> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-golden-'))
  const done = await run(folder, recipe)
  const image = E.isRight(done) ? new Uint8Array(readFileSync(join(folder, imageName))) : new Uint8Array()
  rmSync(folder, { recursive: true })
  if (E.isLeft(done)) throw new Error(done.left)
  return image
}

const again = golden.filter((g) => g.once === undefined)

needsQemu(test)('QEMU writes the same bytes again', async () => {
  for (const recipe of new Set(again.map((g) => g.recipe))) {
    const image = await cooked(recipe)
    for (const { at, bytes, recipe: own } of again)
      if (own === recipe) sameBytes(image.subarray(at, at + bytesIn(bytes).length), bytesIn(bytes))
  }
  assert.ok(again.length > 0)
})

test.run()
