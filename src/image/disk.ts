/** Disks: a tree of an image, active or a snapshot's, and the extents its guest bytes are in. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issue } from '../bytes/issue.js'
import { failWith, type Plan, readAt, tell } from '../bytes/plan.js'
import { availableBytes } from '../format/compressed.js'
import { clusterSize, type Geometry, l1Coverage, l2EntrySize } from '../format/geometry.js'
import { compressionType } from '../format/header.js'
import { presentedSize } from '../format/header-rules.js'
import { subclusters } from '../format/limits.js'
import { judgeSnapshot, snapshotDiskSize, type SnapshotEntry } from '../format/snapshot.js'
import { type Subcluster, subclusterAt } from '../format/subcluster.js'
import { clusterKind, L1View, L2View } from '../format/views.js'
import type { Metadata } from './metadata.js'

/** What a tree is read with. */
export interface Disk {
  readonly g: Geometry
  /** Bytes of the guest disk. */
  readonly size: number
  readonly l1TableOffset: number
  readonly l1Size: number
  /** 0 deflate, 1 zstd. */
  readonly compressionType: number
  /** Whether guest data is encrypted: then it can be mapped, and not read. */
  readonly encrypted: boolean
}

/** The disk of the active tree. `g` is the geometry of the metadata. */
export const activeDisk = (m: Metadata, g: Geometry): Disk => ({
  g,
  size: Number(presentedSize(m.header)),
  l1TableOffset: Number(m.header.l1TableOffset),
  l1Size: m.header.l1Size,
  compressionType: compressionType(m.header),
  encrypted: m.header.cryptMethod !== 0
})

/** The disk of a snapshot, of its own size; refused where its L1 table cannot be. @see SNAP-01, SNAP-02 and SNAP-07 */
export const snapshotDisk = (m: Metadata, g: Geometry, s: SnapshotEntry): E.Either<readonly Issue[], Disk> => {
  const bad = judgeSnapshot(s, g).filter((c) => c.field === 'l1_table_offset' || c.field === 'l1_size')
  return bad.length > 0
    ? E.left(bad.map((c) => issue(c, s)))
    : E.right({
        ...activeDisk(m, g),
        size: Number(snapshotDiskSize(s, m.header.size)),
        l1TableOffset: Number(s.l1TableOffset),
        l1Size: s.l1Size
      })
}

/**
 * A stretch of guest bytes of one kind.
 *
 * - `data`: in the file at `host`
 * - `compressed`: a whole cluster, from the payload of at most `available` bytes at `host`
 * - `zero`: zeros; `host` is space that is kept
 * - `absent`: from the backing file, or zeros; `host` is space that is kept
 */
export interface Extent {
  readonly kind: 'data' | 'compressed' | 'zero' | 'absent'
  /** Guest offset in bytes. */
  readonly start: number
  readonly length: number
  /** Host offset in bytes, in the image file or the external data file. */
  readonly host?: number
  /** Most bytes of a compressed payload. */
  readonly available?: number
}

const broken = (
  clause: Issue['clause'],
  structure: string,
  at: number,
  found: string,
  expected: string
): readonly Issue[] => [
  issue({ clause, phase: 'invalid', source: 'both', structure, field: '', at, size: 8, found, expected })
]

const joins = (a: Extent, b: Extent): boolean =>
  a.kind === b.kind &&
  a.kind !== 'compressed' &&
  a.start + a.length === b.start &&
  (a.host === undefined ? b.host === undefined : a.host + a.length === b.host)

const subclusterKinds: Readonly<
  Record<Exclude<Subcluster, 'invalid' | 'compressed'>, Pick<Extent, 'kind'> & { readonly placed: boolean }>
> = {
  data: { kind: 'data', placed: true },
  'zero-allocated': { kind: 'zero', placed: true },
  'zero-plain': { kind: 'zero', placed: false },
  'unallocated-allocated': { kind: 'absent', placed: true },
  'unallocated-plain': { kind: 'absent', placed: false }
}

/** One L2 table and what its entries are read with. */
interface Table {
  readonly disk: Disk
  readonly view: L2View
  readonly at: number
}

const entryAt = (t: Table, i: number): number => t.at + i * l2EntrySize(t.disk.g)

/** The extents of the `n` clusters of one run from entry `i` on, which starts at guest byte `start`. */
function* clusterExtents(t: Table, i: number, n: number, start: number): Plan<readonly Extent[]> {
  const { g } = t.disk
  const size = clusterSize(g)
  const kind = t.view.kind(i)
  if (kind === clusterKind.Compressed) {
    if (g.externalDataFile)
      return yield* failWith(
        broken('DATA-05', 'L2 entry', entryAt(t, i), 'a compressed cluster', 'none with an external data file')
      )
    const host = t.view.hostOffset(i)
    const available = availableBytes({ hostOffset: BigInt(host % 512), additionalSectors: t.view.additionalSectors(i) })
    return [{ kind: 'compressed', start, length: size, host, available }]
  }
  const host = t.view.hostClusterOffset(i)
  const zero = kind === clusterKind.ZeroPlain || kind === clusterKind.ZeroAllocated
  if (zero && g.version === 2)
    return yield* failWith(broken('L2-05', 'L2 entry', entryAt(t, i), 'the zero flag', 'none in a version 2 image'))
  if (kind !== clusterKind.Unallocated && host % size !== 0)
    return yield* failWith(
      broken('L2-02', 'L2 entry', entryAt(t, i), `0x${host.toString(16)}`, 'a multiple of the cluster size')
    )
  if (g.externalDataFile && kind !== clusterKind.Unallocated && kind !== clusterKind.ZeroPlain && host !== start)
    return yield* failWith(
      broken(
        'DATA-04',
        'L2 entry',
        entryAt(t, i),
        `0x${host.toString(16)}`,
        `the guest offset, 0x${start.toString(16)}`
      )
    )
  if (g.extendedL2) return yield* subclusterExtents(t, i, start, host)
  if (kind === clusterKind.Normal) return [{ kind: 'data', start, length: n * size, host }]
  return [
    { kind: zero ? 'zero' : 'absent', start, length: n * size, ...(kind === clusterKind.ZeroAllocated ? { host } : {}) }
  ]
}

function* subclusterExtents(t: Table, i: number, start: number, host: number): Plan<readonly Extent[]> {
  const entry = t.view.entry(i)
  const length = clusterSize(t.disk.g) / subclusters
  const states = Array.from({ length: subclusters }, (_, x) => subclusterAt(entry, x))
  if (states.includes('invalid'))
    return yield* failWith(
      broken('SUB-04', 'L2 entry', entryAt(t, i) + 8, 'an invalid subcluster', 'a bitmap without one')
    )
  return states.flatMap((state, x): readonly Extent[] => {
    if (state === 'invalid' || state === 'compressed') return []
    const { kind, placed } = subclusterKinds[state]
    return [{ kind, start: start + x * length, length, ...(placed ? { host: host + x * length } : {}) }]
  })
}

/** The L2 table behind entry `i` of an L1 table; `undefined` where there is none. */
function* l2Table(disk: Disk, i: number): Plan<Table | undefined> {
  if (i >= disk.l1Size) return undefined
  const at = disk.l1TableOffset + 8 * i
  const l2 = new L1View(yield* readAt(at, 8)).l2TableOffset(0)
  if (l2 === 0) return undefined
  if (l2 % clusterSize(disk.g) !== 0)
    return yield* failWith(
      broken('L1-05', 'L1 table entry', at, `0x${l2.toString(16)}`, 'a multiple of the cluster size')
    )
  return { disk, view: new L2View(yield* readAt(l2, clusterSize(disk.g)), disk.g), at: l2 }
}

/** An extent cut to `[from, to)`. A compressed cluster keeps its whole length. */
export const cut = (e: Extent, from: number, to: number): Extent => {
  if (e.kind === 'compressed' || (e.start >= from && e.start + e.length <= to)) return e
  const start = Math.max(e.start, from)
  const length = Math.min(e.start + e.length, to) - start
  return { ...e, start, length, ...(e.host === undefined ? {} : { host: e.host + start - e.start }) }
}

/**
 * Tells the extents of guest bytes `[from, to)` of a disk, in order and without gaps, neighbours of one kind joined.
 * Fails at the first entry that cannot be followed, by clause and byte offset.
 *
 * @see RD-01 and RD-06
 */
export function* extents(disk: Disk, from: number, to: number): Plan<void, Extent> {
  const coverage = l1Coverage(disk.g)
  const size = clusterSize(disk.g)
  let open: Extent | undefined
  for (let i1 = Math.floor(from / coverage); i1 * coverage < to; i1++) {
    const table = yield* l2Table(disk, i1)
    const base = i1 * coverage
    const first = Math.max(0, Math.floor((from - base) / size))
    const last = table === undefined ? first + 1 : Math.min(table.view.length, Math.ceil((to - base) / size))
    for (let i = first, n = 1; i < last; i += n) {
      n = table?.view.run(i, last) ?? 1
      const found: readonly Extent[] =
        table === undefined
          ? [{ kind: 'absent', start: base, length: coverage }]
          : yield* clusterExtents(table, i, n, base + i * size)
      for (const e of found) {
        const next = cut(e, from, to)
        if (next.length <= 0) continue
        if (open !== undefined && joins(open, next)) open = { ...open, length: open.length + next.length }
        else {
          if (open !== undefined) yield* tell(open)
          open = next
        }
      }
    }
  }
  if (open !== undefined) yield* tell(open)
}
