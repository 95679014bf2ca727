/** Targets that write: every command and both repairs end in writes that a file can hold and that do what was promised. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../src/bytes/host-write.js'
import { equal } from '../../src/bytes/octets.js'
import { native } from '../../src/node/compression/native.js'
import { clusterSize, type Geometry, l1Coverage } from '../../src/format/geometry.js'
import { activeDisk } from '../../src/image/guest/extents.js'
import { readGuest } from '../../src/image/guest/read.js'
import { type AnyCommand, step } from '../../src/transition/command.js'
import type { WritableImage } from '../../src/transition/engine/command-state.js'
import { open, type OpenOptions } from '../../src/transition/engine/open.js'
import { repair } from '../../src/transition/repair/repair.js'
import { type Files, perform } from '../transition/model/machine.js'
import { drawnCommand } from './commands.js'
import { checked, openedMetadata } from './reading.js'
import { chainOver, findUnless, layersBelow, linear, runWithin, type Scene } from './scene.js'

/** Most bytes of a file that is written to in memory. */
const mostFile = 2 ** 24

const endOf = (w: HostWrite): number =>
  w._tag === 'Flush' ? 0 : w._tag === 'Truncate' ? w.length : w.at + (w._tag === 'Write' ? w.bytes.length : w.length)

/**
 * The files after some writes, which a file holds and whose size is in proportion to the image and to the `disk` that is
 * asked for, in bytes; none where they reach too far for memory.
 */
const after = (files: Files, g: Geometry, writes: readonly HostWrite[], disk = 0): Files | undefined => {
  let bytes = 0
  for (const w of writes) {
    const at = w._tag === 'Write' || w._tag === 'Punch' ? w.at : 0
    findUnless(Number.isSafeInteger(at) && at >= 0 && Number.isSafeInteger(endOf(w)), () => `${w._tag} at byte ${at}`)
    if (w._tag === 'Write') bytes += w.bytes.length
  }
  const most = 2 ** 20 + 64 * clusterSize(g) + 64 * files.image.length + 16 * Math.ceil(disk / l1Coverage(g))
  findUnless(bytes <= most, () => `${bytes} bytes written, more than ${most}`)
  return writes.every((w) => endOf(w) <= mostFile) ? perform(files, writes) : undefined
}

/** Most guest bytes that are compared. */
const mostGuest = 2 ** 15

/** The first guest bytes; none where they cannot be read. */
const guestOf = (files: Files): Uint8Array | undefined => {
  const m = openedMetadata(files)
  if (m?.geometry === undefined) return undefined
  const disk = activeDisk(m, m.geometry)
  const length = Math.min(disk.size, mostGuest)
  const read = runWithin(files, linear(files), readGuest(chainOver(m, disk), 0, length, native))
  return E.isRight(read) ? read.right : undefined
}

/** Whether a check finds nothing at all, and no metadata breaks a rule. */
const isSound = (files: Files): boolean => {
  const report = checked(files)
  return report?.findings.length === 0 && report.metadata.issues.length === 0
}

/** The bytes of `before` after a command, as far as the disk keeps them; none where nothing is promised of them. */
const expected = (before: Uint8Array, command: AnyCommand): Uint8Array | undefined => {
  switch (command._tag) {
    case 'Write':
    case 'WriteCompressed':
    case 'WriteZeroes': {
      const out = before.slice()
      const bytes = 'bytes' in command ? command.bytes : new Uint8Array(command.length)
      if (command.at < out.length) out.set(bytes.subarray(0, out.length - command.at), command.at)
      return out
    }
    case 'Resize':
      return before.subarray(0, Math.min(before.length, command.size))
    case 'Discard':
    case 'SnapshotApply':
    case 'Rebase':
    case 'MakeEmpty':
      return undefined
    default:
      return before
  }
}

const optionsFor = (files: Files): OpenOptions => {
  const m = openedMetadata(files, ['OPEN-14', 'OPEN-29'])
  return { backing: m === undefined ? [] : layersBelow(m), decompressor: native }
}

/** Opening for writing, and the writes of that. */
const opened = (files: Files): { readonly files: Files; readonly next: WritableImage } | undefined => {
  const first = runWithin(files, linear(files), open(optionsFor(files)))
  if (E.isLeft(first)) return undefined
  const { next, writes } = first.right
  const now = after(files, next.g, writes)
  return now === undefined ? undefined : { files: now, next }
}

/** A command of any kind. A sound image is sound after it, and its guest disk what the command says; every image can be opened again. */
export const transition = ({ files: first, random }: Scene): void => {
  const before = opened(first)
  if (before === undefined) return
  const { files, next } = before
  const command = drawnCommand(next, random)
  const done = runWithin(files, linear(files), step(next, command))
  if (E.isLeft(done)) return
  const now = after(files, next.g, done.right.writes, command._tag === 'Resize' ? command.size : 0)
  if (now === undefined || !isSound(files)) return
  const report = checked(now)
  const reason = report?.findings.find(({ severity }) => severity !== 'note')?.message ?? 'it is refused'
  const isKept = report !== undefined && exitIsClean(report)
  findUnless(isKept, () => `${command._tag} leaves a sound image that is not: ${reason}`)
  findUnless(opened(now) !== undefined, () => `${command._tag} leaves an image that cannot be opened`)
  const old = guestOf(files)
  const wanted = old === undefined ? undefined : expected(old, command)
  if (wanted === undefined) return
  const found = guestOf(now)
  const isSame = found !== undefined && equal(found.subarray(0, wanted.length), wanted)
  findUnless(isSame, () => `${command._tag} changes other guest bytes`)
}

const exitIsClean = (t: {
  readonly corruptions: number
  readonly leaks: number
  readonly checkErrors: number
}): boolean => t.corruptions === 0 && t.leaks === 0 && t.checkErrors === 0

/** A repair: what it says is left, a check finds; after one that leaves nothing a second has nothing to do; the guest disk stays. */
export const repairing = ({ files, random }: Scene): void => {
  const mode = random.below(2) === 0 ? 'leaks' : 'all'
  const done = runWithin(files, linear(files), repair(optionsFor(files), files.image.length, mode))
  if (E.isLeft(done)) return
  const { next, writes, after: left } = done.right
  const now = after(files, next.g, writes)
  if (now === undefined) return
  const report = checked(now)
  findUnless(report !== undefined || mode === 'leaks', () => 'repair all leaves an image that is refused')
  if (report === undefined) return
  for (const count of ['corruptions', 'leaks', 'checkErrors'] as const) {
    const [said, found] = [left[count], report[count]]
    findUnless(found <= said, () => `repair ${mode} says ${said} ${count}, and a check finds more: ${found}`)
    findUnless(found >= said, () => `repair ${mode} says ${said} ${count}, and a check finds fewer: ${found}`)
  }
  if (exitIsClean(left)) {
    const again = runWithin(now, linear(now), repair(optionsFor(now), now.image.length, mode))
    const rest = E.isRight(again) ? again.right.writes.filter(({ _tag }) => _tag === 'Write').length : 0
    findUnless(E.isRight(again) && rest === 0, () => `a second repair ${mode} is refused, or writes ${rest} times`)
  }
  // A table that is guest data as well changes with it.
  const old = report.flaws === 0 ? guestOf(files) : undefined
  if (old === undefined) return
  const kept = guestOf(now)
  findUnless(kept !== undefined && equal(old, kept), () => `repair ${mode} changes guest bytes`)
}
