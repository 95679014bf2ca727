/** `qcow2 commit`: what an overlay holds goes into a file below it. */
import * as E from 'fp-ts/lib/Either.js'
import { imageFile } from '../../bytes/plan.js'
import { chainSize } from '../../image/guest/chain.js'
import {
  because,
  type Body,
  type CommandError,
  type Failed,
  failure,
  get,
  task,
  using,
  wait
} from '../command-error.js'
import { percentagesOf, type ProgressOptions } from '../convert/progress.js'
import { RateLimit } from '../convert/rate-limit.js'
import type { DiskFile } from '../files/disk-file.js'
import { resolvedPath } from '../files/file.js'
import { print } from '../files/output.js'
import { cannotOpen } from '../files/source.js'
import { pathFrom } from '../images/follow.js'
import { guestSize, type Piece, wholeDisk } from '../images/guest.js'
import { openRawFile, withImage } from '../images/locked-image.js'
import type { ImageNode } from '../images/image-node.js'
import { type OpenChain, openImage, type OpenOptions } from '../images/open.js'
import type { Session } from '../images/session.js'
import { command, flag, option, optional, text } from './command.js'
import { allow, ignored, image, quiet, rateLimit } from './options.js'

/** A disk that takes what is committed. */
interface Target {
  readonly size: () => number
  readonly grow: (size: number) => E.Either<CommandError, void>
  readonly put: (piece: Piece) => E.Either<CommandError, void>
  /** Makes everything durable. */
  readonly end: () => E.Either<CommandError, void>
}

const rawTarget = (disk: DiskFile): Target => ({
  size: () => chainSize([{ _tag: 'Raw', size: disk.length() }]),
  grow: (length) =>
    E.chain(() => disk.perform({ _tag: 'Truncate', file: imageFile, length }))(
      disk.see({ _tag: 'Truncate', file: imageFile, length })
    ),
  put: ({ at, length, bytes }) =>
    disk.perform(
      bytes === undefined
        ? { _tag: 'Punch', file: imageFile, at, length }
        : { _tag: 'Write', file: imageFile, at, bytes }
    ),
  end: disk.flush
})

const imageTarget = (name: string, session: Session): Target => {
  const inTarget = E.mapLeft(because(`Could not write '${name}'`, name))
  return {
    size: () => chainSize(session.chain),
    grow: (size) => inTarget(session.command({ _tag: 'Resize', size })),
    put: ({ at, length, bytes }) =>
      inTarget(
        session.command(
          bytes === undefined
            ? { _tag: 'WriteZeroes', at, length, unmap: true }
            : { _tag: 'Write', at, bytes: bytes.slice() }
        )
      ),
    end: () => session.end()
  }
}

/** Copies what the `depth` layers on top hold, and makes it durable. */
const copy = task(async function* (
  overlay: OpenChain,
  depth: number,
  target: Target,
  rate: number,
  options: ProgressOptions
) {
  const size = guestSize(overlay)
  if (target.size() < size) yield* get(target.grow(size))
  const [first, ...rest] = overlay.chain
  const upper: OpenChain = { ...overlay, chain: [first, ...rest.slice(0, depth - 1)] }
  // What a layer in between is too short for is zeros, whatever lies below.
  const isPut = ({ absent, depth: at }: Piece): boolean => !absent || at < depth - 1
  const limit = new RateLimit(rate)
  const slowly = async (piece: Piece) => {
    await limit.admit(piece.bytes?.length ?? 0)
    return target.put(piece)
  }
  const put = rate > 0 ? slowly : target.put
  const percentages = percentagesOf(options)
  const copied = wholeDisk(upper, async (piece) => {
    const done = isPut(piece) ? await put(piece) : E.right(undefined)
    percentages?.reach(piece.at + piece.length, size)
    return done
  })
  yield* wait(copied)
  await limit.settle()
  yield* get(target.end())
  percentages?.update(100)
  percentages?.end()
})

/** Which layer is meant: the next one, or one by its name, which starts at the folder of the layer above it; -1 for none. */
const depthOf = ({ sources }: OpenChain, base: string | undefined): number => {
  if (base === undefined) return 1
  return sources.findIndex(({ resolved }, i) => {
    const above = sources[i - 1]
    const path = above === undefined ? undefined : resolvedPath(pathFrom(above.name, base))
    return path !== undefined && E.isRight(path) && path.right === resolved
  })
}

/** A layer below the overlay: where its file is, what it is, and how many layers are above it. */
interface Base {
  readonly node: ImageNode
  /** The path of its file, in which nothing is a link. */
  readonly resolved: string | undefined
  readonly depth: number
}

/** The layer that is meant. */
const findBase = (image: ImageNode, named: string | undefined, options: OpenOptions): AsyncGenerator<Failed, Base> =>
  using(openImage(image, options), function* (overlay) {
    const { name } = overlay
    if (overlay.chain.length < 2) yield* get(failure('Image does not have a backing file', { file: name }))
    const depth = depthOf(overlay, named)
    const [node, resolved] = [overlay.nodes[depth], overlay.sources[depth]?.resolved]
    return node === undefined
      ? yield* get(failure(`Did not find '${named ?? ''}' in the backing chain of '${name}'`, { file: name }))
      : { node, resolved, depth }
  })

/** Opens the base for writing while the body runs. */
const withBase = (
  { node }: Base,
  options: OpenOptions,
  body: (target: Target) => Body<void>
): AsyncGenerator<Failed, void> =>
  node.driver === 'raw'
    ? using(openRawFile(node), (disk) => body(rawTarget(disk)))
    : withImage(node, options, (session) => body(imageTarget(node.file.name, session)))

/**
 * What was copied is durable before the overlay is emptied, so that the guest's disk is the same at every moment. With a
 * base that is named the overlay stays as it is. @see CR-01
 */
export const commit = command({
  args: { image: image('<image>', 'the overlay') },
  options: {
    allow,
    base: option('-b, --base <file>', 'a file further down the chain; the overlay is not emptied then', optional(text)),
    drop: flag('-d, --drop', 'do not empty the overlay'),
    rate: rateLimit,
    progress: flag('-p, --progress', 'print how much is done'),
    quiet: quiet()
  },
  ignored: [ignored['-t']],
  async *run({ image: overlayNode }, { allow: folders, base: named, drop, rate, progress, quiet: isQuiet }) {
    const { name } = overlayNode.file
    const options = { allow: folders }
    const base = yield* findBase(overlayNode, named, options)
    // The base is locked first: what this process has open for writing, it reads as a layer of the overlay.
    yield* withBase(base, options, (target) =>
      withImage(overlayNode, options, async function* (session) {
        yield* using(openImage(overlayNode, options), async function* (overlay) {
          if (overlay.sources[base.depth]?.resolved !== base.resolved)
            yield* get(failure(`Could not commit '${name}': its backing file has changed`, { file: name }))
          yield* wait(copy(overlay, base.depth, target, rate, { progress, quiet: isQuiet }))
        })
        if (!drop && named === undefined)
          yield* get(E.mapLeft(cannotOpen(name))(session.command({ _tag: 'MakeEmpty' })))
        yield* get(session.end())
      })
    )
    if (!isQuiet) yield* get(print('Image committed.\n'))
  }
})
