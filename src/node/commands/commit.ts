/** `qcow2 commit`: what an overlay holds goes into a file below it. */
import { realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { chainSize, type Layer } from '../../image/guest/chain.js'
import { fail, ok, print } from '../files/output.js'
import { refusalLine } from '../images/usable.js'
import { beside } from '../files/new-image.js'
import { type DiskFile, openDiskFile } from '../files/disk-file.js'
import { guestSize, type Piece, putPieces } from '../images/guest.js'
import { isLocked, lockForWriting } from '../files/lock.js'
import { openChain, type OpenChain } from '../images/open.js'
import { withImage } from '../images/open-writing.js'
import type { Session } from '../images/session.js'

/** How to commit. */
export interface CommitOptions {
  readonly allow: readonly string[]
  /** The overlay is not emptied. */
  readonly drop: boolean
  /** A file further down the chain; the layers between are then no longer to be used. */
  readonly base?: string
  readonly quiet: boolean
}

/** A disk that takes what is committed. It throws what the system throws. */
interface Target {
  readonly size: () => number
  readonly grow: (size: number) => string | undefined
  readonly put: (piece: Piece) => string | undefined
  /** Makes everything durable. */
  readonly end: () => void
}

const rawTarget = (file: DiskFile): Target => ({
  size: () => chainSize([{ _tag: 'Raw', size: file.length() }]),
  grow: (length) => {
    file.see({ _tag: 'Truncate', file: { part: 'image', depth: 0 }, length })
    file.perform({ _tag: 'Truncate', file: { part: 'image', depth: 0 }, length })
    return undefined
  },
  put: ({ at, length, bytes }) => {
    const image = { part: 'image', depth: 0 } as const
    file.perform(
      bytes === undefined ? { _tag: 'Punch', file: image, at, length } : { _tag: 'Write', file: image, at, bytes }
    )
    return undefined
  },
  end: () => {
    file.flush()
  }
})

const imageTarget = (name: string, session: Session): Target => {
  const why = (done: ReturnType<Session['command']>): string | undefined =>
    E.isLeft(done) ? refusalLine(name, done.left) : undefined
  return {
    size: () => chainSize(session.chain),
    grow: (size) => why(session.command({ _tag: 'Resize', size })),
    put: ({ at, length, bytes }) =>
      why(
        session.command(
          bytes === undefined
            ? { _tag: 'WriteZeroes', at, length, unmap: true }
            : { _tag: 'Write', at, bytes: bytes.slice() }
        )
      ),
    end: () => {
      session.end()
    }
  }
}

/** Copies what the `depth` layers on top hold, and makes it durable; tells why it cannot be. */
const copy = async (overlay: OpenChain, depth: number, target: Target): Promise<string | undefined> => {
  const size = guestSize(overlay)
  const grown = target.size() < size ? target.grow(size) : undefined
  if (grown !== undefined) return grown
  const [first, ...rest] = overlay.chain
  const upper: OpenChain = { ...overlay, chain: [first, ...rest.slice(0, depth - 1)] }
  // What a layer in between is too short for is zeros, whatever lies below.
  const failed = await putPieces(upper, (piece) =>
    piece.absent && piece.depth === depth - 1 ? undefined : target.put(piece)
  )
  if (failed === undefined) target.end()
  return failed
}

const intoRaw = async (overlay: OpenChain, depth: number, name: string): Promise<string | undefined> => {
  const file = openDiskFile(name)
  try {
    if (!lockForWriting(file.fd)) return `Could not open '${name}': ${isLocked}`
    return await copy(overlay, depth, rawTarget(file))
  } finally {
    file.close()
  }
}

/** A failure that was told already. */
const said = ''

const intoImage = async (
  overlay: OpenChain,
  depth: number,
  name: string,
  allow: readonly string[]
): Promise<string | undefined> => {
  const held: { failed?: string } = {}
  const code = await withImage(name, { allow }, async (session) => {
    const failed = await copy(overlay, depth, imageTarget(name, session))
    if (failed !== undefined) held.failed = failed
    return ok
  })
  return code === ok ? held.failed : said
}

const isRaw = (layer: Layer | undefined): boolean => layer?._tag === 'Raw'

/** Which layer is meant: the next one, or one by its name. */
const depthOf = (image: string, overlay: OpenChain, base: string | undefined): number => {
  if (base === undefined) return 1
  const real = E.tryCatch(
    () => realpathSync(base),
    () => beside(image, base)
  )
  const path = E.isRight(real) ? real.right : real.left
  return overlay.names.findIndex((name, i) => i > 0 && realpathSync(name) === path)
}

const commitTo = async (image: string, overlay: OpenChain, o: CommitOptions): Promise<number> => {
  const depth = depthOf(image, overlay, o.base)
  if (overlay.chain.length < 2) return fail('Image does not have a backing file')
  const name = overlay.names[depth]
  if (depth < 1 || name === undefined) return fail(`Did not find '${o.base ?? ''}' in the backing chain of '${image}'`)
  const failed = await (isRaw(overlay.chain[depth])
    ? intoRaw(overlay, depth, name)
    : intoImage(overlay, depth, name, o.allow))
  if (failed === undefined) return ok
  return failed === said ? 1 : fail(failed)
}

/**
 * The command. What was copied is durable before the overlay is emptied, so that the guest's disk is the same at every
 * moment. With a base that is named the overlay stays as it is. @see CR-01
 */
export const commit = (image: string, o: CommitOptions): Promise<number> =>
  withImage(image, { allow: o.allow }, async (session) => {
    const overlay = await openChain(image, { allow: o.allow })
    if (E.isLeft(overlay)) return fail(overlay.left)
    try {
      const code = await commitTo(image, overlay.right, o)
      if (code !== ok) return code
    } finally {
      overlay.right.close()
    }
    const emptied = o.drop || o.base !== undefined ? E.right(undefined) : session.command({ _tag: 'MakeEmpty' })
    if (E.isLeft(emptied)) return fail(refusalLine(image, emptied.left))
    session.end()
    if (!o.quiet) print('Image committed.\n')
    return ok
  })
