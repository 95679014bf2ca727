/** Undo logs: how the files of an image become again what they were before a command that fails. */
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import { actOnEach, type CommandError } from '../command-error.js'
import type { Change, DiskFile } from '../files/disk-file.js'

type Done = E.Either<CommandError, void>

/** Whether a change, of which this is the inverse, makes a file shorter. */
const isCut = (change: HostWrite, inverse: readonly HostWrite[]): boolean =>
  change._tag === 'Truncate' && inverse.some((i) => i._tag === 'Truncate' && i.length > change.length)

/**
 * What the writes of a command have overwritten so far. Holes are in free space, and in guest bytes that are to read as
 * zeros: they stay. What a file loses at its end cannot be put back: the log begins anew after such a cut, which comes last in
 * the commands that free space.
 */
export class UndoLog {
  /** The inverse of each write, a flush for a flush, in the order of the writes. */
  private inverses: (readonly HostWrite[])[] = [[flush]]

  /** @param fileOf the file that a change is of */
  constructor(private readonly fileOf: (change: Change) => DiskFile) {}

  /** Carries out a write by `act`, after what it overwrites has been saved. */
  record(write: HostWrite, act: () => Done): Done {
    const inverse = write._tag === 'Flush' ? E.right([flush]) : this.fileOf(write).inverse(write)
    if (E.isLeft(inverse)) return inverse
    this.inverses.push(inverse.right)
    const done = act()
    if (E.isRight(done) && isCut(write, inverse.right)) this.inverses = [[flush]]
    return done
  }

  /**
   * Puts everything back, the last write first, with the flushes of the command: a crash on the way leaves what one during
   * the command may leave. So does a failure, at which it ends.
   */
  undo(flushAll: () => Done): Done {
    const changes = this.inverses.reverse().flat()
    return actOnEach(changes, (c) => (c._tag === 'Flush' ? flushAll() : this.fileOf(c).restore(c)))
  }
}
