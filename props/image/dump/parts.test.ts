/** Regions and their parts: in a sound image no two structures overlap, and every byte of each is of one part. */
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { clusterSize } from '../../../src/format/geometry.js'
import { explain } from '../../../src/image/dump/explain.js'
import { partsOf, type StructurePart } from '../../../src/image/dump/explain-parts.js'
import { type Region, type RegionItem, regions } from '../../../src/image/dump/regions.js'
import type { Metadata } from '../../../src/image/metadata.js'
import { note, suite } from '../../run/suite.js'
import { right, runOn } from '../world.js'

const test = suite('parts')

interface Sound {
  readonly name: string
  readonly image: Uint8Array
  readonly metadata: Metadata
  readonly regions: readonly Region[]
}

/** The images in which QEMU finds nothing wrong, with their regions. */
const sound = names().flatMap((name): readonly Sound[] => {
  const { expect, image } = load(name)
  if (image.length > 2 ** 21 || expect.check.exit !== 0) return []
  const items: RegionItem[] = []
  runOn(image, regions(image.length), (item: RegionItem) => items.push(item))
  const metadata = items.find((item) => item._tag === 'Metadata')?.metadata
  if (metadata?.geometry === undefined) return []
  return [{ name, image, metadata, regions: items.flatMap((item) => (item._tag === 'Region' ? [item.region] : [])) }]
})

test('no two structures of a sound image overlap', () => {
  let count = 0
  for (const { name, regions } of sound) {
    const sorted = regions.toSorted((a, b) => a.at - b.at)
    for (const [i, { at, bytes, structure }] of sorted.entries()) {
      const next = sorted[i + 1]
      assert.ok(
        next === undefined || at + bytes.length <= next.at,
        `${name}: ${structure} at ${at}, ${next?.structure}`
      )
    }
    count += regions.length
  }
  note(`${count} structures`)
  assert.ok(count > 2000, String(count))
})

/** What is the same at all bytes of a part; an extension has a type, a length and data, each with its own line of prose. */
const what = (part: StructurePart | undefined): Partial<StructurePart> => ({ ...part, doc: '' })

test('every byte of a structure is of one part, which holds it, and all bytes of the part are explained alike', () => {
  let count = 0
  for (const { name, metadata, regions } of sound) {
    const g = metadata.geometry
    if (g === undefined) continue
    for (const region of regions.filter(({ bytes }) => bytes.length <= 2 ** 11)) {
      const where = `${name}: ${region.structure} at ${region.at}`
      for (let at = 0; at < region.bytes.length;) {
        const [part, ...others] = partsOf(region, metadata, g, at)
        assert.equal(others, [], where)
        assert.is(part?.at, at, `${where}, byte ${at}`)
        const end = at + (part?.size ?? 0)
        assert.ok(end > at && end <= region.bytes.length, `${where}, byte ${at}`)
        for (const i of [at + 1, Math.floor((at + end) / 2), end - 1])
          if (i < end) assert.equal(partsOf(region, metadata, g, i).map(what), [part].map(what), `${where}, byte ${i}`)
        at = end
        count += 1
      }
    }
  }
  note(`${count} parts`)
  assert.ok(count > 10_000, String(count))
})

test('the explanation of a byte has the parts of the structures around it, and the refcount of its cluster', () => {
  let count = 0
  for (const { name, image, metadata, regions } of sound.filter(({ image }) => image.length <= 2 ** 15)) {
    const g = metadata.geometry
    if (g === undefined) continue
    for (let offset = 0; offset < image.length; offset += 127) {
      const { explanations, refcount } = right(runOn(image, explain(image.length, offset)))
      const around = regions.filter(({ at, bytes }) => at <= offset && offset < at + bytes.length)
      const expected = around.flatMap((region) =>
        partsOf(region, metadata, g, offset - region.at).map(({ at, part }) => [region.structure, part, region.at + at])
      )
      const found = explanations.map(({ structure, part, at }) => [structure, part, at])
      const ofData = found.filter(([structure]) => String(structure).endsWith('cluster'))
      assert.equal(
        found.filter((each) => !ofData.includes(each)),
        expected,
        `${name}, byte ${offset}`
      )
      for (const { at, size } of explanations) assert.ok(at <= offset && offset < at + size, `${name}, byte ${offset}`)
      const used = found.length > 0
      assert.ok(!used || Number(refcount) >= 1, `${name}, byte ${offset} of a cluster of ${clusterSize(g)} bytes`)
      count += 1
    }
  }
  note(`${count} bytes explained`)
  assert.ok(count > 1000, String(count))
})

test.run()
