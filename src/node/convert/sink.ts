/** Where the clusters of a new image go. */
import type { HostWrite } from '../../bytes/host-write.js'
import type { SequentialImageWriter } from '../../transition/create/image-writer.js'
import type { Stretch } from './clusters.js'

/** Puts stretches into the image, in order. */
export interface Sink {
  readonly put: (stretch: Stretch) => void | Promise<void>
  /** Puts what still waits. */
  readonly end: () => Promise<void>
  /** Gives back what it has, put or not. */
  readonly close: () => Promise<void>
}

const done = Promise.resolve()

/** Does all writes. */
export const drain = (writes: Iterable<HostWrite>, perform: (write: HostWrite) => void): void => {
  for (const write of writes) perform(write)
}

/** As they are; with `sparse`, zeros are left out. */
export const plainSink = (fill: SequentialImageWriter, perform: (write: HostWrite) => void, sparse: boolean): Sink => ({
  put: ({ at, length, bytes }) => {
    drain(bytes === undefined ? fill.zeros(at, length) : fill.data(at, bytes, sparse), perform)
  },
  end: () => done,
  close: () => done
})

/** The same, but for zeros from byte `end` on, behind the last cluster of the backing file, which need no entries. */
export const leavingOut = (end: number, sink: Sink): Sink => ({
  ...sink,
  put: (stretch) => {
    const length = stretch.bytes === undefined ? Math.min(stretch.length, end - stretch.at) : stretch.length
    return length > 0 ? sink.put({ ...stretch, length }) : undefined
  }
})
