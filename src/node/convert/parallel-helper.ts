/** A thread that helps to copy a guest disk: it opens the image and the raw file for itself, and claims shares as they come. */
import { closeSync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { system } from '../command-error.js'
import { openImage } from '../images/open.js'
import { PastEnd } from './past-end.js'
import { copyShares, isTask, type ShareError, type Task, WorkQueue } from './to-raw.js'

/**
 * The failure in a share of this thread, if there is one. An image that cannot be opened here, or read in a share of another
 * thread, is left to the thread that started this one, which fails in the same way.
 */
const help = async ({ image, out, options }: Task, queue: WorkQueue): Promise<ShareError | undefined> => {
  const open = await openImage(image, options)()
  if (E.isLeft(open)) return undefined
  try {
    const fd = system('open', out.name, () => openSync(out.path, 'r+'))
    if (E.isLeft(fd)) return { ...fd.left, share: queue.at }
    const copied = await copyShares(open.right, out.name, fd.right, queue, new PastEnd(options.strict === true))()
    closeSync(fd.right)
    return E.isLeft(copied) && queue.own ? copied.left : undefined
  } finally {
    open.right.close()
  }
}

const task: unknown = workerData
if (isTask(task)) {
  const queue = new WorkQueue(task.memory)
  const failed = await help(task, queue)
  if (failed !== undefined) {
    queue.stop()
    parentPort?.postMessage(failed)
  }
}
