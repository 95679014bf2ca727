/** Running plans on an open image: with the edits over it, in turns with other work, and until it is cancelled. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Plan, Read } from '../../bytes/plan.js'
import { type Failure, runAsync, type Unanswered } from '../../bytes/run-async.js'
import { type Edit, edited } from '../edits.js'
import type { OpenImage } from './sources.js'

/** A piece of work that can be stopped. Whoever starts it owns it. */
export interface Job {
  isCancelled: boolean
  /** Bytes read so far. */
  read: number
}

export const newJob = (): Job => ({ isCancelled: false, read: 0 })

/** Milliseconds that work goes on before messages are looked at. */
const patience = 12

/** Lets other work have its turn. */
const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })

const unanswered = (reason: string): E.Either<Unanswered, never> => E.left({ _tag: 'Unanswered', reason })

/** Runs a plan on an image with edits. `onRead` is called now and then. */
export const run = <A, W>(
  image: OpenImage,
  edits: readonly Edit[],
  plan: () => Plan<A, W>,
  job: Job = newJob(),
  onRead: () => void = () => undefined
): Promise<E.Either<Failure, A>> => {
  let since = performance.now()
  const read =
    (request: Read): TaskEither<Unanswered, Uint8Array> =>
    async () => {
      if (performance.now() - since > patience) {
        await pause()
        onRead()
        since = performance.now()
      }
      if (job.isCancelled) return unanswered('cancelled')
      if (request.file.part === 'data') return unanswered('the external data file is not open in this page')
      if (request.file.depth > 0) return unanswered('backing files are not open in this page')
      job.read += request.length
      return E.map((bytes: Uint8Array) => edited(edits, request.at, bytes))(await image.read(request)())
    }
  return runAsync(plan, { read })()
}
