/** Generated images: valid ones break no rule, every one is the same again, and they shrink. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { companions } from '../../src/fuzz/assembly.js'
import { drawnChoices, replayedChoices } from '../../src/fuzz/choices.js'
import { type FuzzImage, imageOf } from '../../src/fuzz/image.js'
import { Random } from '../../src/fuzz/random.js'
import { opening, reading } from '../../src/fuzz/reading.js'
import { isSimpler, simpler } from '../../src/fuzz/shrink.js'
import { check } from '../../src/image/check/check.js'
import { exitCode } from '../../src/image/check/report.js'
import { native } from '../../src/node/compression/native.js'
import { arbitraryImage } from '../arbitrary/image.js'
import { runOn } from '../image/world.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('generated images')

/** As many choices as an image makes at most, or more. */
const drawn = (seed: number): readonly number[] => {
  const random = new Random(seed)
  return Array.from({ length: 200 }, () => random.below(2 ** 32))
}

const sample: readonly FuzzImage[] = Array.from({ length: 600 }, (_, i) => imageOf(drawnChoices(1, i)))

/** Valid images with extended L2 entries, which are too rare in the sample: the fourth choice is that of the geometry. */
const extended: readonly FuzzImage[] = Array.from({ length: 40 }, (_, i) =>
  imageOf(replayedChoices([...[0, 0, 0, 23, 0], ...drawn(i)]))
)

test('a valid image passes a strict check, and its disk is read', () => {
  assert.ok(extended.every(({ kind, uses }) => kind === 'valid' && uses.includes('SUB-01')))
  const valid = [...sample.filter(({ kind }) => kind === 'valid'), ...extended]
  assert.ok(valid.length > 140)
  for (const { bytes, uses } of valid) {
    const report = E.flatten(runOn(bytes, check(bytes.length, { deep: native })))
    assert.ok(E.isRight(report) && exitCode(report.right, true) === 0, uses.join(' '))
    assert.is(reading(bytes, native)._tag, 'Disk')
  }
})

test('an image that is not valid has a fault, which changes it', () => {
  for (const { kind, faults } of sample) assert.is(faults.length > 0, kind !== 'valid')
  assert.ok(sample.some(({ faults }) => faults.length > 3))
})

test('every structure has faults, and every feature is made use of', () => {
  const broken = new Set(sample.flatMap(({ faults }) => faults.map(({ what }) => what.split(':', 1).join())))
  const structures = ['header', 'header extensions', 'L1 table', 'L2 table', 'refcount table', 'refcount block']
  for (const name of [...structures, 'snapshot table', 'bitmap directory', 'compressed payload', 'file', 'cluster'])
    assert.ok(broken.has(name), name)
  const uses = new Set(sample.flatMap((image) => image.uses))
  for (const clause of [
    'DATA-01',
    'SUB-01',
    'CMP-10',
    'CMP-07',
    'BACK-06',
    'SNAP-01',
    'BMP-01',
    'REF-02',
    'HDR-02'
  ] as const)
    assert.ok(uses.has(clause), clause)
})

test('an image depends on its seed and its number alone, and on the choices that it made', () => {
  for (const i of [0, 7, 41]) {
    const choices = drawnChoices(1, i)
    const image = imageOf(choices)
    assert.equal(image, sample[i])
    assert.equal(imageOf(replayedChoices(choices.made)), image)
    assert.not.equal(imageOf(drawnChoices(2, i)).bytes, image.bytes)
  }
})

test('no choices at all are the simplest valid image', () => {
  const { kind, uses, bytes } = imageOf(replayedChoices([]))
  assert.is(kind, 'valid')
  assert.equal(uses, ['OPEN-03', 'RD-05'])
  assert.is(bytes.length, 5 * 512)
})

test('an arbitrary image shrinks to one that has nothing but what is looked for', () => {
  const isClean = (image: FuzzImage): boolean => !image.uses.includes('CMP-07')
  const { counterexample } = fc.check(fc.property(arbitraryImage, isClean), { seed: 3, numRuns: 200 })
  const [least] = counterexample ?? []
  assert.is(least?.kind, 'valid')
  assert.equal(least?.uses, ['CMP-07', 'OPEN-03', 'RD-05'])
})

test('simpler choices lead to the simplest image with a fault', () => {
  const isFound = (made: readonly number[]): boolean => {
    const found = opening(imageOf(replayedChoices(made)).bytes)
    return found._tag === 'Refused' && found.clause === 'FEAT-01'
  }
  const first = Array.from({ length: 100 }, (_, i) => drawnChoices(1, i)).find((c) => {
    imageOf(c)
    return isFound(c.made)
  })
  assert.ok(first !== undefined)
  let made: readonly number[] = first.made
  const step = (): readonly number[] | undefined => {
    for (const each of simpler(made)) if (isSimpler(each, made) && isFound(each)) return each
    return undefined
  }
  for (let next = step(); next !== undefined; next = step()) made = next
  const { faults, uses } = imageOf(replayedChoices(made))
  assert.is(faults.length, 1)
  assert.ok(uses.length <= 3, uses.join(' '))
})

needsQemu(test)('qemu-img reads the disk that is expected of a reader, and refuses what must be refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-generated-'))
  for (const [name, bytes] of companions) writeFileSync(join(folder, name), bytes)
  const out = join(folder, 'out')
  const convert = (): Uint8Array | undefined => {
    try {
      execFileSync('qemu-img', 'convert -f qcow2 -O raw img out'.split(' '), { cwd: folder, stdio: 'ignore' })
      return readFileSync(out)
    } catch {
      return undefined
    }
  }
  const found = { Refused: 0, Disk: 0, Unsure: 0 }
  for (const [i, { bytes }] of sample.slice(0, 60).entries()) {
    writeFileSync(join(folder, 'img'), bytes)
    rmSync(out, { force: true })
    const expected = reading(bytes, native)
    found[expected._tag]++
    const disk = convert()
    if (expected._tag === 'Disk') assert.ok(disk !== undefined && Buffer.compare(disk, expected.bytes) === 0, `${i}`)
    if (expected._tag === 'Refused') assert.is(disk, undefined, `${i}: ${expected.why}`)
  }
  rmSync(folder, { recursive: true })
  assert.ok(found.Refused > 5 && found.Disk > 30 && found.Unsure < 5, JSON.stringify(found))
})

test.run()
