/** A thread that helps to copy a guest disk: it opens the image and the raw file for itself, and claims shares as they come. */
import { closeSync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { system } from '../command-error.js'
import { openChain } from '../images/open.js'
import { copyShares, isTask, type ShareError, type Task } from './copy.js'
import { WorkQueue } from './shares.js'

/**
 * The failure in a share of this thread, if there is one. An image that cannot be opened here, or be read on from a share that
 * is not this thread's, is left to the thread that called for help: it meets the same.
 */
const help = async ({ image, out, options }: Task, shares: WorkQueue): Promise<ShareError | undefined> => {
  const open = await openChain(image, options)()
  if (E.isLeft(open)) return undefined
  try {
    const fd = system('open', out.name, () => openSync(out.path, 'r+'))
    if (E.isLeft(fd)) return { ...fd.left, share: shares.at }
    const copied = await copyShares(open.right, out, fd.right, shares, () => undefined)()
    closeSync(fd.right)
    return E.isLeft(copied) && shares.own ? copied.left : undefined
  } finally {
    open.right.close()
  }
}

const task: unknown = workerData
if (isTask(task)) {
  const shares = new WorkQueue(task.memory)
  const failed = await help(task, shares)
  if (failed !== undefined) {
    shares.stop()
    parentPort?.postMessage(failed)
  }
}
