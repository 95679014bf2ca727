/** Judging a crash: what must hold of an image wherever the power fails. */
import * as E from 'fp-ts/lib/Either.js'
import type { Bitmap, Disk } from '../../spec/disk.js'
import { type Plan, runSync, telling } from '../../src/bytes/plan.js'
import { portable } from '../../src/compression/decompress.js'
import type { Geometry } from '../../src/format/geometry.js'
import { dirtyRanges } from '../../src/image/bitmap-ranges.js'
import type { Chain } from '../../src/image/chain.js'
import { check } from '../../src/image/check.js'
import { activeDisk, snapshotDisk } from '../../src/image/disk.js'
import { type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { readGuest } from '../../src/image/read.js'
import { type Files, storeOf, worldOf } from '../../src/store/files.js'

/** What may be seen after a crash: the disk as the last durable command left it, and as any later command may have. */
export interface Promised {
  readonly durable: Disk
  readonly later: readonly Disk[]
  /** Whether a sector may be torn, so that old and new meet within it. */
  readonly torn: boolean
}

/** What a plan comes to over the files. */
export const run = <A>(files: Files, plan: Plan<A>): A => {
  const result = runSync(
    plan,
    worldOf(files, () => undefined)
  )
  if (E.isRight(result)) return result.right
  throw new Error(result.left.map((i) => i.message).join('; '))
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** C3 and C4: every piece of the disk is as the last durable command left it, or as a later one did. */
const unpromised = (found: Uint8Array, { durable, later, torn }: Promised): string | undefined => {
  const disks = [durable, ...later]
  if (disks.some((d) => same(found, d.content))) return undefined
  if (!disks.some((d) => d.content.length === found.length)) return `the disk has ${found.length} bytes`
  const piece = torn ? 8 : 512
  for (let at = 0; at < found.length; at += piece) {
    const part = found.subarray(at, at + piece)
    const known = disks.some((d) => {
      return same(part, d.content.subarray(at, at + piece))
    })
    if (!known) return `guest bytes ${at} to ${at + piece} are neither old nor new`
  }
  return undefined
}

/** The disk over what is behind it. */
export const chainOf = (files: Files, disk: ReturnType<typeof activeDisk>): Chain => {
  const below = storeOf(files, { part: 'image', depth: 1 })
  return [{ _tag: 'Image', disk }, ...(below.length > 0 ? [{ _tag: 'Raw' as const, size: below.length }] : [])]
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** C5: the snapshots that were durable and were not deleted are there, and every snapshot reads as it was taken. */
const unlikeSnapshot = (files: Files, m: Metadata, promise: Promised): string | undefined => {
  const versions = [promise.durable, ...promise.later]
  const known = versions.flatMap((d) => d.snapshots)
  const lost = promise.durable.snapshots.find(
    (s) =>
      promise.later.every((d) => d.snapshots.some((other) => other.id === s.id)) &&
      !m.snapshots.some((found) => text(found.id) === s.id)
  )
  if (lost !== undefined) return `snapshot ${lost.id} is lost`
  for (const s of m.snapshots) {
    if (m.geometry === undefined) return 'no geometry'
    const disk = snapshotDisk(m, m.geometry, s)
    if (E.isLeft(disk)) return `snapshot ${text(s.id)} cannot be read`
    const content = run(files, readGuest(chainOf(files, disk.right), 0, disk.right.size, portable))
    if (!known.some((k) => k.id === text(s.id) && k.name === text(s.name) && same(k.content, content)))
      return `snapshot ${text(s.id)} is not what it was`
  }
  return undefined
}

/** The granules that a bitmap of the image marks. */
const dirtyIn = (files: Files, m: Metadata, g: Geometry, b: Metadata['bitmaps'][number]): ReadonlySet<number> => {
  const granularity = 2 ** b.granularityBits
  const dirty = new Set<number>()
  run(
    files,
    telling(dirtyRanges(m, g, b), function* (range): Plan<void> {
      if (range.dirty)
        for (let at = range.start; at < range.start + range.length; at += granularity)
          dirty.add(Math.floor(at / granularity))
    })
  )
  return dirty
}

/** Whether guest bytes from `at` on, a sector of a granule, look like those of a disk whose bitmap has the granule clean, or of none. */
const mayBeClean = (found: Uint8Array, name: string, granule: number, at: number, disks: readonly Disk[]): boolean => {
  const sector = found.subarray(at, at + 512)
  const alike = disks.filter((d) => same(sector, d.content.subarray(at, at + 512)))
  const named = (d: Disk): Bitmap | undefined => d.bitmaps.find((b) => b.name === name)
  return alike.length === 0 || alike.some((d) => named(d)?.dirty.has(granule) !== true)
}

/** C9: where bitmaps are to be trusted, none that was durable is lost, and each marks what is not as it was when it was clean. */
const unlikeBitmap = (
  files: Files,
  m: Metadata,
  g: Geometry,
  found: Uint8Array,
  { durable, later }: Promised
): string | undefined => {
  if (!m.header.autoclearFeatures.bitmaps) return undefined
  const disks = [durable, ...later]
  const lost = durable.bitmaps.find(
    ({ name }) =>
      later.every((d) => d.bitmaps.some((b) => b.name === name)) && !m.bitmaps.some((b) => text(b.name) === name)
  )
  if (lost !== undefined) return `bitmap ${lost.name} is lost`
  for (const b of m.bitmaps.filter(({ flags }) => !flags.inUse)) {
    const name = text(b.name)
    if (!disks.some((d) => d.bitmaps.some((known) => known.name === name))) return `nobody added bitmap ${name}`
    const dirty = dirtyIn(files, m, g, b)
    for (let at = 0; at < found.length; at += 512) {
      const granule = Math.floor(at / 2 ** b.granularityBits)
      if (!dirty.has(granule) && !mayBeClean(found, name, granule, at, disks))
        return `bitmap ${name} does not mark guest bytes ${at} to ${at + 512}, which have changed`
    }
  }
  return undefined
}

/** What a state was found to be: the clusters that leak, and the promise it breaks if it breaks one. */
export interface Verdict {
  readonly leaks: number
  readonly broken?: string
}

/** Holds a state against C1 to C5, C8 and C9. */
export const judge = (files: Files, promise: Promised): Verdict => {
  try {
    const metadata = run(files, readMetadata())
    if (E.isLeft(metadata)) return { leaks: 0, broken: `C1: ${metadata.left.map((i) => i.message).join('; ')}` }
    const m = metadata.right
    const refused = refusal(m.issues)
    if (refused !== undefined || m.geometry === undefined)
      return { leaks: 0, broken: `C1: ${refused?.message ?? 'no geometry'}` }
    const disk = activeDisk(m, m.geometry)
    const content = run(files, readGuest(chainOf(files, disk), 0, disk.size, portable))
    const wrong = unpromised(content, promise)
    if (wrong !== undefined) return { leaks: 0, broken: `C3 or C4: ${wrong}` }
    const snapshot = unlikeSnapshot(files, m, promise)
    if (snapshot !== undefined) return { leaks: 0, broken: `C5: ${snapshot}` }
    const bitmap = unlikeBitmap(files, m, m.geometry, content, promise)
    if (bitmap !== undefined) return { leaks: 0, broken: `C9: ${bitmap}` }
    const report = run(files, check(storeOf(files, { part: 'image', depth: 0 }).length))
    if (E.isLeft(report)) return { leaks: 0, broken: `C1: ${report.left.map((i) => i.message).join('; ')}` }
    if (m.header.incompatibleFeatures.dirty) return { leaks: report.right.leaks }
    const bad = report.right.findings.find(
      (f) => f.severity === 'error' || (f.severity === 'corruption' && f.field !== 'copied')
    )
    return { leaks: report.right.leaks, ...(bad === undefined ? {} : { broken: `C2: ${bad.message}` }) }
  } catch (error) {
    return { leaks: 0, broken: `C4: ${error instanceof Error ? error.message : String(error)}` }
  }
}
