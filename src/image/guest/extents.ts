/** Guest disks: a tree of an image, active or a snapshot's, and the extents of its guest bytes. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { failWith, Memory, type Plan, readAt, readInto, emit } from '../../bytes/plan.js'
import type { SectorCipher } from '../../encryption/sectors.js'
import { clusterSize, type Geometry, l1Coverage, l2Entries, l2EntrySize } from '../../format/geometry.js'
import { compressionType } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import { l1OffsetRules } from '../../format/l1.js'
import { dataFileRules, l2ReadRules, l2Sound } from '../../format/l2-rules.js'
import * as limits from '../../format/limits.js'
import { snapshotDiskSize, type SnapshotEntry, snapshotL1Rules } from '../../format/snapshot.js'
import { allSubclusters, type Subcluster, subclusterOf } from '../../format/subcluster.js'
import { clusterKind, L1View, L2View } from '../../format/views.js'
import { Coalescer, neighbours } from '../byte-range.js'
import { type Metadata, snapshotOffset } from '../metadata.js'

/** A guest disk, as the tree of an image maps it. */
export interface GuestDisk {
  readonly g: Geometry
  /** Bytes of the guest disk. */
  readonly size: number
  readonly l1TableOffset: number
  readonly l1Size: number
  /** 0 deflate, 1 zstd. */
  readonly compressionType: number
  /** Whether guest data is encrypted: then it can be mapped, and read only by `decryption`. @see LUKS-08 */
  readonly encrypted: boolean
  /** Decrypts guest data whose key is known. */
  readonly decryption?: Decryption | undefined
  /** Guest offset of its first byte in the tree; 0 unless given. */
  readonly from?: number
}

/** Decryption of the guest data of an image. */
export interface Decryption extends SectorCipher {
  /** Whose offset numbers the sectors: the host's under LUKS, the guest's under AES. @see LUKS-04 and LUKS-05 */
  readonly numberedBy: 'host' | 'guest'
}

/**
 * The disk of the active tree. `g` is the geometry of the metadata.
 *
 * @example
 * import { activeDisk, readMetadata, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * assert.equal(m?.geometry === undefined ? m : activeDisk(m, m.geometry).size, 1048576)
 */
export const activeDisk = (m: Pick<Metadata, 'header'>, g: Geometry): GuestDisk => ({
  g,
  size: Number(presentedSize(m.header)),
  l1TableOffset: Number(m.header.l1TableOffset),
  l1Size: m.header.l1Size,
  compressionType: compressionType(m.header),
  encrypted: m.header.cryptMethod !== 0
})

/**
 * The disk of a snapshot, of its own size; refused where its L1 table cannot be.
 *
 * @see SNAP-01, SNAP-02 and SNAP-07
 * @example
 * import { readMetadata, runSync, snapshotDisk } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * const g = m?.geometry
 * const disks = m === undefined || g === undefined ? m : m.snapshots.map((s) => snapshotDisk(m, g, s))
 * assert.deepEqual(disks, []) // a new image has no snapshots
 */
export const snapshotDisk = (m: Metadata, g: Geometry, s: SnapshotEntry): E.Either<readonly Issue[], GuestDisk> => {
  const bad = snapshotL1Rules.judge(s, g, snapshotOffset(m, s))
  return bad.length > 0
    ? E.left(bad)
    : E.right({
        ...activeDisk(m, g),
        size: Number(snapshotDiskSize(s, m.header.size)),
        l1TableOffset: Number(s.l1TableOffset),
        l1Size: s.l1Size
      })
}

/**
 * Guest bytes of one kind.
 *
 * - `data`: in the file at `host`
 * - `compressed`: a cluster or a part of one, from the payload of at most `available` bytes at `host`
 * - `hole`: zeros of a data cluster, in a hole of the file at `host`
 * - `zero`: zeros; `host` is space that is kept
 * - `absent`: from the backing file, or zeros; `host` is space that is kept
 */
export interface Extent {
  readonly kind: 'data' | 'compressed' | 'hole' | 'zero' | 'absent'
  /** Guest offset in bytes. */
  readonly start: number
  readonly length: number
  /** Host offset in bytes, in the image file or the external data file. */
  readonly host?: number
  /** Most bytes of a compressed payload. */
  readonly available?: number
  /** Bytes of a compressed cluster before this part of it; none unless given. */
  readonly skipped?: number
}

const joins = (a: Extent, b: Extent): boolean =>
  a.kind === b.kind &&
  a.kind !== 'compressed' &&
  a.start + a.length === b.start &&
  (a.host === undefined ? b.host === undefined : a.host + a.length === b.host)

const subclusterKinds: Readonly<Record<Exclude<Subcluster, 'invalid' | 'compressed'>, Extent['kind']>> = {
  data: 'data',
  'zero-allocated': 'zero',
  'zero-plain': 'zero',
  'unallocated-allocated': 'absent',
  'unallocated-plain': 'absent'
}

/** Neighbouring L2 entries, and what they are read with. */
export interface Table {
  readonly disk: GuestDisk
  readonly view: L2View
  /** Host byte of the first of them. */
  readonly at: number
  /** Whether an entry is that of a normal cluster, and breaks no rule by itself. */
  readonly isSound: (view: L2View, i: number) => boolean
}

/** Why entry `i`, which maps guest byte `guest`, cannot be followed, if it cannot. */
export const issuesOf = ({ disk: { g }, view, at, isSound }: Table, i: number, guest: number): readonly Issue[] => {
  const isSuspect =
    g.externalDataFile || (view.kind(i) !== clusterKind.Compressed && !view.isZero(i) && !isSound(view, i))
  if (!isSuspect) return []
  const place = at + i * l2EntrySize(g)
  const issues = l2ReadRules.judge(view.entry(i), g, place)
  const host = view.hostClusterOffset(i)
  return issues.length === 0 && g.externalDataFile && view.isPlaced(i)
    ? dataFileRules.judge({ host, guest }, undefined, place)
    : issues
}

/** How many compressed entries there are from entry `i` on, up to `end`. */
const compressedRun = (view: L2View, i: number, end: number): number => {
  let n = 0
  while (i + n < end && view.kind(i + n) === clusterKind.Compressed) n++
  return n
}

/** The extents of the `n` clusters of one run from entry `i` on, which can be followed and starts at guest byte `start`. */
export const clusterExtents = (
  { view, disk: { g } }: Table,
  i: number,
  n: number,
  start: number
): readonly Extent[] => {
  const size = clusterSize(g)
  const kind = view.kind(i)
  if (kind === clusterKind.Compressed)
    return [
      { kind: 'compressed', start, length: n * size, host: view.hostOffset(i), available: view.availableBytes(i) }
    ]
  if (g.extendedL2) return subclusterExtents(view, i, n, start)
  const host = view.hostClusterOffset(i)
  if (kind === clusterKind.Normal) return [{ kind: 'data', start, length: n * size, host }]
  const zero = kind === clusterKind.ZeroPlain || kind === clusterKind.ZeroAllocated
  return [
    { kind: zero ? 'zero' : 'absent', start, length: n * size, ...(kind === clusterKind.ZeroAllocated ? { host } : {}) }
  ]
}

/** How many subclusters from `x` on have the same bits. */
const sameSubclusters = (allocated: number, zeros: number, x: number): number => {
  const changes = (((allocated ^ (allocated >>> 1)) | (zeros ^ (zeros >>> 1))) & (allSubclusters >>> 1)) >>> x
  return changes === 0 ? limits.subclusters - x : limits.subclusters - Math.clz32(changes & -changes)
}

/** The extents of `n` extended entries: one for each run of subclusters whose bits are the same; of several entries, all are. */
const subclusterExtents = (view: L2View, i: number, n: number, start: number): readonly Extent[] => {
  const [allocated, zeros, placed, host] = [
    view.allocated(i),
    view.zeros(i),
    view.isPlaced(i),
    view.hostClusterOffset(i)
  ]
  const size = (n * 2 ** view.ctx.clusterBits) / limits.subclusters
  const extents: Extent[] = []
  for (let x = 0, same = 0; x < limits.subclusters; x += same) {
    same = sameSubclusters(allocated, zeros, x)
    const state = subclusterOf(placed, ((allocated >>> x) & 1) === 1, ((zeros >>> x) & 1) === 1)
    if (state === 'invalid') continue
    const extent = { kind: subclusterKinds[state], start: start + x * size, length: same * size }
    extents.push(placed ? { ...extent, host: host + x * size } : extent)
  }
  return extents
}

/** L1 entries that one request reads. */
export const l1Piece = 2 ** 13

/** The L2 table offsets of entries `first` up to `end` of an L1 table. */
function* l2Offsets(disk: GuestDisk, first: number, end: number): Plan<(i: number) => number> {
  const view = new L1View(yield* readAt(disk.l1TableOffset + 8 * first, 8 * (end - first)))
  return (i) => view.l2TableOffset(i - first)
}

/** Why L1 entry `i1`, which names an L2 table at host byte `offset`, cannot be followed, if it cannot. @see L1-05 */
export const l1IssuesOf = ({ g, l1TableOffset }: GuestDisk, i1: number, offset: number): readonly Issue[] =>
  offset % clusterSize(g) === 0 ? [] : l1OffsetRules.judge({ l2TableOffset: BigInt(offset) }, g, l1TableOffset + 8 * i1)

/** How many entries from `i` up to `end` have no L2 table. */
const emptyEntries = (offsetAt: (i: number) => number, i: number, end: number): number => {
  let n = 0
  while (i + n < end && offsetAt(i + n) === 0) n++
  return n
}

/** An extent cut to `[from, to)`. A compressed cluster keeps its payload. */
export const cut = (e: Extent, from: number, to: number): Extent => {
  if (e.start >= from && e.start + e.length <= to) return e
  const start = Math.max(e.start, from)
  const length = Math.min(e.start + e.length, to) - start
  if (e.kind === 'compressed') return { ...e, start, length, skipped: (e.skipped ?? 0) + start - e.start }
  return { ...e, start, length, ...(e.host === undefined ? {} : { host: e.host + start - e.start }) }
}

/** A walk over the extents of a disk that touch guest bytes `[from, to)`; neighbours of one kind are joined. */
interface Walk {
  readonly disk: GuestDisk
  readonly from: number
  readonly to: number
  readonly joined: Coalescer<Extent>
  /** Of the L2 tables. */
  readonly memory: Memory
  /** Whether neighbouring compressed clusters are one extent, that of the first payload. */
  readonly joinsCompressed: boolean
}

/** Adds the next extent; returns what is complete with it. */
const pushNext = ({ from, to, joined }: Walk, e: Extent): Extent | undefined => {
  const next = cut(e, from, to)
  return next.length > 0 ? joined.push(next) : undefined
}

function* emitNext(walk: Walk, e: Extent): Plan<void, Extent> {
  const done = pushNext(walk, e)
  if (done !== undefined) yield* emit(done)
}

/** The extents of the `n` L2 tables of L1 entries from `i1` on, which are neighbours from host byte `at` on: one run of entries. */
function* tableExtents(walk: Walk, i1: number, n: number, at: number): Plan<void, Extent> {
  const { disk, from, to } = walk
  const [size, stride] = [clusterSize(disk.g), l2EntrySize(disk.g)]
  const unfollowed = l1IssuesOf(disk, i1, at)
  if (unfollowed.length > 0) return yield* failWith(unfollowed)
  const base = i1 * l1Coverage(disk.g)
  const first = Math.max(0, Math.floor((from - base) / size))
  const end = Math.min(n * l2Entries(disk.g), Math.ceil((to - base) / size))
  const start = at + first * stride
  const view = new L2View(yield* readInto(walk.memory, start, (end - first) * stride), disk.g)
  const table = { disk, view, at: start, isSound: l2Sound(disk.g) }
  for (let i = 0, run = 1; i < view.length; i += run) {
    run = walk.joinsCompressed ? Math.max(1, compressedRun(view, i, view.length)) : 1
    if (run === 1) run = view.run(i, view.length)
    const guest = base + (first + i) * size
    const issues = issuesOf(table, i, guest)
    if (issues.length > 0) return yield* failWith(issues)
    for (const e of clusterExtents(table, i, run, guest)) {
      const done = pushNext(walk, e)
      if (done !== undefined) yield { _tag: 'Emit', what: done }
    }
  }
}

/**
 * Emits the extents of guest bytes `[from, to)` of a disk, in order and without gaps, neighbours of one kind joined.
 * Fails at the first entry that cannot be followed, by clause and byte offset. L1 entries are read many at a time, and so
 * are L2 tables that are adjacent in the file. What an L1 table has no entry for is absent, and one that no image may have
 * is followed as far as one may go, so that a walk ends soon whatever the metadata says.
 *
 * @param memory that of the L2 tables; walks of which one ends before the next begins may share it
 * @param joinsCompressed whether neighbouring compressed clusters are one extent, which cannot be read, of the first payload
 * @see RD-01 and RD-06
 * @example
 * import { activeDisk, extents, readMetadata, runSync, type Extent } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * const found: Extent[] = []
 * if (m?.geometry !== undefined)
 *   runSync(extents(activeDisk(m, m.geometry), 0, 65536), worldOf(files, (e: Extent) => found.push(e)))
 * assert.deepEqual(found, [{ kind: 'absent', start: 0, length: 65536 }])
 */
export function* extents(
  disk: GuestDisk,
  from: number,
  to: number,
  memory: Memory = new Memory(),
  joinsCompressed = false
): Plan<void, Extent> {
  const [coverage, size] = [l1Coverage(disk.g), clusterSize(disk.g)]
  const walk = {
    disk,
    from,
    to,
    joined: new Coalescer<Extent>(joins),
    memory,
    joinsCompressed: joinsCompressed && !disk.g.externalDataFile
  }
  const entries = Math.min(disk.l1Size, limits.maxL1Entries)
  const last = from < to ? Math.min(entries, Math.ceil(to / coverage)) : 0
  for (let first = Math.floor(from / coverage); first < last; first += l1Piece) {
    const end = Math.min(last, first + l1Piece)
    const offsetAt = yield* l2Offsets(disk, first, end)
    for (let i = first, n = 0; i < end; i += n) {
      n = emptyEntries(offsetAt, i, end)
      if (n > 0) yield* emitNext(walk, { kind: 'absent', start: i * coverage, length: n * coverage })
      else {
        n = neighbours(offsetAt, i, end, size)
        yield* tableExtents(walk, i, n, offsetAt(i))
      }
    }
  }
  const mapped = Math.max(from, last * coverage)
  if (mapped < to) yield* emitNext(walk, { kind: 'absent', start: mapped, length: to - mapped })
  const done = walk.joined.last()
  if (done !== undefined) yield* emit(done)
}
