/** Keeping a guest disk the same over another backing file. */
import * as E from 'fp-ts/lib/Either.js'
import { clusterSize, grainSize } from '../../format/geometry.js'
import { locations } from '../../image/guest/chain.js'
import { because, get, task, wait } from '../command-error.js'
import { isZeros } from '../files/sparse.js'
import { run } from '../files/source.js'
import { allocatedIn, AllocatedRanges, allocatedRanges } from './allocated-ranges.js'
import { type GuestReader, guestReader, guestSize, type Piece, wholeDisk } from './guest.js'
import type { OpenChain } from './open.js'
import type { Session } from './session.js'

/** Bytes that are compared at once. */
const step = 2 ** 20

/** The new backing file, and where it has bytes. */
export interface Below {
  readonly read: GuestReader
  readonly allocated: AllocatedRanges
}

/** An image that gets another backing file, which may be none. */
export interface Rebased {
  readonly image: string
  readonly session: Session
  readonly below: Below | undefined
  /** Whether clusters are written compressed. */
  readonly isCompressed: boolean
  /** Is called as the guest bytes up to `at` are done. */
  readonly onDone: (at: number) => void
}

/** Writes into the image what of a part of the old backing file's disk the new one does not hold. */
const keepPart = task(async function* ({ image, session, below }: Rebased, at: number, old: Uint8Array) {
  const unit = grainSize(session.opened.g)
  const { length } = old
  const present = below === undefined ? new Uint8Array(length) : yield* wait(below.read(at, length))
  for (let from = 0, to = 0; from < length; from = to) {
    to = Math.min(length, (Math.floor((at + from) / unit) + 1) * unit - at)
    if (Buffer.compare(old.subarray(from, to), present.subarray(from, to)) === 0) continue
    const done = session.command(
      isZeros(old, from, to)
        ? { _tag: 'WriteZeroes', at: at + from, length: to - from, unmap: false }
        : { _tag: 'Write', at: at + from, bytes: old.slice(from, to) }
    )
    yield* get(E.mapLeft(because(`Could not write '${image}'`, image))(done))
  }
})

/** The same for a piece of any length; where both disks are zeros nothing need be read. */
const keepPiece = task(async function* (rebased: Rebased, { at: start, length, bytes }: Piece) {
  const end = start + length
  const zeros = rebased.below === undefined ? [] : [rebased.below.allocated]
  for (const [from, to] of bytes === undefined ? allocatedIn(zeros, start, end) : [[start, end] as const])
    for (let at = from, next = at; at < to; at = next) {
      next = Math.min(to, (Math.floor(at / step) + 1) * step)
      const old = bytes?.subarray(at - start, next - start) ?? new Uint8Array(next - at)
      yield* wait(keepPart(rebased, at, old))
    }
})

/** Writes a cluster compressed if the new backing file does not hold the same. */
const keepCluster = task(async function* (
  { image, session, below }: Rebased,
  read: GuestReader,
  at: number,
  length: number
) {
  const old = yield* wait(read(at, length))
  const present = below === undefined ? new Uint8Array(length) : yield* wait(below.read(at, length))
  if (Buffer.compare(old, present) === 0) return
  const done = session.command(
    isZeros(old)
      ? { _tag: 'WriteZeroes', at, length, unmap: false }
      : { _tag: 'WriteCompressed', at, bytes: old.slice() }
  )
  yield* get(E.mapLeft(because(`Could not write '${image}'`, image))(done))
})

/** The guest bytes that the image itself does not hold. */
const notHeld = task(async function* (open: OpenChain) {
  const ranges = new AllocatedRanges()
  const end = guestSize(open)
  const add = run(
    open,
    () => locations(open.chain, 0, end),
    ({ depth, kind, start, length }) => {
      if (depth > 0 || kind === 'absent') ranges.add(start, Math.min(end, start + length))
    }
  )
  yield* wait(add)
  return ranges
})

/** Makes the guest disk the same, with whole clusters compressed. */
const keepCompressed = task(async function* (rebased: Rebased, open: OpenChain) {
  const [size, end] = [clusterSize(rebased.session.opened.g), guestSize(open)]
  const read = await guestReader(open)
  const stored = [yield* wait(allocatedRanges(open)), ...(rebased.below === undefined ? [] : [rebased.below.allocated])]
  for (const [from, to] of allocatedIn([yield* wait(notHeld(open))], 0, end)) {
    let done = 0
    for (const [a, b] of allocatedIn(stored, from, to)) {
      for (let at = Math.max(done, a - (a % size)); at < b; at += size) {
        const length = Math.min(size, end - at)
        if (at >= from && at + length <= to) yield* wait(keepCluster(rebased, read, at, length))
        else {
          const [start, stop] = [Math.max(at, from), Math.min(at + length, to)]
          yield* wait(keepPart(rebased, start, yield* wait(read(start, stop - start))))
        }
        done = at + size
      }
      rebased.onDone(b)
    }
  }
})

/** Makes the guest disk the same over another backing file, durably. */
export const keepDisk = task(async function* (rebased: Rebased, open: OpenChain) {
  const keep = async (piece: Piece) => {
    const isHeld = piece.depth === 0 && !piece.absent
    const kept = isHeld ? E.right(undefined) : await keepPiece(rebased, piece)()
    rebased.onDone(piece.at + piece.length)
    return kept
  }
  yield* wait(rebased.isCompressed ? keepCompressed(rebased, open) : wholeDisk(open, keep))
  yield* get(rebased.session.end())
})
