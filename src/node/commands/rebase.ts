/** `qcow2 rebase`: another backing file. */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../../bytes/run-async.js'
import { grainSize } from '../../format/geometry.js'
import { fail, ok } from '../files/output.js'
import { bytesAt } from './compare.js'
import { backingFormats } from '../text/create-options.js'
import { type Piece, putPieces } from '../images/guest.js'
import { backingPath } from '../images/new-backing.js'
import { openChain, type OpenChain } from '../images/open.js'
import { withImage } from '../images/open-writing.js'
import type { Session } from '../images/session.js'
import { isZeros } from '../files/sparse.js'
import { type Used, usedIn, usedOf } from '../images/used.js'

/** What the image is put over: nothing, where the name is empty. Only where it is unsafe may it be left out, and is empty then. */
export interface RebaseOptions {
  readonly unsafe: boolean
  readonly backing?: string
  readonly backingFormat?: string
  readonly allow: readonly string[]
}

/** Bytes that are compared at once. */
const step = 2 ** 20

/** The new backing file, and where it has bytes. */
interface Below {
  readonly open: OpenChain
  readonly used: Used
}

/** Writes into the image what of a part of the old backing file's disk the new one does not hold; tells what is in the way. */
const keepPart = async (
  session: Session,
  at: number,
  old: Uint8Array,
  below: Below | undefined
): Promise<string | undefined> => {
  const unit = grainSize(session.opened.g)
  const { length } = old
  const now = below === undefined ? E.right(new Uint8Array(length)) : await bytesAt(below.open, at, length)
  if (E.isLeft(now)) return now.left
  for (let from = 0, to = 0; from < length; from = to) {
    to = Math.min(length, (Math.floor((at + from) / unit) + 1) * unit - at)
    if (Buffer.compare(old.subarray(from, to), now.right.subarray(from, to)) === 0) continue
    const done = session.command(
      isZeros(old, from, to)
        ? { _tag: 'WriteZeroes', at: at + from, length: to - from, unmap: false }
        : { _tag: 'Write', at: at + from, bytes: old.slice(from, to) }
    )
    if (E.isLeft(done)) return showFailure(done.left)
  }
  return undefined
}

/** The same for a piece of any length; where both disks are zeros nothing need be read. */
const keepPiece = async (session: Session, piece: Piece, below: Below | undefined): Promise<string | undefined> => {
  const { at: start, bytes } = piece
  const end = start + piece.length
  const wanted =
    bytes === undefined ? usedIn(below === undefined ? [] : [below.used], start, end) : [[start, end] as const]
  for (const [from, to] of wanted)
    for (let at = from, next = at; at < to; at = next) {
      next = Math.min(to, (Math.floor(at / step) + 1) * step)
      const failed = await keepPart(
        session,
        at,
        bytes?.subarray(at - start, next - start) ?? new Uint8Array(next - at),
        below
      )
      if (failed !== undefined) return failed
    }
  return undefined
}

/** Makes the guest disk the same over another backing file, durably; tells what is in the way. */
const keepDisk = async (session: Session, image: OpenChain, below: Below | undefined): Promise<string | undefined> => {
  const failed = await putPieces(image, (piece) =>
    piece.depth === 0 && !piece.absent ? undefined : keepPiece(session, piece, below)
  )
  if (failed === undefined) session.end()
  return failed
}

/** The same, with the files of both chains. */
const keep = async (
  session: Session,
  image: string,
  { backing = '', backingFormat, allow }: RebaseOptions
): Promise<string | undefined> => {
  const open = await openChain(image, { allow })
  if (E.isLeft(open)) return open.left
  try {
    if (backing === '') return await keepDisk(session, open.right, undefined)
    const path = backingPath(image, backing)
    if (E.isLeft(path)) return path.left
    const format = backingFormat === 'raw' ? 'raw' : 'qcow2'
    const below = await openChain(path.right, { allow: [dirname(path.right), ...allow], format })
    if (E.isLeft(below)) return below.left
    try {
      const used = await usedOf(below.right)
      return E.isLeft(used) ? used.left : await keepDisk(session, open.right, { open: below.right, used: used.right })
    } finally {
      below.right.close()
    }
  } finally {
    open.right.close()
  }
}

/** The command. Unless it is unsafe, the image first takes what the new backing file lacks, so that its disk stays the same. */
export const rebase = (image: string, o: RebaseOptions): Promise<number> => {
  const { unsafe, backing: name = '', backingFormat: format } = o
  const readable = unsafe ? backingFormats : ['qcow2', 'raw']
  if (!unsafe && o.backing === undefined)
    return Promise.resolve(fail('Must specify backing file (-b) or use unsafe mode (-u)'))
  if (format !== undefined && !readable.includes(format))
    return Promise.resolve(fail(`Invalid format name: '${format}'`))
  if (name !== '' && format === undefined)
    return Promise.resolve(
      fail(`Could not change the backing file to '${name}': backing format must be specified [BACK-05]`)
    )
  return withImage(image, unsafe ? { alone: true } : { allow: o.allow }, async (session) => {
    const failed = unsafe ? undefined : await keep(session, image, o)
    if (failed !== undefined) return fail(failed)
    const done = session.command({
      _tag: 'Rebase',
      ...(name === '' ? {} : { backing: { name, format: format ?? '', layers: [] } })
    })
    return E.isRight(done) ? ok : fail(`Could not change the backing file to '${name}': ${showFailure(done.left)}`)
  })
}
