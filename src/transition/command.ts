/** Commands: what can be asked of an image, and the step each of them is. */
import type { Command as Guest } from '../../spec/disk.js'
import { flush } from '../bytes/host-write.js'
import type { Plan } from '../bytes/plan.js'
import { writeCompressed } from './compressed.js'
import { finish, type Step } from './finish.js'
import { type Opened, Work } from './opened.js'
import { seeing } from './transaction.js'
import { write } from './write.js'
import { discard, writeZeroes } from './zero.js'

/** A command. Offsets and lengths are guest bytes. */
export type Command = Guest & { readonly _tag: 'Write' | 'WriteCompressed' | 'WriteZeroes' | 'Discard' | 'Flush' }

function* act(w: Work, command: Command): Plan<void> {
  switch (command._tag) {
    case 'Write':
      return yield* write(w, command.at, command.bytes)
    case 'WriteCompressed':
      return yield* writeCompressed(w, command.at, command.bytes)
    case 'WriteZeroes':
      return yield* writeZeroes(w, command.at, command.length, command.unmap)
    case 'Discard':
      return yield* discard(w, command.at, command.length)
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
