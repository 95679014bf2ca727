/** Commands: the changes that can be made to an image, and the step of each. */
import type { Command as Guest } from '../../spec/disk.js'
import { flush } from '../bytes/host-write.js'
import type { Plan } from '../bytes/plan.js'
import { amend, type AmendOptions } from './amend/amend.js'
import { recordRange } from './bitmaps/bitmap-data.js'
import { addBitmap, clearBitmap, markBitmap, mergeBitmap, removeBitmap, setEnabled } from './bitmaps/bitmaps.js'
import { writeCompressed } from './guest/compressed.js'
import { makeEmpty } from './guest/drop.js'
import type { CommandState, WritableImage } from './engine/command-state.js'
import { carryOut, type Step } from './engine/finish.js'
import { type NewBacking, rebase } from './amend/rebase.js'
import { resize } from './resize/resize.js'
import { applySnapshot, createSnapshot, deleteSnapshot, type SnapshotTime } from './snapshots/snapshot.js'
import { write, writeVmState } from './guest/write.js'
import { discard, writeZeroes } from './guest/zero.js'

/** Commands of the abstract machine. */
type Of<Tag extends Guest['_tag']> = Guest & { readonly _tag: Tag }

/** A command of the abstract machine, and for a snapshot its time. Offsets and lengths are guest bytes. */
export type Command = Of<Exclude<Guest['_tag'], 'SnapshotCreate'>> | (Of<'SnapshotCreate'> & Partial<SnapshotTime>)

/** A command: one of the abstract machine, or one that changes the image and not its disk. */
export type AnyCommand =
  | Command
  | { readonly _tag: 'Amend'; readonly options: AmendOptions }
  | { readonly _tag: 'Rebase'; readonly backing?: NewBacking }
  | { readonly _tag: 'MakeEmpty' }
  | {
      readonly _tag: 'BitmapMark'
      readonly name: string
      readonly ranges: readonly (readonly [from: number, to: number])[]
    }
  /** Stores bytes that the disk reads already: no bitmap records them. */
  | { readonly _tag: 'Populate'; readonly from: number; readonly bytes: Uint8Array }
  | { readonly _tag: 'WriteVmState'; readonly position: number; readonly bytes: Uint8Array }

function* run(w: CommandState, command: AnyCommand): Plan<void> {
  if ('at' in command && w.image.metadata.bitmaps.length > 0)
    yield* recordRange(w, command.at, 'bytes' in command ? command.bytes.length : command.length)
  switch (command._tag) {
    case 'Write':
      return yield* write(w, command.at, command.bytes)
    case 'WriteCompressed':
      return yield* writeCompressed(w, command.at, command.bytes)
    case 'WriteZeroes':
      return yield* writeZeroes(w, command.at, command.length, command.unmap)
    case 'Discard':
      return yield* discard(w, command.at, command.length)
    case 'Resize':
      return yield* resize(w, command.size, command.preallocation)
    case 'SnapshotCreate':
      return yield* createSnapshot(w, command.name, { seconds: 0, nanoseconds: 0, ...command })
    case 'SnapshotApply':
      return yield* applySnapshot(w, command.name)
    case 'SnapshotDelete':
      return yield* deleteSnapshot(w, command.name)
    case 'BitmapAdd':
      return yield* addBitmap(w, command.name, command.granularity, command.enabled)
    case 'BitmapRemove':
      return yield* removeBitmap(w, command.name)
    case 'BitmapClear':
      return yield* clearBitmap(w, command.name)
    case 'BitmapEnable':
    case 'BitmapDisable':
      return yield* setEnabled(w, command.name, command._tag === 'BitmapEnable')
    case 'BitmapMerge':
      return yield* mergeBitmap(w, command.from, command.name)
    case 'BitmapMark':
      return yield* markBitmap(w, command.name, command.ranges)
    case 'Amend':
      return yield* amend(w, command.options)
    case 'Rebase':
      return yield* rebase(w, command.backing)
    case 'MakeEmpty':
      return yield* makeEmpty(w)
    case 'Populate':
      return yield* command.bytes.every((byte) => byte === 0)
        ? writeZeroes(w, command.from, command.bytes.length, false)
        : write(w, command.from, command.bytes)
    case 'WriteVmState':
      return yield* writeVmState(w, command.position, command.bytes)
    case 'Flush':
      return
  }
}

/**
 * The outcome of a command: the writes to perform, in this order, and the image after them. Fails with the clause that
 * forbids the command, and then nothing is to be written. With `fileSize`, the bytes of the image file before the command,
 * no command cuts a file off past its end.
 *
 * Law: an image that `next` describes is the one that {@link open} finds after the writes.
 *
 * @example
 * import { fromMemory, portable, runSync } from 'qcow2-spec/image'
 * import { create, open, step } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 0, clusterBits: 9 })
 * const [first] = created._tag === 'Right' ? created.right : []
 * const image = first?._tag === 'Write' ? first.bytes : new Uint8Array(0)
 * const resized = runSync(
 *   (function* () {
 *     const { next } = yield* open({ backing: [], decompressor: portable })
 *     return yield* step(next, { _tag: 'Resize', size: 2 ** 20 })
 *   })(),
 *   { read: fromMemory(image) }
 * )
 * assert.equal(resized._tag === 'Right' && resized.right.next.disk.size, 2 ** 20)
 */
export function* step(image: WritableImage, command: AnyCommand, fileSize?: number): Plan<Step> {
  const done = yield* carryOut(image, (w) => run(w, command), fileSize)
  return command._tag === 'Flush' ? { ...done, writes: [flush] } : done
}
