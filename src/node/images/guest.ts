/** Guest bytes of an open chain, piece by piece, for the commands that copy, print and compare them. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Issue } from '../../bytes/issue.js'
import { emit, failOn, Memory, onEmit, type Plan } from '../../bytes/plan.js'
import type { Decoder, Decompressor } from '../../compression/decompress.js'
import { type Chain, chainSize, fileOf, isZeroExtent, type LocatedExtent, locations } from '../../image/guest/chain.js'
import { extentBytes, readPadded } from '../../image/guest/read.js'
import type { CommandError } from '../command-error.js'
import { type Act, run, type Source } from '../files/source.js'
import { keepReadable } from './key.js'
import type { OpenChain } from './open.js'

const noDecoder: Decoder = () => E.left('a cluster of a raw file')

/**
 * The fastest decoders for what a chain holds, loaded only where it may hold compressed clusters; where every layer is raw,
 * decoders that are never asked.
 */
export const decodersOf = async (chain: Chain): Promise<Decompressor> => {
  const types = chain.flatMap((layer) => (layer._tag === 'Image' ? [layer.disk.compressionType] : []))
  if (types.length === 0) return { deflate: noDecoder, zstd: noDecoder }
  const { decompressorOf } = await import('../compression/native.js')
  return decompressorOf(types)
}

/** A piece of the guest disk. */
export interface Piece {
  readonly at: number
  readonly length: number
  /** Its bytes, to be used before the next piece comes unless more are kept; `undefined` for zeros. */
  readonly bytes: Uint8Array | undefined
  /** How many layers down they are; those that no layer has are in the last that was asked. */
  readonly depth: number
  /** Whether no layer has them. */
  readonly absent: boolean
  /** Whether they were decompressed. */
  readonly compressed: boolean
}

const pieceSize = 2 ** 21
/** Bytes of a share; zeros are not included unless they have a place in a file. */
const shareSize = 2 ** 22

/** How the disk is traversed. */
export interface Traversal {
  /** Whether a share is wanted; its number never goes down. */
  readonly claims: (share: number) => boolean
  /** How many pieces have bytes that stay as they are, the last one among them. */
  readonly kept: number
  /** The issues that end the traversal at data past the end of their file. */
  readonly onPastEnd: (missing: MissingData) => readonly Issue[]
}

/** Guest data past the end of the file that they are stored in. */
export interface MissingData {
  readonly file: string
  /** Bytes. */
  readonly fileLength: number
  /** Guest offset in bytes. */
  readonly start: number
  readonly length: number
  /** Host offset in bytes. */
  readonly host: number
}

/** The part of a data extent, within guest bytes `[from, to)`, that lies past the end of its file. */
const partPastEnd = (
  e: LocatedExtent,
  from: number,
  to: number,
  source: Source | undefined
): MissingData | undefined => {
  const { host = 0, start } = e
  if (source === undefined || host + to - start <= source.length) return undefined
  const { name: file, length: fileLength } = source
  const first = Math.max(from, start + fileLength - host)
  return { file, fileLength, start: first, length: to - first, host: host + first - start }
}

const whole: Traversal = { claims: () => true, kept: 1, onPastEnd: () => [] }

/**
 * Emits the guest bytes `[at, end)` in order, in pieces of at most 2 MiB; zeros in one piece however long. Other pieces are
 * left out, and not even read, where `claims` does not claim their share.
 */
function* pieces(
  { chain, fileOf: sourceOf }: Pick<OpenChain, 'chain' | 'fileOf'>,
  at: number,
  end: number,
  decompressor: Decompressor,
  { claims, kept, onPastEnd }: Traversal
): Plan<void, Piece> {
  const memories = Array.from({ length: kept }, () => new Memory())
  let [counted, emitted] = [0, 0]
  yield* onEmit(locations(chain, at, end), function* (e): Plan<void, Piece> {
    const [from, to] = [Math.max(at, e.start), Math.min(end, e.start + e.length)]
    const where = { depth: e.depth, absent: e.kind === 'absent', compressed: e.kind === 'compressed' }
    const isStored = e.kind === 'data' || e.kind === 'hole'
    const missing = isStored ? partPastEnd(e, from, to, sourceOf(fileOf(chain[e.depth], e.depth))) : undefined
    if (missing !== undefined) yield* failOn(onPastEnd(missing))
    if (isZeroExtent(e)) {
      // All threads number their shares alike, though one may find a hole where another found stored zeros.
      if (e.host !== undefined) counted += to - from
      return yield* emit<Piece>({ ...where, at: from, length: to - from, bytes: undefined })
    }
    for (let here = from, length = 0; here < to; here += length) {
      length = Math.min(to - here, pieceSize, shareSize - (counted % shareSize))
      const share = Math.floor(counted / shareSize)
      counted += length
      if (!claims(share)) continue
      const into = (memories[emitted++ % kept] ?? new Memory()).take(length)
      const bytes = yield* extentBytes(chain, e, here, here + length, decompressor, into)
      yield* emit<Piece>({ ...where, at: here, length, bytes })
    }
  })
}

/** Acts on the guest bytes `[at, at + length)` of a chain, in order, as far as their shares are claimed. */
export const eachPiece =
  (
    open: OpenChain,
    at: number,
    length: number,
    act: Act<Piece>,
    traversal: Partial<Traversal> = {}
  ): TaskEither<CommandError, void> =>
  async () => {
    const readable = keepReadable(open.name, open.chain)
    if (E.isLeft(readable)) return readable
    const decoders = await decodersOf(open.chain)
    return run(open, () => pieces(open, at, at + length, decoders, { ...whole, ...traversal }), act)()
  }

/** Acts on the whole disk. */
export const wholeDisk = (
  open: OpenChain,
  act: Act<Piece>,
  traversal: Partial<Traversal> = {}
): TaskEither<CommandError, void> => eachPiece(open, 0, guestSize(open), act, traversal)

/** Reads the bytes `[at, at + length)` of a guest disk, and zeros past its end. */
export type GuestReader = (at: number, length: number) => TaskEither<CommandError, Uint8Array>

/** A reader of a chain; what it has read is in one memory, until it reads again. */
export const guestReader = async (open: OpenChain): Promise<GuestReader> => {
  const decoders = await decodersOf(open.chain)
  const memory = new Memory()
  return (at, length) =>
    TE.chain(() => run(open, () => readPadded(open.chain, at, length, decoders, memory)))(
      TE.fromEither(keepReadable(open.name, open.chain))
    )
}

/** Bytes of the guest disk. */
export const guestSize = (open: OpenChain): number => chainSize(open.chain)
