/** Parts of files: an image in an archive, say. */
import * as E from 'fp-ts/lib/Either.js'
import { allStored, type Read, type SeekData, type StoredRange } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import { type CommandError, failure } from '../command-error.js'
import type { Source, World } from './source.js'

/** A range of the bytes of a file. */
export interface Part {
  readonly offset: number
  /** Bytes; up to the end of the file unless it is given. */
  readonly size?: number
}

/** Fails for a part that is not in the bytes around it, or of which the given size is no number of sectors. */
const keepWithin = ({ offset, size }: Part, length: number): E.Either<CommandError, void> => {
  if (offset > length)
    return failure(`Offset (${offset}) cannot be greater than size of the containing file (${length})`)
  if (size === undefined) return E.right(undefined)
  if (offset + size > length)
    return failure(
      `The sum of offset (${offset}) and size (${size}) has to be smaller or equal to the  actual size of the containing file (${length})`
    )
  return size % sectorSize === 0 ? E.right(undefined) : failure('Specified size is not multiple of 512')
}

/** A part of a part, as one of the file; of the whole file where that is `undefined`. */
export const partWithin = (outer: Part | undefined, inner: Part): E.Either<CommandError, Part> => {
  if (outer === undefined) return E.right(inner)
  const size = inner.size ?? (outer.size === undefined ? undefined : outer.size - inner.offset)
  const part = { offset: outer.offset + inner.offset, ...(size === undefined ? {} : { size }) }
  return E.map(() => part)(keepWithin(inner, outer.size ?? Infinity))
}

/** Bytes of a part of a file of `length` bytes. */
export const partLength = (part: Part, length: number): E.Either<CommandError, number> =>
  E.map(() => part.size ?? length - part.offset)(keepWithin(part, length))

/** The part of a request that lies in a part of `length` bytes; zeros follow it. */
const cut = (request: Read, { offset }: Part, length: number): Read => {
  const { into: _, ...rest } = request
  return { ...rest, at: request.at + offset, length: Math.max(0, Math.min(request.length, length - request.at)) }
}

const padded = (bytes: Uint8Array, length: number): Uint8Array => {
  if (bytes.length >= length) return bytes
  const out = new Uint8Array(length)
  out.set(bytes)
  return out
}

const worldOf = (world: World, part: Part, length: number): World => {
  const { offset } = part
  const seekData = (request: SeekData): StoredRange => {
    const { from, to } = (world.seekData ?? allStored)({ ...request, at: request.at + offset })
    return from - offset >= length ? { from: Infinity, to: Infinity } : { from: from - offset, to: to - offset }
  }
  const seeks = world.seekData === undefined ? {} : { seekData }
  if (world._tag === 'Async')
    return {
      _tag: 'Async',
      read: (request) => async () =>
        E.map((bytes: Uint8Array) => padded(bytes, request.length))(await world.read(cut(request, part, length))()),
      ...seeks
    }
  return {
    _tag: 'Sync',
    read: (request) => {
      const isWhole = request.at + request.length <= length
      const bytes = world.read(isWhole ? { ...request, at: request.at + offset } : cut(request, part, length))
      return bytes instanceof Uint8Array ? padded(bytes, request.length) : bytes
    },
    ...seeks
  }
}

/** A part of a file as a file of its own. */
export const partOf = (source: Source, part: Part): E.Either<CommandError, Source> =>
  E.map((length: number): Source => ({
    ...source,
    length,
    wholeLength: source.length,
    world: worldOf(source.world, part, length)
  }))(partLength(part, source.length))
