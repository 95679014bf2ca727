/** `qcow2 rebase`: another backing file. */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { grainSize } from '../../format/geometry.js'
import { because, type CommandError, type Failed, failure, get, task, using, wait } from '../command-error.js'
import { isZeros } from '../files/sparse.js'
import { allocatedIn, type AllocatedRanges, allocatedRanges } from '../images/allocated-ranges.js'
import { newBackingNode } from '../images/below.js'
import { type GuestReader, guestReader, type Piece, wholeDisk } from '../images/guest.js'
import { withImage } from '../images/locked-image.js'
import type { ImageNode } from '../images/image-node.js'
import { type OpenChain, openImage } from '../images/open.js'
import type { Session } from '../images/session.js'
import { backingFormats } from '../text/create-options.js'
import { command, flag, option, optional, text } from './command.js'
import { allow, ignored, image } from './options.js'

/** Bytes that are compared at once. */
const step = 2 ** 20

/** The new backing file, and where it has bytes. */
interface Below {
  readonly read: GuestReader
  readonly allocated: AllocatedRanges
}

/** An image that gets another backing file, which may be none. */
interface Rebased {
  readonly image: string
  readonly session: Session
  readonly below: Below | undefined
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

/** Makes the guest disk the same over another backing file, durably. */
const keepDisk = task(async function* (rebased: Rebased, open: OpenChain) {
  const keep = (piece: Piece) => (piece.depth === 0 && !piece.absent ? undefined : keepPiece(rebased, piece)())
  yield* wait(wholeDisk(open, keep))
  yield* get(rebased.session.end())
})

/** A new backing file. */
interface NewBacking {
  readonly name: string
  readonly format: string
}

/** Fails where the new backing file is made of a file of the image itself: it would lead back to the image. */
const keepOffItself = (image: string, open: OpenChain, below: OpenChain): E.Either<CommandError, void> => {
  const own = (['image', 'data'] as const).flatMap((part) => open.fileOf({ part, depth: 0 })?.identity ?? [])
  const same = below.files.find(({ identity }) => identity !== undefined && own.includes(identity))
  return same === undefined
    ? E.right(undefined)
    : failure(`Could not open new backing file '${below.name}': '${same.name}' is a file of the image`, { file: image })
}

/** Makes the guest disk the same over a new backing file, or over none. */
const keepOver = (
  node: ImageNode,
  session: Session,
  backing: NewBacking | undefined,
  folders: readonly string[],
  isForced: boolean
): AsyncGenerator<Failed, void> =>
  using(openImage(node, { allow: folders }), async function* (open) {
    const { name: image } = node.file
    if (backing === undefined) return yield* wait(keepDisk({ image, session, below: undefined }, open))
    const other = yield* get(newBackingNode(image, backing.name, backing.format === 'raw' ? 'raw' : 'qcow2'))
    yield* using(
      openImage(other, { allow: [dirname(other.file.name), ...folders], forceShare: isForced }),
      async function* (below) {
        yield* get(keepOffItself(image, open, below))
        const allocated = yield* wait(allocatedRanges(below))
        yield* wait(keepDisk({ image, session, below: { read: await guestReader(below), allocated } }, open))
      }
    )
  })

export const rebase = command({
  args: { image: image('<image>', 'the image') },
  options: {
    unsafe: flag('-u, --unsafe', 'change the name of the backing file only, and do not open it'),
    backing: option('-b, --backing <name>', 'the backing file; none if it is empty', optional(text)),
    backingFormat: option('-F, --backing-format <format>', 'format of the backing file', optional(text)),
    forceShare: flag('-U, --force-share', 'read the new backing file also while another process writes it'),
    allow
  },
  ignored: [ignored['-t'], ignored['-T'], ignored['-p'], ignored['-q']],
  async *run(
    { image: named },
    { unsafe, allow: folders, backing: name, backingFormat: format = '', forceShare: isForced }
  ) {
    const { name: file } = named.file
    if (!unsafe && name === undefined) yield* get(failure('Must specify backing file (-b) or use unsafe mode (-u)'))
    const readable = unsafe ? backingFormats : ['qcow2', 'raw']
    if (format !== '' && !readable.includes(format)) yield* get(failure(`Invalid format name: '${format}'`))
    const what = `Could not change the backing file to '${name ?? ''}'`
    if (name !== undefined && name !== '' && format === '')
      yield* get(failure(`${what}: backing format must be specified [BACK-05]`, { clause: 'BACK-05', file }))
    const backing = name === undefined || name === '' ? undefined : { name, format }
    yield* withImage(named, { alone: unsafe, allow: folders }, async function* (session) {
      if (!unsafe) yield* keepOver(named, session, backing, folders, isForced)
      const done = session.command({
        _tag: 'Rebase',
        ...(backing === undefined ? {} : { backing: { ...backing, layers: [] } })
      })
      yield* get(E.mapLeft(because(what, file))(done))
    })
  }
})
