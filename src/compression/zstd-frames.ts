/**
 * Zstandard frames, decoded to exactly one cluster. The blocks of a frame are found first, because a payload is followed by
 * bytes of another one, and a frame may claim any size.
 *
 * @see CMP-10
 */
import * as E from 'fp-ts/lib/Either.js'
import { Decompress } from 'fzstd'
import { viewOf } from '../bytes/octets.js'
import { xxh64 } from './xxhash.js'

const magic = 0xfd2f_b528
const skippableMask = 0xffff_fff0
const skippableMagic = 0x184d_2a50

/** A complete frame: where its blocks begin and end, and what its header says. */
interface Frame {
  readonly start: number
  /** The end of each block; the checksum is part of the last. */
  readonly pieces: readonly number[]
  readonly end: number
  readonly contentSize: number | undefined
  readonly checksum: number | undefined
}

const dictionarySizes = [0, 1, 2, 4]

const contentSizeOf = (view: DataView, at: number, flag: number, single: boolean) => {
  switch (flag) {
    case 0:
      return single ? { size: view.getUint8(at), bytes: 1 } : { size: undefined, bytes: 0 }
    case 1:
      return { size: view.getUint16(at, true) + 256, bytes: 2 }
    case 2:
      return { size: view.getUint32(at, true), bytes: 4 }
    default:
      return { size: Number(view.getBigUint64(at, true)), bytes: 8 }
  }
}

/** The ends of the blocks from `from` on, up to the last one. A read past the end of the payload throws a RangeError. */
const blockEnds = (view: DataView, from: number): readonly number[] => {
  const ends: number[] = []
  for (let at = from; ;) {
    const head = view.getUint16(at, true) + view.getUint8(at + 2) * 65_536
    at += 3 + ((head >> 1) % 4 === 1 ? 1 : head >> 3)
    ends.push(at)
    if (at > view.byteLength || head % 2 === 1) return ends
  }
}

const frameAt = (view: DataView, start: number): Frame => {
  const descriptor = view.getUint8(start + 4)
  const single = (descriptor & 0x20) !== 0
  const dictionary = start + 5 + (single ? 0 : 1)
  const contentAt = dictionary + (dictionarySizes[descriptor & 3] ?? 0)
  const content = contentSizeOf(view, contentAt, descriptor >> 6, single)
  const blocks = blockEnds(view, contentAt + content.bytes)
  const last = blocks.at(-1) ?? 0
  const checked = (descriptor & 4) !== 0
  const end = last + (checked ? 4 : 0)
  return {
    start,
    pieces: [...blocks.slice(0, -1), end],
    end,
    contentSize: content.size,
    checksum: checked ? view.getUint32(last, true) : undefined
  }
}

const found = <A>(read: () => A): E.Either<string, A> => E.tryCatch(read, () => 'a zstd frame that ends too late')

/**
 * The zstd frame at the start of a payload, without what follows it; `undefined` where none ends in the payload, and where its
 * content size is not `size`.
 */
export const firstFrame = (payload: Uint8Array, size: number): Uint8Array | undefined => {
  const view = viewOf(payload)
  const frame = found(() => (view.getUint32(0, true) === magic ? frameAt(view, 0) : undefined))
  if (E.isLeft(frame) || frame.right === undefined) return undefined
  const { end, contentSize } = frame.right
  return end <= payload.length && (contentSize === undefined || contentSize === size)
    ? payload.subarray(0, end)
    : undefined
}

/** The content of a frame, block by block; an error for more than `room` bytes. */
const contentOf = (payload: Uint8Array, f: Frame, room: number): E.Either<string, readonly Uint8Array[]> => {
  if (f.end > payload.length) return E.left('a zstd frame that ends past its payload')
  if (f.contentSize !== undefined && f.contentSize > room) return E.left('a zstd frame of more than a cluster')
  const chunks: Uint8Array[] = []
  let length = 0
  const decoded = E.tryCatch(
    () => {
      const stream = new Decompress((chunk) => {
        length += chunk.length
        chunks.push(chunk.slice())
      })
      f.pieces.reduce((at, end) => {
        if (length <= room) stream.push(payload.subarray(at, end), end === f.end)
        return end
      }, f.start)
    },
    () => 'a zstd frame that is broken'
  )
  if (E.isLeft(decoded)) return decoded
  return length > room ? E.left('a zstd frame of more than a cluster') : E.right(chunks)
}

const isIntact = (f: Frame, content: Uint8Array): boolean =>
  (f.contentSize === undefined || f.contentSize === content.length) &&
  (f.checksum === undefined || Number(xxh64(content) & 0xffff_ffffn) === f.checksum)

/**
 * The content of the frames at the start of `payload`, `size` bytes in all. Skippable frames have no content; what follows the
 * frame that completes the cluster is not read.
 */
export const unzstd = (payload: Uint8Array, size: number): E.Either<string, Uint8Array> => {
  const view = viewOf(payload)
  const out = new Uint8Array(size)
  let length = 0
  let at = 0
  while (length < size) {
    if (at + 8 > payload.length) return E.left(`zstd frames of ${length} bytes`)
    const head = view.getUint32(at, true)
    if ((head & skippableMask) >>> 0 === skippableMagic) {
      at += 8 + view.getUint32(at + 4, true)
      continue
    }
    if (head !== magic) return E.left('no zstd frame')
    const start = at
    const frame = found(() => frameAt(view, start))
    if (E.isLeft(frame)) return frame
    const chunks = contentOf(payload, frame.right, size - length)
    if (E.isLeft(chunks)) return chunks
    const from = length
    for (const chunk of chunks.right) {
      out.set(chunk, length)
      length += chunk.length
    }
    if (!isIntact(frame.right, out.subarray(from, length))) return E.left('a zstd frame whose content is damaged')
    at = frame.right.end
  }
  return E.right(out)
}
