/**
 * The seam between two commits that are compared: what a probe exports, and what goes in and out of it.
 *
 * Each commit has a probe of its own at {@link probePath}, which is refactored with the code. Everything else of the
 * comparison is that of the newer tree. So these forms stay as they are: a commit that changes one cannot be compared with
 * those before it.
 */

import { isObject } from '../../../src/bytes/json.js'

/** Where the probe of a commit is once that is built. */
export const probePath = 'dist/props/tools/same/probe.js'

/** What a script is carried out on: the words of `create` as data. A raw backing file comes as its bytes. */
export interface PlainShape {
  readonly options: PlainOptions
  /** Length in bytes of the backing file, whose bytes the probe makes; 0 without one. */
  readonly backing: number
  /** Bytes that an external data file is longer than the disk. */
  readonly tail?: number
  /** Clusters that are leaked before the script. */
  readonly leaked?: number
}

export interface PlainOptions {
  readonly size: number
  readonly version?: 2 | 3
  readonly clusterBits?: number
  readonly refcountOrder?: number
  readonly extendedL2?: boolean
  readonly lazyRefcounts?: boolean
  readonly compressionType?: 'zlib' | 'zstd'
  readonly preallocation?: 'off' | 'metadata' | 'falloc' | 'full'
  readonly dataFile?: { readonly name: string; readonly raw: boolean }
}

/**
 * A script. A line is a command in the words of qemu-io and qemu-img, as props/transition/script-text.ts reads them
 * (`write 0 512`, `snapshot -c a`, `check -r all`, `damage 512 00ff`), or one of `mark NAME FROM TO` and
 * `vm-state POSITION LENGTH`. The bytes that line `i` writes are those of mark `i + 1`.
 */
export interface PlainScript {
  readonly shape: PlainShape
  readonly lines: readonly string[]
}

/** A host write. */
export interface PlainWrite {
  readonly op: 'write' | 'flush' | 'truncate' | 'punch'
  readonly file?: 'image' | 'data'
  readonly at?: number
  readonly length?: number
  readonly bytes?: Uint8Array
}

/** Why a command is refused. */
export interface PlainIssue {
  readonly clause: string
  readonly phase: string
  readonly source: string
  readonly structure: string
  readonly field: string
  readonly at: number
  readonly size: number
  readonly message: string
}

/** The outcome of one line; `writes` are empty where it is refused. */
export interface PlainOutcome {
  /** `create`, `open`, `group`, or the line. */
  readonly line: string
  readonly refused: readonly PlainIssue[]
  readonly writes: readonly PlainWrite[]
  /** The writes of each stage. */
  readonly stages: readonly (readonly PlainWrite[])[]
  /** `OWNER AT LENGTH` of each range of the image file that is written. */
  readonly claims: readonly string[]
}

/** What a probe exports. */
export interface Probe {
  /** Loads the command, and returns a function that carries out a command line in this process. */
  readonly loadCommand: () => Promise<(words: readonly string[]) => Promise<void>>
  /** Carries out a script in memory. */
  readonly runScript: (script: PlainScript) => Iterable<PlainOutcome>
}

/** One answer of a commit: what is compared. */
export interface Answer {
  /** What was asked: a command line, or a line of a script. */
  readonly label: string
  /** The exit code, or `done`, or the clause of the refusal. */
  readonly code: string
  readonly text: string
  /** Host writes in the text. */
  readonly writes: number
}

/** A file of an image: gzipped bytes in base64, or the path of a file. */
export type FileData = { readonly gzip: string } | { readonly path: string }

/** A command line, and the files that it changes or makes, whose digests are part of the answer. */
export interface Ask {
  readonly words: readonly string[]
  readonly makes: readonly string[]
}

/** One thing that both commits are asked about. Of an image without `asks` these follow from its number. */
export type Item =
  | {
      readonly kind: string
      readonly id: number
      /** How it was made: enough to make it again. */
      readonly recipe: string
      readonly files: Readonly<Record<string, FileData>>
      readonly asks?: readonly Ask[]
    }
  | { readonly kind: 'script'; readonly id: number; readonly recipe: string; readonly script: PlainScript }

/** The answers of a commit to an item; `late` names what did not end in time, or ended the process. */
export interface Result {
  readonly id: number
  readonly answers: readonly (readonly [label: string, code: string, digest: string, writes: number, text: string])[]
  readonly late?: string
  /** Milliseconds of processor time. */
  readonly took?: number
}

const isItem = (u: unknown): u is Item => isObject(u) && 'id' in u && 'recipe' in u
const isResult = (u: unknown): u is Result => isObject(u) && 'id' in u && 'answers' in u

const parsed = <A>(text: string, is: (u: unknown) => u is A): A => {
  const u: unknown = JSON.parse(text)
  if (is(u)) return u
  throw new Error(`neither item nor result: ${text.slice(0, 80)}`)
}

/** The item of a line. */
export const itemOf = (line: string): Item => parsed(line, isItem)

/** The result of a line. */
export const resultOf = (line: string): Result => parsed(line, isResult)
