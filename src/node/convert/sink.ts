/** Where the clusters of a new image go. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { SequentialImageWriter } from '../../transition/create/image-writer.js'
import type { CommandError } from '../command-error.js'
import type { Stretch } from './clusters.js'

/** Brings a write to the files. */
export type Perform = (write: HostWrite) => E.Either<CommandError, void>

/** Puts stretches into the image, in order. */
export interface Sink {
  readonly put: (stretch: Stretch) => E.Either<CommandError, void> | Promise<E.Either<CommandError, void>>
  /** Puts what still waits. */
  readonly end: TaskEither<CommandError, void>
  /** Gives back what it has, put or not. */
  readonly close: () => Promise<void>
}

const done = E.right(undefined)

/** Performs all writes. */
export const drain = (writes: Iterable<HostWrite>, perform: Perform): E.Either<CommandError, void> => {
  for (const write of writes) {
    const performed = perform(write)
    if (E.isLeft(performed)) return performed
  }
  return done
}

/** As they are; with `sparse`, zeros are left out. */
export const plainSink = (fill: SequentialImageWriter, perform: Perform, sparse: boolean): Sink => ({
  put: ({ at, length, bytes }) =>
    drain(bytes === undefined ? fill.zeros(at, length) : fill.data(at, bytes, sparse), perform),
  end: () => Promise.resolve(done),
  close: () => Promise.resolve()
})

/** The same, but for zeros from byte `end` on, behind the last cluster of the backing file, which need no entries. */
export const leavingOut = (end: number, sink: Sink): Sink => ({
  ...sink,
  put: (stretch) => {
    const length = stretch.bytes === undefined ? Math.min(stretch.length, end - stretch.at) : stretch.length
    return length > 0 ? sink.put({ ...stretch, length }) : done
  }
})
