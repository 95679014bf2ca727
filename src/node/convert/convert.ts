/** `qcow2 convert`: the guest disk as a raw file. */
import { closeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { fail, ok } from '../files/output.js'
import { copyShares, earliest, type Failed, startHelper, type Task } from './copy.js'
import { reason } from '../files/file.js'
import { guestSize, type Piece } from '../images/guest.js'
import { openChain, type OpenChain, type OpenOptions } from '../images/open.js'
import { type ProgressWords, progressOf } from './progress.js'
import { WorkQueue } from './shares.js'
import { createSparse } from '../files/sparse.js'
import { type Whole, wholeFile } from '../files/whole.js'

/** Most threads that copy. */
const maxThreads = 4
/** Bytes decompressed by one thread before it calls for help: as much work as it takes to start a thread. */
const worthHelp = 2 ** 24

/** Calls for as many helpers as there are processors, once enough was decompressed. */
const caller = (task: Task, helpers: Promise<Failed | undefined>[]): ((piece: Piece) => void) => {
  let decompressed = 0
  return ({ compressed, length }) => {
    if (!compressed || decompressed >= worthHelp) return
    decompressed += length
    if (decompressed < worthHelp) return
    for (let n = 1; n < Math.min(availableParallelism(), maxThreads); n++) helpers.push(startHelper(task))
  }
}

/** Copies the disk with the help of other threads; tells why it could not be copied. */
const copyDisk = async (
  open: OpenChain,
  task: Task,
  shares: WorkQueue,
  words: ProgressWords
): Promise<Failed | undefined> => {
  const file = createSparse(task.out, guestSize(open))
  const progress = await progressOf([open], words, (_, zeros) => !zeros)
  const helpers: Promise<Failed | undefined>[] = []
  try {
    const call = caller(task, helpers)
    const own = await copyShares(open, file, shares, (piece) => {
      progress?.copied(piece)
      call(piece)
    })
    if (own !== undefined) shares.stop()
    const all = [...(await Promise.all(helpers)), own].filter((f) => f !== undefined)
    if (all.length === 0) progress?.end()
    return earliest(all)
  } finally {
    shares.stop()
    await Promise.all(helpers)
    closeSync(file)
  }
}

const copyTo = async (
  out: Whole,
  open: OpenChain,
  image: string,
  options: OpenOptions & ProgressWords
): Promise<number> => {
  const shares = new WorkQueue()
  try {
    const failed = await copyDisk(open, { image, out: out.path, options, memory: shares.memory }, shares, options)
    if (failed !== undefined) return fail(failed.text)
    out.keep()
    return ok
  } finally {
    out.drop()
  }
}

/** The command. The output appears under its name when it is whole; zeros are holes in it. */
export const convert = async (image: string, name: string, options: OpenOptions & ProgressWords): Promise<number> => {
  const open = await openChain(image, options)
  if (E.isLeft(open)) return fail(open.left)
  try {
    return await copyTo(await wholeFile(name), open.right, image, options)
  } catch (error) {
    return fail(`error while writing '${name}': ${reason(error)}`)
  } finally {
    open.right.close()
  }
}
