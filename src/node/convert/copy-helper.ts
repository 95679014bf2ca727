/** A thread that helps to copy a guest disk: it opens the image and the raw file for itself, and takes shares as they come. */
import { closeSync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { copyShares, type Failed, isTask, type Task } from './copy.js'
import { reason } from '../files/file.js'
import { openChain } from '../images/open.js'
import { WorkQueue } from './shares.js'

/**
 * What went wrong in a share of this thread. An image that cannot be opened here, or be read on from a share that is not
 * this thread's, is left to the thread that called for help: it meets the same.
 */
const help = async (task: Task, shares: WorkQueue): Promise<Failed | undefined> => {
  const open = await openChain(task.image, task.options)
  if (E.isLeft(open)) return undefined
  try {
    const out = openSync(task.out, 'r+')
    const failed = await copyShares(open.right, out, shares, () => undefined)
    closeSync(out)
    return shares.own ? failed : undefined
  } finally {
    open.right.close()
  }
}

const task: unknown = workerData
if (isTask(task)) {
  const shares = new WorkQueue(task.memory)
  const failed = await help(task, shares).catch((error: unknown): Failed => ({
    share: shares.at,
    text: `'${task.image}': ${reason(error)}`
  }))
  if (failed !== undefined) {
    shares.stop()
    parentPort?.postMessage(failed)
  }
}
