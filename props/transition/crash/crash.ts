/** Crashes: the search for a state in which a promise is broken, wherever the power fails and whatever reaches the disk. */
import * as E from 'fp-ts/lib/Either.js'
import { equal } from '../../../src/bytes/octets.js'
import { type FileRef, type Plan, runSync } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import { check } from '../../../src/image/check/check.js'
import { activeDisk } from '../../../src/image/guest/extents.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { crashStates, type Effort, type Model, usualEffort } from '../../../src/store/crash.js'
import { type Epoch, epochsOf } from '../../../src/store/epoch.js'
import { apply, type Files, storeOf, worldOf } from '../../../src/store/files.js'
import { flushesOf, withoutFlushes } from '../../../src/store/reorder.js'
import { toBytes } from '../../../src/store/store.js'
import type { OpenOptions } from '../../../src/transition/engine/open.js'
import { repair, type Repaired } from '../../../src/transition/repair/repair.js'
import { judging, type Promised, type Verdict } from '../../../src/crash/judge.js'
import { chainOf } from '../../../src/crash/presented.js'
import { countsOf, guestOf } from '../model/machine.js'
import type { Recording } from '../model/recording.js'

/** The value of a plan over the files. */
const run = <A>(files: Files, plan: Plan<A>): A => {
  const result = runSync(
    plan,
    worldOf(files, () => undefined)
  )
  if (E.isRight(result)) return result.right
  throw new Error(result.left.map((i) => i.message).join('; '))
}

const imageLength = (files: Files): number => storeOf(files, { part: 'image', depth: 0 }).length

const layersBehind = (files: Files): OpenOptions['backing'] => {
  const { length } = storeOf(files, { part: 'image', depth: 1 })
  return length > 0 ? [{ _tag: 'Raw', size: length }] : []
}

const repairing = (files: Files): Repaired =>
  run(files, repair({ backing: layersBehind(files), decompressor: portable }, imageLength(files), 'all'))

/** What a guest sees of an image. */
const content = (files: Files): Uint8Array => {
  const m = run(files, readMetadata())
  if (E.isLeft(m) || m.right.geometry === undefined) throw new Error('no metadata')
  const disk = activeDisk(m.right, m.right.geometry)
  return run(files, readGuest(run(files, chainOf(files, m.right, disk)), 0, disk.size, portable))
}

/** Whether nothing at all is wrong: no leak, no flag, no bit. */
const isWell = (files: Files): boolean => {
  const report = run(files, check(imageLength(files)))
  return (
    E.isRight(report) &&
    report.right.corruptions + report.right.leaks + report.right.checkErrors === 0 &&
    !report.right.metadata.header.incompatibleFeatures.dirty
  )
}

/** C6 and C7: a repair leaves nothing wrong and what the guest sees, does nothing the second time, and may itself be cut short. */
export const unrepaired = (files: Files, model: Model): string | undefined => {
  try {
    const { writes } = repairing(files)
    const after = apply(writes)(files)
    const was = content(files)
    if (!isWell(after)) return 'C6: something is wrong after a repair'
    if (!equal(was, content(after))) return 'C6: a repair changes what the guest sees'
    if (repairing(after).writes.length > 0) return 'C7: a second repair writes again'
    for (const epoch of epochsOf(files, writes))
      for (const state of crashStates(model, epoch, { exhaustive: 32, sample: 8, seed: 1 })) {
        if (!equal(was, content(state.files))) return 'C7: a repair cut short changes what the guest sees'
        const again = apply(repairing(state.files).writes)(state.files)
        if (!isWell(again) || !equal(was, content(again))) return 'C7: a repair cut short cannot be done again'
      }
    return undefined
  } catch (error) {
    return `C6: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** What an exploration has seen. */
export interface Seen {
  readonly epochs: number
  readonly states: number
  /** States in which clusters leak. */
  readonly leaking: number
  /** States that were repaired. */
  readonly repaired: number
  /** States that the reference judged too. */
  readonly referred: number
  readonly violations: number
  /** The first promise broken. */
  readonly first?: string
}

/** Nothing seen yet. */
export const nobody: Seen = { epochs: 0, states: 0, leaking: 0, repaired: 0, referred: 0, violations: 0 }

/** The sum of two. */
export const both = (a: Seen, b: Seen): Seen => ({
  epochs: a.epochs + b.epochs,
  states: a.states + b.states,
  leaking: a.leaking + b.leaking,
  repaired: a.repaired + b.repaired,
  referred: a.referred + b.referred,
  violations: a.violations + b.violations,
  ...((a.first ?? b.first) === undefined ? {} : { first: a.first ?? b.first ?? '' })
})

/** One state in so many is repaired. */
const repairEvery = 64

/** One state in so many is read and counted by the reference too. */
const referenceEvery = 16

/** How the reference sees a state in another way. */
const unlikeReference = (
  files: Files,
  { content: found, report }: NonNullable<Verdict['seen']>
): string | undefined => {
  const bytesOf = (file: FileRef): Uint8Array => toBytes(storeOf(files, file))
  const all = {
    image: bytesOf({ part: 'image', depth: 0 }),
    data: bytesOf({ part: 'data', depth: 0 }),
    backing: report.metadata.backingName === undefined ? new Uint8Array(0) : bytesOf({ part: 'image', depth: 1 })
  }
  if (!equal(guestOf(all), found)) return 'C4: the reference reads something else'
  const { corruptions, leaks, checkErrors } = countsOf(all)
  return corruptions === report.corruptions && leaks === report.leaks && checkErrors === report.checkErrors
    ? undefined
    : `C2: the reference counts ${corruptions} corruptions, ${leaks} leaks, ${checkErrors} errors`
}

/** What is written between two flushes, and what is promised meanwhile. */
export interface Stretch {
  readonly epoch: Epoch
  readonly promised: Promised
}

/** The disks that may be seen while the writes from `from` to `to` are under way. */
export const promisedFor = ({ madeBy, disks }: Recording, from: number, to: number, torn: boolean): Promised => {
  const first = (madeBy[from]?.[0] ?? disks.length) - 1
  const last = Math.max(first, ...madeBy.slice(from, to).map(([, end]) => end))
  const [durable, ...later] = disks.slice(first, last + 1)
  if (durable === undefined) throw new Error('a write without a command')
  return { durable, later, torn }
}

/** The stretches of a recording. Where flushes are ignored there is one, which promises what the last flush did. */
export const stretchesOf = (model: Model, recording: Recording): readonly Stretch[] => {
  const { before, writes } = recording
  const starts = [0, ...flushesOf(writes).map((at) => at + 1)]
  const last = starts.at(-1) ?? 0
  if (model === 'P4')
    return epochsOf(before, withoutFlushes(writes)).map((epoch) => ({
      epoch,
      promised: promisedFor(recording, last, writes.length, false)
    }))
  return epochsOf(before, writes).map((epoch, i) => ({
    epoch,
    promised: promisedFor(recording, starts[i] ?? 0, (starts[i + 1] ?? writes.length + 1) - 1, model === 'P3')
  }))
}

/** Visits the crash states of a recording; ends at the first violation where that is enough. */
export const crashes = (model: Model, recording: Recording, effort: Effort = usualEffort, firstOnly = false): Seen => {
  const seen = { epochs: 0, states: 0, leaking: 0, repaired: 0, referred: 0, violations: 0 }
  const broken: string[] = []
  for (const { epoch, promised } of stretchesOf(model, recording)) {
    seen.epochs++
    const judge = judging(promised)
    for (const { files } of crashStates(model, epoch, effort)) {
      const verdict = judge(files)
      seen.states++
      if (verdict.leaks > 0) seen.leaking++
      const sound = model === 'P4' ? undefined : verdict.seen
      const refers = sound !== undefined && seen.states % referenceEvery === 0
      const repairs = sound !== undefined && seen.states % repairEvery === 1
      if (refers) seen.referred++
      if (repairs) seen.repaired++
      const why =
        verdict.broken ??
        (refers ? unlikeReference(files, sound) : undefined) ??
        (repairs ? unrepaired(files, model) : undefined)
      if (why === undefined) continue
      seen.violations++
      broken.push(why)
      if (firstOnly) return { ...seen, first: why }
    }
  }
  return { ...seen, ...(broken[0] === undefined ? {} : { first: broken[0] }) }
}
