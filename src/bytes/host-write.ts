/** Host writes: what a command answers with. A list of them is performed in order: on a file, or on the simulated store. */
import type { FileRef } from './plan.js'

/** Bytes put at byte `at` of a file, which grows when they reach past its end. */
export interface Write {
  readonly _tag: 'Write'
  readonly file: FileRef
  readonly at: number
  readonly bytes: Uint8Array
  /** What it overwrites is not put back where the command fails: a free range, or guest bytes that the command changes. */
  readonly disposable?: true
}

/** Everything before it is durable, in every file, before anything after it begins. */
export interface Flush {
  readonly _tag: 'Flush'
}

/** A file gets this length in bytes; what it gains reads as zeros. */
export interface Truncate {
  readonly _tag: 'Truncate'
  readonly file: FileRef
  readonly length: number
}

/** A range of a file reads as zeros from here on, and its space may be given back. The length of the file stays. */
export interface Punch {
  readonly _tag: 'Punch'
  readonly file: FileRef
  readonly at: number
  readonly length: number
}

/** One thing done to a file. */
export type HostWrite = Write | Flush | Truncate | Punch

/** The barrier between what comes before and what comes after. */
export const flush: Flush = { _tag: 'Flush' }
