/** A conversion: its options, the ways into an output, and the copy of guest bytes into the sinks at their ends. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, get, task, wait } from '../command-error.js'
import { maxRounds } from '../files/async-writer.js'
import type { GuestRange } from '../images/allocated-ranges.js'
import { eachPiece, guestSize, type Piece } from '../images/guest.js'
import type { ImageNode } from '../images/image-node.js'
import type { OpenChain, OpenOptions } from '../images/open.js'
import type { GivenOptions } from '../text/image-options.js'
import type { PastEnd } from './past-end.js'
import { ClusterRuns, type Run } from './clusters.js'
import { type ProgressOptions, progressOf } from './progress.js'
import { RateLimit } from './rate-limit.js'

/** How disks are converted. */
export interface ConvertOptions extends OpenOptions, ProgressOptions, Omit<GivenOptions, 'size'> {
  /** Format of the output. */
  readonly out: 'raw' | 'qcow2'
  /** Whether the output exists, and is written into. */
  readonly over: boolean
  /** Whether an output that exists holds zeros only. */
  readonly targetIsZero: boolean
  readonly compress: boolean
  /** Zeros of at least so many bytes are not written; 0: all are. */
  readonly sparse: number
  /** Most bytes written in a second; 0: no limit. */
  readonly rate: number
  /** Whether dirty bitmaps are copied. */
  readonly bitmaps: boolean
  /** Whether bitmaps in use are left out; else they make the conversion fail. */
  readonly skipBrokenBitmaps: boolean
  /** Whether the conversion fails where a file is cut off. */
  readonly strict: boolean
  /** Whether sectors that cannot be read are zeros; else they make the conversion fail. */
  readonly salvage: boolean
  /** The guest bytes of each input that are copied into a new output, as far as it has them; all unless given. */
  readonly part?: GuestRange
}

/** The guest bytes of an input that are copied. */
const partOf = (input: OpenChain, { part: [from, to] = [0, Infinity] }: ConvertOptions): GuestRange => {
  const end = Math.min(to, guestSize(input))
  return [Math.min(from, end), end]
}

/** How many guest bytes are copied. */
export const copiedSize = (inputs: readonly OpenChain[], options: ConvertOptions): number =>
  inputs.map((input) => partOf(input, options)).reduce((sum, [from, end]) => sum + end - from, 0)

/** A conversion that is under way. */
export interface Conversion extends ConvertOptions {
  /** Gathers what lies past the ends of the files. */
  readonly pastEnd: PastEnd
  /** Prints what does not end the conversion. */
  readonly warn: (error: CommandError) => void
}

/** A way from open inputs, whose disks are joined, into the output. */
export type Way = (
  inputs: readonly OpenChain[],
  output: ImageNode,
  options: Conversion
) => TaskEither<CommandError, void>

/** Whether a step succeeded. */
export type Done = E.Either<CommandError, void>

/** Where the guest bytes of a conversion go. */
export interface Sink {
  /** Bytes that are written together: a cluster, or a sector of a raw file. */
  readonly unit: number
  /** Zeros of at least so many bytes are put as zeros; 0: none are. */
  readonly sparse: number
  /** Whether the output has a backing file, which holds what lies below the top layers of the inputs. */
  readonly overBacking: boolean
  /** Most bytes between two percentages of the progress; those that qemu-img copies at once unless given. */
  readonly progressStep?: number
  /** Writes a run, which follows those before it. */
  readonly put: (run: Run) => Done | Promise<Done>
  /** Waits while too many writes are in flight; then the bytes of all runs but those of the last few pieces may change. */
  readonly barrier?: TaskEither<CommandError, void>
  /** Writes what follows the last run. */
  readonly end: () => Done | Promise<Done>
}

/** Whether a piece is copied: over a backing file, what the top layer of its input has. */
const isCopied = ({ overBacking }: Sink, input: OpenChain, { depth, absent }: Piece): boolean =>
  !overBacking || (depth === 0 && !(absent && input.chain.length > 1))

/** Copies the parts of all inputs, one after the other. */
export const copyDisks = task(async function* (inputs: readonly OpenChain[], sink: Sink, options: Conversion) {
  const { unit, sparse, overBacking } = sink
  const clusters = new ClusterRuns(unit, copiedSize(inputs, options), sparse)
  const isCounted = (depth: number, zeros: boolean): boolean => (!overBacking || depth === 0) && !(zeros && sparse > 0)
  const progress = yield* wait(progressOf(inputs, options, isCounted, sink.progressStep))
  const limit = new RateLimit(options.rate)
  // Zeros take their time only where they are written over what a backing file holds.
  const counted = ({ length, bytes }: Run): number => (bytes === undefined && !overBacking ? 0 : length)
  for (const input of inputs) {
    const put = async (piece: Piece): Promise<Done> => {
      for (const run of clusters.add(piece.length, piece.bytes, isCopied(sink, input, piece))) {
        if (options.rate > 0) await limit.admit(counted(run))
        const written = sink.put(run)
        const done = written instanceof Promise ? await written : written
        if (E.isLeft(done)) return done
      }
      progress?.copied(piece)
      return sink.barrier === undefined ? E.right(undefined) : sink.barrier()
    }
    const part = partOf(input, options)
    const traversal = { kept: maxRounds, onPastEnd: options.pastEnd.onMissing }
    const copied = options.salvage
      ? (await import('./salvage.js')).salvage(input, part, put, traversal, options.warn)
      : eachPiece(input, part[0], part[1] - part[0], put, traversal)
    yield* wait(copied)
  }
  yield* get(await sink.end())
  progress?.end()
})
