/** Guest bytes of an open chain, piece by piece, for the commands that copy, print and compare them. */
import type * as E from 'fp-ts/lib/Either.js'
import { type Plan, tell, telling } from '../bytes/plan.js'
import type { Failure } from '../bytes/run-async.js'
import { type Chain, chainSize, locations } from '../image/chain.js'
import { extentBytes } from '../image/read.js'
import { native } from './decompress.js'
import type { OpenChain } from './open.js'
import { run } from './world.js'

/** Bytes of the guest disk; `undefined` for zeros. */
export interface Piece {
  readonly at: number
  readonly length: number
  readonly bytes: Uint8Array | undefined
}

const pieceSize = 2 ** 20

/** Tells the guest bytes `[at, end)` in order, in pieces of at most 1 MiB; zeros in one piece however long. */
function* pieces(chain: Chain, at: number, end: number): Plan<void, Piece> {
  yield* telling(locations(chain, at, end), function* (e): Plan<void, Piece> {
    const [from, to] = [Math.max(at, e.start), Math.min(end, e.start + e.length)]
    if (e.kind === 'zero' || e.kind === 'absent')
      return yield* tell<Piece>({ at: from, length: to - from, bytes: undefined })
    for (let here = from; here < to; here += pieceSize) {
      const next = Math.min(to, here + pieceSize)
      yield* tell<Piece>({ at: here, length: next - here, bytes: yield* extentBytes(chain, e, here, next, native) })
    }
  })
}

/** Goes through the guest bytes of a chain, `[at, at + length)`. */
export const eachPiece = (
  open: OpenChain,
  at: number,
  length: number,
  act: (piece: Piece) => void
): Promise<E.Either<Failure, void>> => run(open.world, () => pieces(open.chain, at, at + length), act)

/** Bytes of the guest disk. */
export const guestSize = (open: OpenChain): number => chainSize(open.chain)
