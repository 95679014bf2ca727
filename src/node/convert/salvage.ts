/** Reading as much of a disk as can be read: sectors that cannot be read are zeros. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import { type CommandError, commandError, get, task } from '../command-error.js'
import type { GuestRange } from '../images/allocated-ranges.js'
import { eachPiece, type Piece, type Traversal } from '../images/guest.js'
import type { OpenChain } from '../images/open.js'

/** Most bytes that are read at once. */
const most = 2 ** 21

/** Whether an act succeeded. */
type Acted = E.Either<CommandError, void>

/** Sectors that follow each other, which cannot be read. */
interface Lost {
  readonly from: number
  readonly to: number
  readonly why: string
}

const warning = ({ from, to, why }: Lost): CommandError =>
  commandError(`warning: guest bytes ${from} to ${to - 1} cannot be read, and are zeros: ${why}`)

/**
 * Acts on guest bytes in order, with zeros for each sector that cannot be read; fails only where the act does.
 *
 * @param warn is called for sectors that follow each other, once they are over
 */
export const salvage = task(async function* (
  input: OpenChain,
  [start, end]: GuestRange,
  act: (piece: Piece) => Promise<Acted>,
  traversal: Partial<Traversal>,
  warn: (error: CommandError) => void
) {
  let [at, size] = [start, most]
  let lost: Lost | undefined
  let acted: Acted = E.right(undefined)
  const next = async (piece: Piece): Promise<Acted> => {
    acted = await act(piece)
    at = piece.at + piece.length
    return acted
  }
  const endLost = (): void => {
    if (lost !== undefined) warn(warning(lost))
    lost = undefined
  }
  while (at < end) {
    const from = at
    const read = await eachPiece(input, at, Math.min(size, end - at), next, traversal)()
    yield* get(acted)
    if (at > from) endLost()
    if (E.isRight(read)) size = Math.min(most, size * 2)
    else if (size > sectorSize && at === from) size /= 2
    else if (at === from) {
      const length = Math.min(sectorSize, end - at)
      lost = { from: lost?.from ?? at, to: at + length, why: lost?.why ?? read.left.message }
      yield* get(await next({ at, length, bytes: new Uint8Array(length), depth: 0, absent: false, compressed: false }))
    }
  }
  endLost()
})
