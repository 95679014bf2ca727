/** What the explorer says of a byte, a window and a map is what explain, check and map say. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { edited, pieces } from '../../src/explorer/edits.js'
import { collectExtents, diskOf, guestMap } from '../../src/explorer/guest-map.js'
import { hostMap, marks } from '../../src/explorer/host-map.js'
import { buildIndex, ImageIndex } from '../../src/explorer/image-index.js'
import { Intervals } from '../../src/explorer/intervals.js'
import { guestKinds, kindAt } from '../../src/explorer/kinds.js'
import { childrenOf, type Node, outline } from '../../src/explorer/outline.js'
import { select } from '../../src/explorer/selection.js'
import { spansOf } from '../../src/explorer/spans.js'
import { summarize } from '../../src/explorer/summary.js'
import { judge } from '../../src/explorer/verdict.js'
import { exitCode } from '../../src/image/check/report.js'
import { check } from '../../src/image/check/check.js'
import { explain } from '../../src/image/dump/explain.js'
import { readMetadata } from '../../src/image/metadata.js'
import type { Extent } from '../../src/image/guest/extents.js'
import { right, runOn } from '../image/world.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('explorer')

/** Images of the corpus of at most 1 MiB, every third of them. */
const images: readonly (readonly [name: string, image: Uint8Array])[] = names()
  .filter((_, i) => i % 3 === 0)
  .map((name) => [name, load(name).image] as const)
  .filter(([, image]) => image.length <= 2 ** 20 && image.length > 0)

const indexOf = (image: Uint8Array): ImageIndex => {
  const index = new ImageIndex(image.length)
  right(runOn(image, buildIndex(index)))
  return index
}

/** Offsets of structures and of data, and others. */
const offsetsOf = (index: ImageIndex, image: Uint8Array): readonly number[] =>
  [0, 4, 32, 72, 100, 112, image.length - 1, ...index.places.flatMap(({ at, size }) => [at, at + size - 1])]
    .concat(Array.from({ length: 6 }, (_, i) => Math.floor((image.length * i) / 6)))
    .filter((at) => at >= 0 && at < image.length)
    .filter((at, i, all) => all.indexOf(at) === i)
    .slice(0, 40)

interface Said {
  readonly structure: string
  readonly of: string
  readonly part: string
  readonly at: number
  readonly size: number
}

const line = ({ structure, of, part, at, size }: Said): string => `${structure} ${of} ${part} ${at} ${size}`

test('a byte is selected as it is explained', () => {
  let n = 0
  for (const [name, image] of images) {
    const index = indexOf(image)
    for (const at of offsetsOf(index, image)) {
      const explained = right(runOn(image, explain(image.length, at)))
      const selected = right(runOn(image, select(index, at, [])))
      // The fields of a LUKS header are selected one by one, and explained as bytes.
      if (explained.explanations.some(({ structure }) => structure === 'encryption area')) continue
      assert.equal(selected.parts.map(line).sort(), explained.explanations.map(line).sort(), `${name} at ${at}`)
      if (!name.startsWith('broken')) assert.is(selected.refcount, explained.refcount, `${name} at ${at}`)
      n++
    }
  }
  assert.ok(n > 1000, `${n}`)
})

test('a span covers the bytes of the part that is selected there', () => {
  for (const [name, image] of images) {
    const index = indexOf(image)
    for (const at of offsetsOf(index, image).filter((each) => each % 8 === 0)) {
      const parts = right(runOn(image, select(index, at, []))).parts
      const spans = right(runOn(image, spansOf(index, at, at + 1))).filter((s) => s.at <= at && at < s.at + s.size)
      const unused = parts.filter(({ part, structure }) => part === 'unused' && structure === 'header extensions')
      assert.is(spans.length, parts.length - unused.length, `${name} at ${at}`)
      for (const part of parts.filter((p) => !unused.includes(p))) {
        const span = spans.find(({ kind }) => kind === part.kind)
        assert.ok(span !== undefined, `${name} at ${at}: ${part.part}`)
      }
    }
  }
})

test('the verdict is that of check, and a refused image has findings', () => {
  for (const [name, image] of images) {
    const { verdict } = right(runOn(image, judge(image.length)))
    const checked = right(runOn(image, check(image.length)))
    if (checked._tag === 'Left') assert.is(verdict.state, 'refused', name)
    else {
      const code = exitCode(checked.right)
      const states = { 0: ['clean', 'flawed'], 1: ['corrupt'], 2: ['corrupt'], 3: ['leaks'] } as const
      assert.ok(
        states[code].some((state) => state === verdict.state),
        name
      )
      assert.is(verdict.findings.length, checked.right.findings.length, name)
    }
    if (verdict.state !== 'clean') assert.ok(verdict.findings.length > 0, name)
    structuredClone(verdict)
    structuredClone(right(runOn(image, summarize(name, image.length))))
  }
})

test('the map of host clusters shows the refcounts, and marks what a check counts', () => {
  for (const [name, image] of images) {
    const index = indexOf(image)
    const { verdict, counted } = right(runOn(image, judge(image.length)))
    const g = index.geometry
    if (g === undefined || counted === undefined) continue
    const clusters = Math.ceil(image.length / 2 ** g.clusterBits)
    const map = hostMap(index, g, counted, 0, clusters, 2 ** 12)
    if (map.perCell > 1) continue
    const marked = (bit: number): number => [...map.marks].filter((m) => (m & bit) !== 0).length
    if (verdict.counts.leaks === 0) assert.is(marked(marks.leak), 0, name)
    if (verdict.state === 'clean') assert.is(marked(marks.corruption), 0, name)
    for (const at of offsetsOf(index, image)) {
      const selected = right(runOn(image, select(index, at, [])))
      const cell = Math.floor(at / 2 ** g.clusterBits)
      if (!name.startsWith('broken'))
        assert.is(map.refcounts[cell], Math.min(255, Number(selected.refcount ?? 0)), `${name} at ${at}`)
      for (const { kind } of selected.parts)
        assert.is.not(kindAt(map.kinds[cell] ?? 0), 'free', `${name} at ${at}: ${kind}`)
    }
  }
})

test('the map of the guest disk shows every extent, and no difference of a disk from itself', () => {
  for (const [name, image] of images) {
    const { metadata: m, geometry: g } = indexOf(image)
    if (m === undefined || g === undefined) continue
    const found: Extent[] = []
    runOn(image, collectExtents(right(runOn(image, diskOf(m, g, 'active'))), found))
    const disk = right(runOn(image, diskOf(m, g, 'active')))
    const map = guestMap(disk, found, found, 0, disk.size, 2 ** 12)
    for (const e of found) {
      const kind = guestKinds.indexOf(e.kind)
      assert.ok((map.kinds[Math.floor((e.start - map.from) / map.perCell)] ?? 0) >= kind, name)
    }
    assert.ok(
      map.differs.every((d) => d === 0),
      name
    )
  }
})

test('every structure of the index is a node of the tree, or part of one', () => {
  for (const [name, image] of images.filter(([each]) => !each.startsWith('broken'))) {
    const index = indexOf(image)
    const { metadata: m, geometry: g } = index
    if (m === undefined || g === undefined) continue
    const nodes: Node[] = []
    const visit = (node: Node): void => {
      nodes.push(node)
      const { children } = node
      if (!('structure' in children)) children.forEach(visit)
      else right(runOn(image, childrenOf(node.id, children, g, image.length, 0))).nodes.forEach(visit)
    }
    outline(m).forEach(visit)
    for (const place of index.places.filter(({ at }) => at > 0))
      assert.ok(
        nodes.some(({ at, size }) => at <= place.at && place.at < at + size),
        `${name}: ${place.structure} at ${place.at}`
      )
    assert.is(new Set(nodes.map(({ id }) => id)).size, nodes.length, name)
  }
})

const range = fc.tuple(fc.nat(200), fc.nat(40)).map(([from, size]) => ({ from, to: from + size }))

test('intervals find what a search through all of them finds', () => {
  const long = new Intervals()
  for (const [from, to] of [[0, 100] as const, [10, 20] as const]) long.add({ from, to, kind: 0, table: 0, entry: 0 })
  assert.is([...long.within(50, 60)].length, 1)
  holds(
    fc.property(fc.array(range, { maxLength: 30 }), range, (ranges, { from, to }) => {
      const intervals = new Intervals()
      for (const [i, r] of ranges.entries()) intervals.add({ ...r, kind: 0, table: i, entry: 0 })
      const found = [...intervals.within(from, to)].map(({ table }) => table).sort((a, b) => a - b)
      const wanted = ranges.flatMap((r, i) => (r.from < to && r.to > from ? [i] : []))
      assert.equal(found, wanted)
    })
  )
})

test('a search goes on over the ranges that were known when it began', () => {
  const intervals = new Intervals()
  const add = (from: number, table: number): void => intervals.add({ from, to: from + 10, kind: 0, table, entry: 0 })
  for (const table of [0, 1, 2]) add(100 + 10 * table, table)
  const found: number[] = []
  for (const { table } of intervals.within(0, 200)) {
    found.push(table)
    add(10 * table, 3 + table)
    assert.is([...intervals.within(0, 200)].length, 4 + table)
  }
  assert.equal(found, [0, 1, 2])
})

test('an encryption area that is shorter than a LUKS header has no parts', () => {
  const { image } = load('case-59-luks')
  const of = (bytes: Uint8Array): Node | undefined =>
    outline(right(right(runOn(bytes, readMetadata())))).find(({ id }) => id === 'luks')
  assert.is([of(image)?.children].flat().length, 2)
  const pointer = Buffer.from(image).indexOf(Buffer.from('0537be7700000010', 'hex'))
  const short = Buffer.from(image)
  short.writeBigUInt64BE(100n, pointer + 16)
  assert.equal(of(short)?.children, [])
})

test('an edited copy is made of pieces that read as the edits over the file do', () => {
  const edit = fc.record({ at: fc.nat(60), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) })
  holds(
    fc.property(fc.array(edit, { maxLength: 6 }), (all) => {
      const file = Uint8Array.from({ length: 64 }, (_, i) => i + 100)
      const edits = all.filter(({ at, bytes }) => at + bytes.length <= file.length)
      const copy = pieces(edits, file.length).flatMap((p) => [
        ...(p._tag === 'File' ? file.subarray(p.from, p.to) : p.bytes)
      ])
      assert.equal(copy, [...edited(edits, 0, file)])
      assert.equal([...edited(edits, 10, file.subarray(10, 30))], copy.slice(10, 30))
    })
  )
})

test.run()
