/** What an image presents: its disk, snapshots and bitmaps, read through its backing files, and its head. */
import type * as E from 'fp-ts/lib/Either.js'
import type { Disk, Snapshot } from '../../spec/disk.js'
import type { Issue } from '../bytes/issue.js'
import { toSomeText } from '../bytes/octets.js'
import { atDepth, failWith, onEmit, orFail, type Plan, runSync } from '../bytes/plan.js'
import { portable } from '../compression/decompress.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import { checkMetadata } from '../image/check/check.js'
import type { CheckReport } from '../image/check/report.js'
import { dirtyRanges } from '../image/guest/bitmap-ranges.js'
import type { Chain, Layer } from '../image/guest/chain.js'
import { activeDisk, type GuestDisk, snapshotDisk } from '../image/guest/extents.js'
import { readGuest } from '../image/guest/read.js'
import { type Metadata, readMetadata, refusal } from '../image/metadata.js'
import { type Files, storeOf, worldOf } from '../store/files.js'
import { type Head, headIn } from './head.js'

/** What an image presents: the disk and, where they are promised too, the head and the disk over other backing files. */
export interface Presented extends Disk {
  readonly head?: Head
  /** The disk over its possible backing file, and without one. */
  readonly over?: Disk
  readonly alone?: Disk
  /** Corruptions of an image that is not whole. */
  readonly wrong?: number
}

/** An image that opens. */
export interface Open {
  readonly m: Metadata
  readonly g: Geometry
}

/** C1: the image opens. */
export function* opening(): Plan<Open> {
  const m = yield* orFail<Metadata>(yield* readMetadata())
  const refused = refusal(m.issues)
  return refused === undefined && m.geometry !== undefined
    ? { m, g: m.geometry }
    : yield* failWith<Open>(refused === undefined ? m.issues : [refused])
}

/** The kind of each backing file of an image, from the top down. */
export type BackingKinds = readonly Layer['_tag'][]

/** A raw backing file. */
export const rawFile: BackingKinds = ['Raw']

/** A disk of an image over the backing files that the images of the chain name; `backing` has the kinds of all. */
export function* chainOf(files: Files, m: Metadata, disk: GuestDisk, backing: BackingKinds = rawFile): Plan<Chain> {
  const layers: Layer[] = []
  let name = m.backingName
  for (const [i, kind] of backing.entries()) {
    if (name === undefined) break
    const depth = i + 1
    name = undefined
    if (kind === 'Raw') layers.push({ _tag: 'Raw', size: storeOf(files, { part: 'image', depth }).length })
    else {
      const below = yield* atDepth(depth, opening())
      layers.push({ _tag: 'Image', disk: activeDisk(below.m, below.g) })
      name = below.m.backingName
    }
  }
  return [{ _tag: 'Image', disk }, ...layers]
}

/** The granules that a bitmap of the image marks. */
export function* dirtyIn(m: Metadata, g: Geometry, b: Metadata['bitmaps'][number]): Plan<ReadonlySet<number>> {
  const granularity = 2 ** b.granularityBits
  const dirty = new Set<number>()
  yield* onEmit(dirtyRanges(m, g, b), function* (range): Plan<void> {
    if (range.dirty)
      for (let at = range.start; at < range.start + range.length; at += granularity)
        dirty.add(Math.floor(at / granularity))
  })
  return dirty
}

/** Whether the image says that it is to be repaired before it is written. @see FEAT-04 and FEAT-05 */
export const isMarked = ({ header }: Metadata): boolean =>
  header.incompatibleFeatures.dirty || header.incompatibleFeatures.corrupt

/** What is wrong with an image, but for copied flags; what it counts does not matter where it is marked. */
export const faultsIn = ({ metadata, findings }: CheckReport): CheckReport['findings'] =>
  isMarked(metadata)
    ? []
    : findings.filter((f) => f.severity === 'error' || (f.severity === 'corruption' && f.field !== 'copied'))

/** Everything that an image promises, over backing files of these kinds. */
function* presentation(files: Files, backing: BackingKinds): Plan<Presented> {
  const open = yield* opening()
  const { m, g } = open
  const disk = activeDisk(m, g)
  const seen = function* (of: GuestDisk): Plan<Uint8Array> {
    return yield* readGuest(yield* chainOf(files, m, of, backing), 0, of.size, portable)
  }
  const snapshots: Snapshot[] = []
  for (const s of m.snapshots)
    snapshots.push({
      id: toSomeText(s.id),
      name: toSomeText(s.name),
      content: yield* seen(yield* orFail(snapshotDisk(m, g, s)))
    })
  const bitmaps: Disk['bitmaps'][number][] = []
  if (m.header.autoclearFeatures.bitmaps)
    for (const b of m.bitmaps.filter(({ flags }) => !flags.inUse))
      bitmaps.push({
        name: toSomeText(b.name),
        granularity: 2 ** b.granularityBits,
        enabled: b.flags.auto,
        dirty: yield* dirtyIn(m, g, b)
      })
  const report = yield* orFail(yield* checkMetadata(m, storeOf(files, { part: 'image', depth: 0 }).length))
  return {
    traits: {
      version: m.header.version === 2 ? 2 : 3,
      grain: clusterSize(g),
      dataFile: g.externalDataFile,
      backingSize: storeOf(files, { part: 'image', depth: 1 }).length
    },
    content: yield* seen(disk),
    snapshots,
    bitmaps,
    head: headIn(m),
    wrong: faultsIn(report).length
  }
}

/** What the image in the files presents, or why it cannot be read. */
export const presentedIn = (files: Files, backing: BackingKinds): E.Either<readonly Issue[], Presented> =>
  runSync(
    presentation(files, backing),
    worldOf<never>(files, () => undefined)
  )
