/** Crashes: what must hold of an image wherever the power fails, and the search for a state in which it does not. */
import * as E from 'fp-ts/lib/Either.js'
import type { Disk } from '../../spec/disk.js'
import type { Plan } from '../../src/bytes/plan.js'
import { runSync } from '../../src/bytes/plan.js'
import { portable } from '../../src/compression/decompress.js'
import type { Chain } from '../../src/image/chain.js'
import { check } from '../../src/image/check.js'
import { activeDisk, snapshotDisk } from '../../src/image/disk.js'
import { type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { readGuest } from '../../src/image/read.js'
import { crashStates, type Effort, type Model, usualEffort } from '../../src/store/crash.js'
import { epochsOf } from '../../src/store/epoch.js'
import { type Files, storeOf, worldOf } from '../../src/store/files.js'
import { withoutFlushes } from '../../src/store/reorder.js'
import type { Recording } from './recording.js'

/** What may be seen after a crash: the disk as the last durable command left it, and as any later command may have. */
export interface Promised {
  readonly durable: Disk
  readonly later: readonly Disk[]
  /** Whether a sector may be torn, so that old and new meet within it. */
  readonly torn: boolean
}

const nothing = new Uint8Array(0)

const run = <A>(files: Files, plan: Plan<A>): A => {
  const result = runSync(
    plan,
    worldOf(files, () => undefined)
  )
  if (E.isRight(result)) return result.right
  throw new Error(result.left.map((i) => i.message).join('; '))
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** C3 and C4: every piece of the disk is as the last durable command left it, or as a later one did. */
const unpromised = (found: Uint8Array, { durable, later, torn }: Promised): string | undefined => {
  const disks = [durable, ...later]
  if (disks.some((d) => same(found, d.content))) return undefined
  if (!disks.some((d) => d.content.length === found.length)) return `the disk has ${found.length} bytes`
  const piece = torn ? 8 : 512
  for (let at = 0; at < found.length; at += piece) {
    const part = found.subarray(at, at + piece)
    const known = disks.some((d) => {
      const other = d.content.subarray(at, at + piece)
      return same(
        part,
        other.length === part.length ? other : Buffer.concat([other, Buffer.alloc(part.length - other.length)])
      )
    })
    if (!known) return `guest bytes ${at} to ${at + piece} are neither old nor new`
  }
  return undefined
}

const chainOf = (files: Files, disk: ReturnType<typeof activeDisk>): Chain => {
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

/** What a state was found to be: the clusters that leak, and the promise it breaks if it breaks one. */
export interface Verdict {
  readonly leaks: number
  readonly broken?: string
}

/** Holds a state against C1 to C5. */
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

/** What an exploration has seen. */
export interface Seen {
  readonly epochs: number
  readonly states: number
  /** States in which clusters leak. */
  readonly leaking: number
  readonly violations: number
  /** The first promise broken. */
  readonly first?: string
}

const nobody: Seen = { epochs: 0, states: 0, leaking: 0, violations: 0 }

/** The sum of two. */
export const both = (a: Seen, b: Seen): Seen => ({
  epochs: a.epochs + b.epochs,
  states: a.states + b.states,
  leaking: a.leaking + b.leaking,
  violations: a.violations + b.violations,
  ...((a.first ?? b.first) === undefined ? {} : { first: a.first ?? b.first ?? '' })
})

/** Visits the crash states of a recording; ends at the first violation where that is enough. */
export const crashes = (
  model: Model,
  { before, writes, madeBy, disks }: Recording,
  effort: Effort = usualEffort,
  firstOnly = false
): Seen => {
  const made = model === 'P4' ? madeBy.filter((_, i) => writes[i]?._tag !== 'Flush') : madeBy
  const list = model === 'P4' ? withoutFlushes(writes) : writes
  let seen = nobody
  let at = 0
  for (const epoch of epochsOf(before, list)) {
    const end = list.findIndex((w, i) => i >= at && w._tag === 'Flush')
    const next = end < 0 ? list.length : end
    const mine = made.slice(at, next)
    const first = (mine[0] ?? made[next] ?? disks.length) - 1
    const last = mine.at(-1) ?? first
    const promise = {
      durable: disks[first] ?? { ...(disks[0] as Disk) },
      later: disks.slice(first + 1, last + 1),
      torn: model === 'P3'
    }
    const found = { states: 0, leaking: 0, violations: 0, first: undefined as string | undefined }
    for (const state of crashStates(model, epoch, effort)) {
      const verdict = judge(state.files, promise)
      found.states++
      if (verdict.leaks > 0) found.leaking++
      if (verdict.broken !== undefined) {
        found.violations++
        found.first ??= verdict.broken
        if (firstOnly) break
      }
    }
    const { first: why, ...counts } = found
    seen = both(seen, { epochs: 1, ...counts, ...(why === undefined ? {} : { first: why }) })
    if (firstOnly && seen.violations > 0) return seen
    at = next + 1
  }
  return seen
}
