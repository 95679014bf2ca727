/** Spans: the fields and entries that the bytes of a window of the file belong to, for colours and borders. */
import { type Plan } from '../bytes/plan.js'
import { clusterSize, type Geometry, l2EntrySize } from '../format/geometry.js'
import { luksSize } from '../format/luks.js'
import { partsOf } from '../image/dump/explain-parts.js'
import type { ImageIndex, StructurePlace } from './image-index.js'
import { type Kind, kindAt, kindOf } from './kinds.js'
import { luksSpans } from './luks-parts.js'
import { entryOfData } from './selection.js'

/** Bytes of one field, entry, or cluster of guest data. */
export interface Span {
  readonly at: number
  readonly size: number
  readonly kind: Kind
  readonly name: string
}

/** Bytes of the entries of tables whose entries are equal. */
const strideOf = (place: StructurePlace, g: Geometry): number | undefined => {
  switch (place.structure) {
    case 'L2 table':
      return l2EntrySize(g)
    case 'L1 table':
    case 'refcount table':
    case 'bitmap table':
      return 8
    case 'refcount block':
      return Math.max(1, 2 ** (g.refcountOrder - 3))
    case 'bitmap data':
      return 8
    default:
      return undefined
  }
}

/** The pieces of `stride` bytes of a structure in `[from, to)`. */
const entries = (place: StructurePlace, stride: number, from: number, to: number): readonly Span[] => {
  const kind = kindOf(place.structure)
  const first = Math.floor(Math.max(0, from - place.at) / stride)
  const end = Math.ceil((Math.min(to, place.at + place.size) - place.at) / stride)
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => ({
    at: place.at + (first + i) * stride,
    size: stride,
    kind,
    name: `${place.structure} ${first + i}`
  }))
}

/** Bytes of the type and the length of an extension. */
const extensionHead = 8

/** A field as it is shown: an extension as its head and its data, and what is unused not at all. */
const split = ({ structure }: StructurePlace, span: Span): readonly Span[] => {
  if (structure !== 'header extensions' || span.size <= extensionHead) return [span]
  if (span.name === 'unused') return []
  return [
    { ...span, size: extensionHead },
    { ...span, at: span.at + extensionHead, size: span.size - extensionHead }
  ]
}

/** The fields of a structure that has rows, in `[from, to)`. */
function* fields(index: ImageIndex, g: Geometry, place: StructurePlace, from: number, to: number): Plan<Span[]> {
  const m = index.metadata
  if (m === undefined) return []
  const region = yield* index.region(place)
  const kind = kindOf(place.structure)
  const end = Math.min(to, place.at + place.size) - place.at
  const out: Span[] = []
  for (let at = Math.max(0, from - place.at); at < end;) {
    const part = partsOf(region, m, g, at)[0]
    if (part === undefined) {
      at++
      continue
    }
    out.push(...split(place, { at: place.at + part.at, size: part.size, kind, name: part.part }))
    at = Math.max(at + 1, part.at + part.size)
  }
  return out
}

const encryption = (place: StructurePlace): readonly Span[] => {
  const isHead = (place.index ?? 0) === 0 && place.size >= luksSize
  const head = isHead ? luksSpans.map((s) => ({ ...s, at: place.at + s.at, kind: 'encryption' as const })) : []
  const start = isHead ? luksSize : 0
  const rest = { at: place.at + start, size: place.size - start, kind: 'encryption' as const, name: 'key material' }
  return [...head, rest]
}

function* ofStructure(
  index: ImageIndex,
  g: Geometry,
  p: StructurePlace,
  from: number,
  to: number
): Plan<readonly Span[]> {
  const stride = strideOf(p, g)
  if (stride !== undefined) return entries(p, stride, from, to)
  if (p.structure === 'encryption area') return encryption(p)
  return yield* fields(index, g, p, from, to)
}

/** The data of guest clusters in `[from, to)`, a span for each cluster. */
const dataSpans = (index: ImageIndex, g: Geometry, from: number, to: number): readonly Span[] => {
  const out: Span[] = []
  for (const run of index.data.within(from, to)) {
    const kind = kindAt(run.kind)
    const step = kind === 'compressed' ? run.to - run.from : clusterSize(g)
    for (let at = Math.max(run.from, from); at < Math.min(run.to, to); at += step - ((at - run.from) % step)) {
      const e = entryOfData(index, g, run, at)
      out.push({ at: e.at, size: e.size, kind, name: `guest ${e.guest}` })
    }
  }
  return out
}

/** The spans of `[from, to)`: structures last, so that they cover what they share bytes with. */
export function* spansOf(index: ImageIndex, from: number, to: number): Plan<readonly Span[]> {
  const g = index.geometry
  if (g === undefined) return []
  const out: Span[] = [...dataSpans(index, g, from, to)]
  for (const place of index.structuresIn(from, to)) out.push(...(yield* ofStructure(index, g, place, from, to)))
  return out
}
