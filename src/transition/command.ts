/** Commands: what can be asked of an image, and the step each of them is. */
import type { Command as Guest } from '../../spec/disk.js'
import { flush } from '../bytes/host-write.js'
import type { Plan } from '../bytes/plan.js'
import { amend, type AmendOptions } from './amend.js'
import { recordRange } from './bitmap-data.js'
import { addBitmap, clearBitmap, mergeBitmap, removeBitmap, setEnabled } from './bitmaps.js'
import { finish, type Step } from './finish.js'
import { type Opened, Work } from './opened.js'
import { type NewBacking, rebase } from './rebase.js'
import { seeing } from './transaction.js'
import { write } from './write.js'

/** A command. Offsets and lengths are guest bytes. */
export type Command =
  | (Guest & { readonly _tag: 'Write' | 'Flush' | `Bitmap${string}` })
  | { readonly _tag: 'Amend'; readonly options: AmendOptions }
  | { readonly _tag: 'Rebase'; readonly backing?: NewBacking }

function* act(w: Work, command: Command): Plan<void> {
  if ('at' in command) yield* recordRange(w, command.at, command.bytes.length)
  switch (command._tag) {
    case 'Write':
      return yield* write(w, command.at, command.bytes)
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
    case 'Amend':
      return yield* amend(w, command.options)
    case 'Rebase':
      return yield* rebase(w, command.backing)
    case 'Flush':
      return
  }
}

function* carryOut(w: Work, command: Command): Plan<Step> {
  yield* act(w, command)
  const { writes, next } = yield* finish(w)
  return { writes: command._tag === 'Flush' ? [flush] : writes, next }
}

/**
 * What a command does to an image: the writes in their order, and the image as it is known afterwards. It fails, with the
 * clause that forbids it and nothing written, where the command is refused.
 */
export function* step(opened: Opened, command: Command): Plan<Step> {
  const w = new Work(opened)
  return yield* seeing(w.tx, carryOut(w, command))
}
