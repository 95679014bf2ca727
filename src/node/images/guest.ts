/** Guest bytes of an open chain, piece by piece, for the commands that copy, print and compare them. */
import * as E from 'fp-ts/lib/Either.js'
import { Memory, type Plan, emit, onEmit } from '../../bytes/plan.js'
import { type Failure, runAsync } from '../../bytes/run-async.js'
import { type Chain, chainSize, locations } from '../../image/guest/chain.js'
import type { Decompressor } from '../../compression/decompress.js'
import { extentBytes } from '../../image/guest/read.js'
import { refusalLine } from './usable.js'
import { decodersOf } from './decoders.js'
import type { OpenChain } from './open.js'
import { inOwnTime, run } from '../files/world.js'

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
/** Bytes of a share: what is not zeros is counted. */
const shareSize = 2 ** 22

/** How the pieces are come by. */
export interface Ways {
  /** Whether a share is wanted; its number never goes down. */
  readonly takes: (share: number) => boolean
  /** How many pieces have bytes that stay as they are, the last one among them. */
  readonly kept: number
}

const allAtOnce: Ways = { takes: () => true, kept: 1 }

/**
 * Tells the guest bytes `[at, end)` in order, in pieces of at most 2 MiB; zeros in one piece however long. Other pieces are
 * left out, and not even read, where `takes` does not take their share.
 */
function* pieces(
  chain: Chain,
  at: number,
  end: number,
  decompressor: Decompressor,
  { takes, kept }: Ways
): Plan<void, Piece> {
  const memories = Array.from({ length: kept }, () => new Memory())
  let [counted, told] = [0, 0]
  yield* onEmit(locations(chain, at, end), function* (e): Plan<void, Piece> {
    const [from, to] = [Math.max(at, e.start), Math.min(end, e.start + e.length)]
    const where = { depth: e.depth, absent: e.kind === 'absent', compressed: e.kind === 'compressed' }
    if (e.kind === 'zero' || e.kind === 'absent')
      return yield* emit<Piece>({ ...where, at: from, length: to - from, bytes: undefined })
    for (let here = from, length = 0; here < to; here += length) {
      length = Math.min(to - here, pieceSize)
      const share = Math.floor(counted / shareSize)
      counted += length
      if (!takes(share)) continue
      const bytes = yield* extentBytes(chain, e, here, here + length, decompressor, memories[told++ % kept])
      yield* emit<Piece>({ ...where, at: here, length, bytes })
    }
  })
}

/** Goes through the guest bytes of a chain, `[at, at + length)`, as far as their shares are taken. */
export const eachPiece = async (
  open: OpenChain,
  at: number,
  length: number,
  act: (piece: Piece) => void,
  ways: Partial<Ways> = {}
): Promise<E.Either<Failure, void>> => {
  const decoders = await decodersOf(open.chain)
  return run(open.world, () => pieces(open.chain, at, at + length, decoders, { ...allAtOnce, ...ways }), act)
}

/**
 * Goes through the whole disk until `put`, which may take its time, tells what is in the way; tells that, or why the disk
 * cannot be read.
 *
 * @param kept how many pieces have bytes that stay as they are
 */
export const putPieces = async (
  open: OpenChain,
  put: (piece: Piece) => string | undefined | Promise<string | undefined>,
  kept = 1
): Promise<string | undefined> => {
  const failures: string[] = []
  const tell = async (piece: Piece): Promise<void> => {
    const failed = failures.length === 0 ? await put(piece) : undefined
    if (failed !== undefined) failures.push(failed)
  }
  const ways: Ways = { takes: () => failures.length === 0, kept }
  const decoders = await decodersOf(open.chain)
  const read = inOwnTime(open.world)
  const done = await runAsync(() => pieces(open.chain, 0, guestSize(open), decoders, ways), { read, emit: tell })()
  return E.isLeft(done) ? refusalLine(open.names[0] ?? '', done.left) : failures[0]
}

/** Bytes of the guest disk. */
export const guestSize = (open: OpenChain): number => chainSize(open.chain)

/** Bytes of the guest disks of all. */
export const sizeOfAll = (all: readonly OpenChain[]): number => all.reduce((sum, open) => sum + guestSize(open), 0)
