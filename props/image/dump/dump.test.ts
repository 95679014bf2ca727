/** A dump holds every byte, and assembles to the same image, byte for byte. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { isObject } from '../../../src/bytes/json.js'
import { viewOf } from '../../../src/bytes/octets.js'
import { dumpFrame, dumpRegions, patchOf } from '../../../src/image/dump/dump.js'
import { explain, explainJson } from '../../../src/image/dump/explain.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { assembled, dumpText, right, runOn, sameBytes, smallImages } from '../world.js'

const test = suite('dump')

test('every image of the corpus assembles from its dump', () => {
  for (const name of names()) {
    const { image } = load(name)
    sameBytes(assembled(dumpText(image)), image, name)
  }
  note(`${names().length} images dumped and assembled`)
})

interface Damage {
  readonly image: number
  readonly edits: readonly (readonly [number, number])[]
  readonly cut: number
}

/** Bytes set to drawn values: in the header, in the first tables, anywhere; then the end cut off. */
const damage: fc.Arbitrary<Damage> = fc.record({
  image: fc.nat(10_000),
  edits: fc.array(
    fc.tuple(
      fc.oneof({ weight: 4, arbitrary: fc.nat(112) }, { weight: 2, arbitrary: fc.nat(2 ** 12) }, fc.nat(2 ** 20)),
      fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))
    ),
    { maxLength: 12 }
  ),
  cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(2 ** 18))
})

const damaged = (images: readonly Uint8Array[], { image, edits, cut }: Damage): Uint8Array => {
  const whole = images[image % images.length] ?? new Uint8Array(1)
  const out = whole.slice(0, Math.max(0, whole.length - cut))
  for (const [at, value] of edits) if (out.length > 0) out[at % out.length] = value
  return out
}

test('a damaged image assembles from its dump', () => {
  const images = smallImages(2 ** 18)
  holds(
    fc.property(damage, (drawn) => {
      const image = damaged(images, drawn)
      sameBytes(assembled(dumpText(image)), image, 'damaged')
    }),
    { runs: 1000 }
  )
})

test('bytes without a header assemble from their dump', () => {
  holds(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      sameBytes(assembled(dumpText(bytes)), bytes, 'bytes')
    })
  )
})

const regionsOf = (text: string): readonly Readonly<Record<string, unknown>>[] => {
  const document: unknown = JSON.parse(text)
  const list = isObject(document) ? document['regions'] : []
  return Array.isArray(list) ? list.filter(isObject) : []
}

test('an edit that cannot be encoded is refused by the name of its field', () => {
  const text = dumpText(load('case-01-empty-v3').image)
  const frame = dumpFrame(JSON.parse(text))
  assert.ok(E.isRight(frame))
  const header = regionsOf(text).find((r) => r['structure'] === 'header')
  const value = header?.['value']
  assert.ok(isObject(value))
  const edit = (change: Readonly<Record<string, unknown>>): string => {
    const patch = patchOf({ ...header, value: { ...value, ...change } }, frame.right.geometry)
    return E.isLeft(patch) ? patch.left : 'encoded'
  }
  assert.is(edit({}), 'encoded')
  assert.match(edit({ cluster_bits: 2 ** 32 }), 'header at 0: value: cluster_bits: 4294967296 is not u32')
  assert.match(edit({ size: 'many' }), 'size: "many" is not u64')
  assert.match(edit({ clusterbits: 9 }), 'header has no field clusterbits')
  assert.match(edit({ header_length: 120 }), 'the fields of the header do not fit together')
  assert.match(
    edit({ incompatible_features: { dirty: 3 } }),
    'incompatible_features: dirty: 3 is neither true nor false'
  )
})

test('a field edited in the dump is in the assembled image', () => {
  const text = dumpText(load('case-01-empty-v3').image)
  const image = assembled(text.replace('"crypt_method":0', '"crypt_method":2'))
  assert.is(image[35], 2)
})

/** Bits of an entry of the tables whose entries have one width. */
const widths: Readonly<Record<string, number>> = { 'L1 table': 64, 'refcount table': 64, 'bitmap table': 64 }

test('a table has an entry for each of the widths in its bytes, and an extended L2 entry has its subclusters', () => {
  const seen = { tables: 0, extended: 0 }
  for (const name of names()) {
    const dumped: unknown = JSON.parse(dumpText(load(name).image, 'none'))
    const frame = dumpFrame(dumped)
    if (E.isLeft(frame)) continue
    const { extendedL2, refcountOrder } = frame.right.geometry
    const bits = { ...widths, 'L2 table': extendedL2 ? 128 : 64, 'refcount block': 2 ** refcountOrder }
    for (const region of right(dumpRegions(dumped)).filter(isObject)) {
      const width = Object.entries(bits).find(([structure]) => structure === region['structure'])?.[1]
      if (width === undefined) continue
      seen.tables++
      assert.is(region['entries'], (Number(region['size']) * 8) / width, `${name}: ${String(region['structure'])}`)
      const runs: unknown = region['runs']
      if (width !== 128 || !Array.isArray(runs)) continue
      seen.extended += runs.length
      assert.ok(
        runs.every((run) => isObject(run) && isObject(run['subclusters'])),
        name
      )
    }
  }
  note(`${seen.tables} tables, ${seen.extended} runs of extended entries`)
  assert.ok(seen.extended > 50)
})

test('entries whose offsets grow by one step are one run', () => {
  const table = regionsOf(dumpText(load('case-46-preallocation-metadata').image)).find(
    (r) => r['structure'] === 'L2 table'
  )
  assert.is(Array.isArray(table?.['runs']) ? table['runs'].length : 0, 1)
})

test('an explanation does not grow with a length that only a damaged entry states', () => {
  const { image } = load('case-50-snapshot-v2')
  const table = Number(viewOf(image).getBigUint64(64))
  const damaged = image.slice()
  viewOf(damaged).setUint32(table + 36, 2 ** 24)
  const report = right(runOn(damaged, explain(damaged.length, table + 40)))
  const extra = report.explanations.find(({ size }) => size === 2 ** 24)
  assert.is(extra?.structure, 'snapshot table')
  assert.ok(JSON.stringify(explainJson(report)).length < 2 ** 14)
})

test.run()
