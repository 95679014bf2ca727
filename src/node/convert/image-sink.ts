/** The sink of a new image whose clusters are written as they are, and what it shares with the one that compresses. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { SequentialImageWriter } from '../../transition/create/image-writer.js'
import { because } from '../command-error.js'
import type { Done, Sink } from './conversion.js'

/** A new image that is being written. */
export interface ImageOutput {
  readonly name: string
  readonly writer: SequentialImageWriter
  readonly perform: (write: HostWrite) => Done
  /** Guest bytes from here on read as zeros without entries: they are past the clusters of a backing file. */
  readonly zerosFrom: number
  readonly sparse: number
  readonly overBacking: boolean
}

/** Performs writes, up to the first that fails. */
export const performAll = ({ perform }: ImageOutput, writes: Iterable<HostWrite>): Done => {
  for (const write of writes) {
    const done = perform(write)
    if (E.isLeft(done)) return done
  }
  return E.right(undefined)
}

/** Writes guest zeros. */
export const putZeros = (image: ImageOutput, at: number, length: number): Done => {
  const needed = Math.min(length, image.zerosFrom - at)
  return needed > 0 ? performAll(image, image.writer.writeZeros(at, needed)) : E.right(undefined)
}

/** Writes the tables and the header, once everything else is written. */
export const putTables = ({ name, writer, perform }: ImageOutput): Done => {
  const writes = writer.finish()
  for (;;) {
    const step = writes.next()
    if (step.done === true) return E.mapLeft(because(`Could not create '${name}'`, name))(step.value)
    const done = perform(step.value)
    if (E.isLeft(done)) return done
  }
}

/** Writes clusters as they are. */
export const imageSink = (image: ImageOutput): Sink => {
  const { writer, sparse, overBacking } = image
  return {
    unit: writer.clusterSize,
    sparse,
    overBacking,
    put: ({ at, length, bytes }) =>
      bytes === undefined ? putZeros(image, at, length) : performAll(image, writer.writeData(at, bytes, sparse > 0)),
    end: () => putTables(image)
  }
}
