/** Faults: what an image breaks, by the field tables of its structures, with the clause of each. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import type { Edit } from '../bytes/edit.js'
import { bitmapEntry } from '../format/bitmap-directory.js'
import { extensionArea } from '../format/extension-area.js'
import { l2EntrySize } from '../format/geometry.js'
import { header } from '../format/header.js'
import { snapshotExtra, snapshotFixed } from '../format/snapshot.js'
import { type Choices, weighted } from './choices.js'
import { type Field, fieldOf, moved } from './field.js'
import { isPlaced, l1Cluster, type Layout } from './layout.js'
import { siteEdit, siteWords, type Surroundings } from './possible-edits.js'
import { countSite, type Site, sitesOf } from './site.js'
import type { Sketch } from './sketch.js'
import {
  areaFields,
  bitmapTableFields,
  headerFields,
  l1Fields,
  l2EntryFields,
  refcountTableFields
} from './structures.js'

/** A fault of an image. */
export interface Fault {
  /** The structure and the field that are changed, or what else is. */
  readonly what: string
  readonly clause: ClauseId
  readonly edit: Edit
}

/** An image that was assembled from a sketch. */
interface Assembled {
  readonly sketch: Sketch
  readonly layout: Layout
  readonly image: Uint8Array
  readonly around: Surroundings
}

type Draw = (c: Choices, a: Assembled) => Fault | undefined

const known = new Map<string, readonly Site[]>()

/** The sites of fields, found once for each key: they are the same in every image. */
const sitesBy = (key: string, fields: () => readonly Field[]): readonly Site[] => {
  const sites = known.get(key) ?? fields().flatMap(sitesOf)
  known.set(key, sites)
  return sites
}

const oneOf = <A>(c: Choices, list: readonly A[]): A | undefined => list[c.below(Math.max(1, list.length))]

/** Another value for one of the sites, `by` bytes further on. */
const inSites = (
  c: Choices,
  a: Assembled,
  structure: string,
  sites: readonly Site[],
  by: number
): Fault | undefined => {
  const found = oneOf(c, sites)
  if (found === undefined) return undefined
  const site = { ...found, at: found.at + by }
  const word = oneOf(c, siteWords(a.around, site))
  if (word === undefined) return undefined
  const { name, edit } = siteEdit(structure, site, word)
  return { what: name, clause: site.rules[0]?.clause ?? site.clause, edit }
}

const ofHeader: Draw = (c, a) => {
  const sites = sitesBy(`header ${a.sketch.g.version} ${a.sketch.zstd}`, () => {
    const decoded = header.decode(a.image)
    return E.isRight(decoded) ? headerFields.fields(decoded.right) : []
  })
  return inSites(c, a, 'header', sites, 0)
}

const ofExtensions: Draw = (c, a) => {
  const from = a.sketch.g.version === 2 ? 72 : a.sketch.zstd ? 112 : 104
  const area = extensionArea.decodeAt(a.image.subarray(0, a.layout.size), from)
  return E.isLeft(area)
    ? undefined
    : inSites(c, a, 'header extensions', areaFields.fields(area.right).flatMap(sitesOf), from)
}

const l1Sites = l1Fields.fields({ l2TableOffset: 0n, copied: false, reserved: 0n }).flatMap(sitesOf)
const tableSites = refcountTableFields.fields({ refcountBlockOffset: 0n, reserved: 0n }).flatMap(sitesOf)
const bitmapTableSites = bitmapTableFields.fields({ clusterOffset: 0n, allOnes: false, reserved: 0n }).flatMap(sitesOf)

const ofL1: Draw = (c, a) => {
  const { sketch, layout } = a
  const table = c.below(1 + sketch.snapshots)
  const at = (table === 0 ? l1Cluster : layout.snapshots + table) * layout.size
  return inSites(c, a, 'L1 table', l1Sites, at + 8 * c.below(sketch.l1.length))
}

const ofL2: Draw = (c, a) => {
  const { sketch, layout } = a
  const table = c.below(Math.max(1, sketch.tables.length))
  const slot = oneOf(c, sketch.tables[table] ?? [])
  if (slot === undefined) return undefined
  const at = (layout.tables + table) * layout.size + slot.index * l2EntrySize(sketch.g)
  const isCompressed = slot.kind === 'compressed'
  const key = `L2 entry ${sketch.g.clusterBits} ${sketch.g.extendedL2} ${isCompressed}`
  return inSites(
    c,
    a,
    'L2 table',
    sitesBy(key, () => l2EntryFields(sketch.g, isCompressed)),
    at
  )
}

const ofRefcounts: Draw = (c, a) => {
  const { g } = a.sketch
  const site = countSite(c.below(a.layout.length + 1), g)
  return inSites(c, a, 'refcount block', [site], 2 * a.layout.size)
}

const ofRefcountTable: Draw = (c, a) => inSites(c, a, 'refcount table', tableSites, a.layout.size)

const snapshotSites = [
  ...snapshotFixed.rows.map(fieldOf),
  ...moved(snapshotExtra.rows.map(fieldOf), snapshotFixed.size)
].flatMap(sitesOf)

const ofSnapshots: Draw = (c, a) =>
  a.sketch.snapshots === 0
    ? undefined
    : inSites(c, a, 'snapshot table', snapshotSites, a.layout.snapshots * a.layout.size)

const bitmapSites = bitmapEntry.fixed.rows.map(fieldOf).flatMap(sitesOf)

const ofBitmap: Draw = (c, a) => {
  if (!a.sketch.hasBitmap) return undefined
  const { bitmap, size } = a.layout
  return c.rarely(3)
    ? inSites(c, a, 'bitmap table', bitmapTableSites, (bitmap + 1) * size)
    : inSites(c, a, 'bitmap directory', bitmapSites, bitmap * size)
}

/** The file ends at a cluster, beside one, or in its header. */
const ofLength: Draw = (c, { layout, image }) => {
  const length = c.rarely(4)
    ? c.of([71, 72, 100, 103, 104, 1, 0])
    : layout.size * (layout.length - c.below(layout.length)) + c.of([-512, -1, 1, 512])
  if (length === image.length) return undefined
  const clause = length < 104 ? 'HDR-10' : 'GEN-03'
  return { what: 'file: length', clause, edit: { _tag: 'Length', length: Math.max(0, length) } }
}

/** A byte of a compressed payload. */
const ofPayload: Draw = (c, { sketch, layout, image }) => {
  const slot = oneOf(
    c,
    sketch.tables.flat().filter((s) => s.kind === 'compressed' && isPlaced(sketch, s))
  )
  if (slot === undefined) return undefined
  const at = (layout.data + slot.data) * layout.size + slot.offset + c.below(16)
  const bytes = Uint8Array.of((image[at] ?? 0) ^ (1 + c.below(255)))
  return {
    what: 'compressed payload: byte',
    clause: sketch.zstd ? 'CMP-10' : 'CMP-09',
    edit: { _tag: 'Put', at, bytes }
  }
}

/** A cluster of metadata becomes zeros, ones, or another cluster. */
const ofCluster: Draw = (c, { layout }) => {
  const { size } = layout
  const [at, from] = [size * c.below(layout.length), size * c.below(layout.length)]
  const fill = c.below(3)
  const edit: Edit = fill === 2 ? { _tag: 'Copy', at, from, size } : { _tag: 'Fill', at, size, byte: 255 * fill }
  return { what: 'cluster: overwritten', clause: 'GEN-02', edit }
}

const draws = weighted<Draw>(
  [4, ofL2],
  [4, ofHeader],
  [2, ofL1],
  [1, ofRefcounts],
  [1, ofExtensions],
  [1, ofRefcountTable],
  [1, ofSnapshots],
  [1, ofBitmap],
  [1, ofLength],
  [1, ofPayload],
  [1, ofCluster]
)

/** A fault of an image, which it need not have where it has no such structure. */
export const faultOf = (c: Choices, sketch: Sketch, layout: Layout, image: Uint8Array): Fault | undefined => {
  const regions = Array.from({ length: Math.min(24, layout.length) }, (_, i) => ({ at: i * layout.size }))
  return c.of(draws)(c, { sketch, layout, image, around: { file: image, geometry: sketch.g, regions } })
}
