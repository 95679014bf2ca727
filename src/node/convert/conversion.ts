/** The words of a conversion: its options, the ways into an output, and the sinks at their ends. */
import type * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CommandError } from '../command-error.js'
import type { OpenChain, OpenOptions } from '../images/open.js'
import type { ProgressOptions } from './progress.js'

/** How disks are converted. */
export interface ConvertOptions extends OpenOptions, ProgressOptions {
  /** Format of the output. */
  readonly out: 'raw' | 'qcow2'
  /** Whether the output exists, and is written into. */
  readonly over: boolean
  /** Whether an output that exists holds zeros only. */
  readonly targetIsZero: boolean
  readonly compress: boolean
  /** Option lists of a new image. */
  readonly options: readonly string[]
  readonly backing?: string | undefined
  readonly backingFormat?: string | undefined
  /** Zeros of at least so many bytes are not written; 0: all are. */
  readonly sparse: number
  /** Whether dirty bitmaps are copied. */
  readonly bitmaps: boolean
  /** Whether bitmaps in use are left out; else they make the conversion fail. */
  readonly skipBrokenBitmaps: boolean
}

/** A way from open inputs, whose disks are joined, into the output of this name. */
export type Way = (inputs: readonly OpenChain[], out: string, options: ConvertOptions) => TaskEither<CommandError, void>

/** Guest bytes of one kind: whole clusters of the sink, or the last part of the disk. */
export interface Run {
  readonly at: number
  readonly length: number
  /** The bytes, which may be overwritten once they are put; `undefined` for zeros that need not be written. */
  readonly bytes: Uint8Array | undefined
}

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
