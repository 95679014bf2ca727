/** Judging a crash: what must hold of an image wherever the power fails. */
import * as E from 'fp-ts/lib/Either.js'
import type { Bitmap, Disk } from '../../spec/disk.js'
import { equal, toSomeText } from '../bytes/octets.js'
import { type Plan, readAt } from '../bytes/plan.js'
import type { Issue } from '../bytes/issue.js'
import { portable } from '../compression/decompress.js'
import type { Applied } from '../format/feature.js'
import type { Geometry } from '../format/geometry.js'
import { checkMetadata } from '../image/check/check.js'
import type { CheckReport } from '../image/check/report.js'
import { activeDisk, snapshotDisk } from '../image/guest/extents.js'
import type { Metadata } from '../image/metadata.js'
import { readGuest } from '../image/guest/read.js'
import { type Files, storeOf } from '../store/files.js'
import { headIn, unlikeHead } from './head.js'
import { memoized } from './memoized.js'
import {
  type BackingKinds,
  chainOf,
  dirtyIn,
  faultsIn,
  type Open,
  opening,
  rawFile,
  type Presented
} from './presented.js'

/** The disks that may be seen after a crash: the one that the last durable command left, and that of each later command. */
export interface Promised {
  readonly durable: Presented
  readonly later: readonly Presented[]
  /** Whether a sector may be torn, so that old and new meet within it. */
  readonly torn: boolean
  /** Whether nothing is promised of the bytes of the disk, but that they can be read. */
  readonly anyContent?: boolean
}

/** C3 and C4: every piece of the disk is as the last durable command left it, or as a later one did. */
const unpromised = (found: Uint8Array, { durable, later, torn, anyContent = false }: Promised): string | undefined => {
  if (anyContent) return undefined
  const disks = [durable, ...later]
  if (disks.some((d) => equal(found, d.content))) return undefined
  if (!disks.some((d) => d.content.length === found.length)) return `the disk has ${found.length} bytes`
  const known = (at: number, end: number): boolean => {
    const part = found.subarray(at, end)
    return disks.some((d) => equal(part, d.content.subarray(at, end)))
  }
  for (let sector = 0; sector < found.length; sector += 512) {
    if (known(sector, sector + 512)) continue
    const piece = torn ? 8 : 512
    for (let at = sector; at < sector + 512; at += piece)
      if (!known(at, at + piece)) return `guest bytes ${at} to ${at + piece} are neither old nor new`
  }
  return undefined
}

/** What an image promises that has a backing file, or that has none. */
const promisedOver = (m: Metadata, promised: Promised): Promised => {
  const seen = (d: Presented): Presented => ({ ...d, ...(m.backingName === undefined ? d.alone : d.over) })
  return { ...promised, durable: seen(promised.durable), later: promised.later.map(seen) }
}

/** C1: the first cluster says what some version of the image says, or what a crash between two may leave of both. */
const unlikeHeads = (m: Metadata, { durable, later }: Promised): string | undefined => {
  const heads = [durable, ...later].flatMap(({ head }) => head ?? [])
  const found = heads.length === 0 ? undefined : headIn(m)
  if (found === undefined) return undefined
  const ways = heads.flatMap((old, i) => heads.slice(i).map((now) => unlikeHead(found, old, now)))
  return ways.includes(undefined) ? undefined : ways[0]
}

/** C5: the snapshots that were durable and were not deleted are there, and every snapshot reads as it was taken. */
function* unlikeSnapshot(
  files: Files,
  { m, g }: Open,
  promise: Promised,
  backing: BackingKinds
): Plan<string | undefined> {
  const versions = [promise.durable, ...promise.later]
  const known = versions.flatMap((d) => d.snapshots)
  const lost = promise.durable.snapshots.find(
    (s) =>
      promise.later.every((d) => d.snapshots.some((other) => other.id === s.id)) &&
      !m.snapshots.some((found) => toSomeText(found.id) === s.id)
  )
  if (lost !== undefined) return `snapshot ${lost.id} is lost`
  for (const s of m.snapshots) {
    const disk = snapshotDisk(m, g, s)
    if (E.isLeft(disk)) return `snapshot ${toSomeText(s.id)} cannot be read`
    const content = yield* readGuest(yield* chainOf(files, m, disk.right, backing), 0, disk.right.size, portable)
    if (!known.some((k) => k.id === toSomeText(s.id) && k.name === toSomeText(s.name) && equal(k.content, content)))
      return `snapshot ${toSomeText(s.id)} is not what it was`
  }
  return undefined
}

/** Whether guest bytes from `at` on, a sector of a granule, look like those of a disk whose bitmap has the granule clean, or of none. */
const mayBeClean = (found: Uint8Array, name: string, granule: number, at: number, disks: readonly Disk[]): boolean => {
  const sector = found.subarray(at, at + 512)
  const alike = disks.filter((d) => equal(sector, d.content.subarray(at, at + 512)))
  const named = (d: Disk): Bitmap | undefined => d.bitmaps.find((b) => b.name === name)
  return alike.length === 0 || alike.some((d) => named(d)?.dirty.has(granule) !== true)
}

/** C9: where bitmaps are to be trusted, none that was durable is lost, and each marks what is not as it was when it was clean. */
function* unlikeBitmap(
  m: Metadata,
  g: Geometry,
  found: Uint8Array,
  { durable, later }: Promised
): Plan<string | undefined> {
  if (!m.header.autoclearFeatures.bitmaps) return undefined
  const disks = [durable, ...later]
  const lost = durable.bitmaps.find(
    ({ name }) =>
      later.every((d) => d.bitmaps.some((b) => b.name === name)) && !m.bitmaps.some((b) => toSomeText(b.name) === name)
  )
  if (lost !== undefined) return `bitmap ${lost.name} is lost`
  for (const b of m.bitmaps.filter(({ flags }) => !flags.inUse)) {
    const name = toSomeText(b.name)
    if (!disks.some((d) => d.bitmaps.some((known) => known.name === name))) return `nobody added bitmap ${name}`
    const dirty = yield* dirtyIn(m, g, b)
    for (let at = 0; at < found.length; at += 512) {
      const granule = Math.floor(at / 2 ** b.granularityBits)
      if (!dirty.has(granule) && !mayBeClean(found, name, granule, at, disks))
        return `bitmap ${name} does not mark guest bytes ${at} to ${at + 512}, which have changed`
    }
  }
  return undefined
}

/** DATA-06: an external data file that is the raw disk holds what the guest reads, whoever reads it. */
function* unlikeRaw({ header }: Metadata, _: Geometry, content: Uint8Array): Plan<string | undefined> {
  if (!header.autoclearFeatures.rawExternalData) return undefined
  const raw = yield* readAt(0, content.length, { part: 'data', depth: 0 })
  const at = content.findIndex((byte, i) => byte !== raw[i])
  return at < 0 ? undefined : `byte ${at} of the raw disk is not what the guest reads`
}

/** How a state breaks the promise of an autoclear bit: each bit that a writer applies is one. */
const autoclearPromises: Readonly<Record<Applied<'autoclear', 'writer'>, readonly [string, typeof unlikeBitmap]>> = {
  rawExternalData: ['C3 or C4', unlikeRaw],
  bitmaps: ['C9', unlikeBitmap]
}

/** What a guest sees of a state, and what is wrong with that. */
interface Sight {
  readonly content: Uint8Array
  readonly wrong?: string
}

/** What a state was found to be: the clusters that leak, and the promise it breaks if it breaks one. */
export interface Verdict {
  readonly leaks: number
  readonly broken?: string
  /** What the guest sees and what was counted, where nothing is broken. */
  readonly seen?: { readonly content: Uint8Array; readonly report: CheckReport }
}

/** C3, C4, C5 and C9: what the guest sees is what was promised. */
function* seeing({ m, g }: Open, files: Files, promised: Promised, backing: BackingKinds): Plan<Sight> {
  const promise = promisedOver(m, promised)
  const disk = activeDisk(m, g)
  const content = yield* readGuest(yield* chainOf(files, m, disk, backing), 0, disk.size, portable)
  const broken = (clause: string, why: string | undefined): string | undefined =>
    why === undefined ? undefined : `${clause}: ${why}`
  let wrong = broken('C1', unlikeHeads(m, promise)) ?? broken('C3 or C4', unpromised(content, promise))
  for (const [clause, unlike] of Object.values(autoclearPromises))
    wrong ??= broken(clause, yield* unlike(m, g, content, promise))
  return { content, ...(wrong === undefined ? {} : { wrong }) }
}

/** C2 and C8: the first count that is too low or entry that leads astray, where there are more than there were; those of a dirty image may lag. */
const miscounted = (report: CheckReport, { durable, later }: Promised): string | undefined => {
  const wrong = faultsIn(report)
  const known = Math.max(0, ...[durable, ...later].map((d) => d.wrong ?? 0))
  return wrong.length > known ? wrong[0]?.message : undefined
}

const messages = (issues: readonly Issue[]): string => issues.map((i) => i.message).join('; ')

/**
 * Judges states by C1 to C5, C8 and C9. Many states that differ little cost hardly more than what is new in each; the files
 * have the same order in all, and so have the kinds of the backing files.
 */
export const judging = (promise: Promised, backing: BackingKinds = rawFile): ((files: Files) => Verdict) => {
  const opened = memoized<undefined, Open>(opening)
  const sight = memoized((open: Open, files) => seeing(open, files, promise, backing))
  const snapshots = memoized((open: Open, files) => unlikeSnapshot(files, open, promisedOver(open.m, promise), backing))
  const counted = memoized(({ m }: Open, files) => checkMetadata(m, storeOf(files, { part: 'image', depth: 0 }).length))
  const verdict = (files: Files): Verdict => {
    const broken = (why: string): Verdict => ({ leaks: 0, broken: why })
    const open = opened(undefined, files)
    if (E.isLeft(open)) return broken(`C1: ${messages(open.left)}`)
    const seen = sight(open.right, files)
    if (E.isLeft(seen)) return broken(`C4: ${messages(seen.left)}`)
    const { content, wrong } = seen.right
    if (wrong !== undefined) return broken(wrong)
    const snapshot = snapshots(open.right, files)
    if (E.isLeft(snapshot)) return broken(`C5: ${messages(snapshot.left)}`)
    if (snapshot.right !== undefined) return broken(`C5: ${snapshot.right}`)
    const report = E.flatten(counted(open.right, files))
    if (E.isLeft(report)) return broken(`C1: ${messages(report.left)}`)
    const { leaks } = report.right
    const miscount = miscounted(report.right, promise)
    return {
      leaks,
      ...(miscount === undefined ? { seen: { content, report: report.right } } : { broken: `C2: ${miscount}` })
    }
  }
  return verdict
}

/** Judges one state by them. */
export const judge = (files: Files, promise: Promised): Verdict => judging(promise)(files)
