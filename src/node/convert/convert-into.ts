/** `qcow2 convert` into a file that takes writes in their order: with -n one that is there, else a new raw file. */
import { closeSync, ftruncateSync, openSync, realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../../bytes/run-async.js'
import { clusterSize } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { chainSize } from '../../image/guest/chain.js'
import { Clusters, sparseUnit, type Stretch } from './clusters.js'
import { putPieces, sizeOfAll } from '../images/guest.js'
import type { Changes } from '../images/changes.js'
import type { OpenChain } from '../images/open.js'
import { openForWriting } from '../images/open-writing.js'
import { type ProgressWords, progressOf } from './progress.js'
import { openRaw } from '../images/raw.js'
import { writeFully } from '../files/sparse.js'
import { type Whole, wholeFile } from '../files/whole.js'

/** How to copy. */
interface CopyOptions extends ProgressWords {
  /** Bytes of zeros from which on they are left out; 0: never. */
  readonly sparse: number
}

/** How to write over what is there. */
export interface IntoOptions extends CopyOptions {
  readonly compress: boolean
  /** Whether the target holds zeros only. */
  readonly targetIsZero: boolean
}

/** What takes the disks. */
interface Target {
  /** Bytes that are written together. */
  readonly unit: number
  /** Takes a stretch, or tells why it cannot. */
  readonly put: (stretch: Stretch) => string | undefined
  readonly end: () => void
}

/** Takes the disks of all inputs one behind the other; tells what went wrong. */
const copyAll = async (
  inputs: readonly OpenChain[],
  target: Target,
  { sparse, ...words }: CopyOptions
): Promise<string | undefined> => {
  const clusters = new Clusters(sparseUnit(target.unit, sparse), sizeOfAll(inputs), sparse)
  const progress = await progressOf(inputs, words, (_, zeros) => !(zeros && sparse > 0))
  for (const input of inputs) {
    const failed = await putPieces(input, (piece) => {
      for (const stretch of clusters.add(piece.length, piece.bytes, true)) {
        const why = target.put(stretch)
        if (why !== undefined) return why
      }
      progress?.copied(piece)
      return undefined
    })
    if (failed !== undefined) return failed
  }
  target.end()
  progress?.end()
  return undefined
}

const targetOf = (changes: Changes, { compress, sparse, targetIsZero }: IntoOptions): Target => {
  const [top] = changes.chain
  const unit = top._tag === 'Raw' ? sectorSize : clusterSize(top.disk.g)
  const put = ({ at, length, bytes }: Stretch): string | undefined => {
    if (bytes === undefined && targetIsZero) return undefined
    const step = compress && bytes !== undefined ? unit : length
    for (let done = 0; done < length; done += step) {
      const part = bytes?.slice(done, done + step)
      const result = changes.command(
        part === undefined
          ? { _tag: 'WriteZeroes', at, length, unmap: sparse > 0 }
          : { _tag: compress ? 'WriteCompressed' : 'Write', at: at + done, bytes: part }
      )
      if (E.isLeft(result)) return `error while writing at byte ${at + done}: ${showFailure(result.left)}`
    }
    return undefined
  }
  return {
    unit,
    put,
    end: () => {
      changes.end()
    }
  }
}

/** Writes the disks over what a file holds that is there; tells what went wrong. */
export const convertOver = async (
  inputs: readonly OpenChain[],
  out: string,
  format: 'raw' | 'qcow2',
  allow: readonly string[],
  options: IntoOptions
): Promise<string | undefined> => {
  const open = format === 'raw' ? E.right(rawTarget(out)) : await openForWriting(out, { allow })
  if (E.isLeft(open)) return open.left
  const { session, close } = open.right
  try {
    const [size, room] = [sizeOfAll(inputs), chainSize(session.chain)]
    if (size > room) return `'${out}' is smaller than the input: ${room} bytes, and ${size} are needed`
    return await copyAll(inputs, targetOf(session, options), options)
  } finally {
    close()
  }
}

const rawTarget = (out: string): { readonly session: Changes; readonly close: () => void } => {
  const session = openRaw(realpathSync(out))
  return { session, close: session.close }
}

const fillNew = async (
  { path }: Whole,
  inputs: readonly OpenChain[],
  words: CopyOptions
): Promise<string | undefined> => {
  const fd = openSync(path, 'w')
  try {
    ftruncateSync(fd, sizeOfAll(inputs))
    const put = ({ at, bytes }: Stretch): undefined => {
      if (bytes !== undefined) writeFully(fd, bytes, at)
    }
    return await copyAll(inputs, { unit: sectorSize, put, end: () => undefined }, words)
  } finally {
    closeSync(fd)
  }
}

/** Writes the disks into a new raw file, which appears when it is whole; tells what went wrong. */
export const convertToRaw = async (
  inputs: readonly OpenChain[],
  out: string,
  words: CopyOptions
): Promise<string | undefined> => {
  const whole = await wholeFile(out)
  try {
    const failed = await fillNew(whole, inputs, words)
    if (failed === undefined) whole.keep()
    return failed
  } finally {
    whole.drop()
  }
}
