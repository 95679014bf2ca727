/** The index of an image: where its structures and guest data are, so that any byte is explained without another walk. */
import { type Issue } from '../bytes/issue.js'
import { emit, onEmit, type Plan, readAt } from '../bytes/plan.js'
import { clusterSize, geometry, type Geometry } from '../format/geometry.js'
import { clusterKind, L2View } from '../format/views.js'
import { type Region, type RegionItem, regions } from '../image/dump/regions.js'
import type { Metadata } from '../image/metadata.js'
import { Intervals } from './intervals.js'
import { kindNumber, kindOf } from './kinds.js'

/** A structure in the file, without its bytes. */
export interface StructurePlace extends Omit<Region, 'bytes'> {
  /** Bytes. */
  readonly size: number
}

/** What is known of one state of an image. One session owns it; the plan that builds it adds to it. */
export class ImageIndex {
  metadata: Metadata | undefined
  geometry: Geometry | undefined
  /** Why offsets were not followed, the first thousand. */
  readonly issues: Issue[] = []
  readonly places: StructurePlace[] = []
  /** The structures, `table` being their number among the places. */
  readonly structures = new Intervals()
  /** Data of guest clusters, `table` being the number of the L2 table among the places. */
  readonly data = new Intervals()
  private last: Region | undefined

  constructor(readonly fileLength: number) {}

  /** The structures that cover some of `[from, to)`. */
  structuresIn(from: number, to: number): readonly StructurePlace[] {
    return [...this.structures.within(from, to)].flatMap(({ table }) => this.places[table] ?? [])
  }

  /** A structure with its bytes; those of the last one are kept. */
  *region(place: StructurePlace): Plan<Region> {
    const known = this.last
    if (known?.at === place.at && known.structure === place.structure && known.of === place.of) return known
    const { size, ...rest } = place
    this.last = { ...rest, bytes: yield* readAt(place.at, size) }
    return this.last
  }
}

/** Adds the data that an L2 table leads to; neighbours in the file are one range. */
const addData = (index: ImageIndex, table: number, g: Geometry, bytes: Uint8Array): void => {
  const view = new L2View(bytes, g)
  const size = clusterSize(g)
  for (let i = 0, n = 1; i < view.length; i += n) {
    const kind = view.kind(i)
    n = view.run(i, view.length)
    if (kind === clusterKind.Compressed) {
      const from = view.hostOffset(i)
      const to = from + view.availableBytes(i)
      index.data.add({ from, to, kind: kindNumber('compressed'), table, entry: i })
    } else if (view.isPlaced(i) && !g.externalDataFile) {
      const from = view.hostClusterOffset(i)
      const named = kind === clusterKind.ZeroAllocated ? 'zero' : 'data'
      index.data.add({ from, to: from + n * size, kind: kindNumber(named), table, entry: i })
    }
  }
}

const addRegion = (index: ImageIndex, { bytes, ...r }: Region): void => {
  const table = index.places.length
  index.places.push({ ...r, size: bytes.length })
  index.structures.add({
    from: r.at,
    to: r.at + bytes.length,
    kind: kindNumber(kindOf(r.structure)),
    table,
    entry: r.index ?? 0
  })
  if (r.structure === 'L2 table' && index.geometry !== undefined) addData(index, table, index.geometry, bytes)
}

const mostIssues = 1000

/** Fills an empty index; emits after each structure how many there are. */
export function* buildIndex(index: ImageIndex): Plan<void, number> {
  yield* onEmit(regions(index.fileLength), function* (item: RegionItem): Plan<void, number> {
    if (item._tag === 'Metadata') {
      index.metadata = item.metadata
      index.geometry = geometry(item.metadata.header)
    } else if (item._tag === 'Issue') {
      if (index.issues.length < mostIssues) index.issues.push(item.issue)
    } else addRegion(index, item.region)
    yield* emit(index.places.length)
  })
}
