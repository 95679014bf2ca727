/** Running plans in worlds that answer in their own time: a server, a Blob. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Issue } from './issue.js'
import { allStored, type Answer, type Plan, type Read, type SeekData, type StoredRange } from './plan.js'

/** Why a world could not answer a request. The image is not at fault, so no clause is named. */
export interface Unanswered {
  readonly _tag: 'Unanswered'
  readonly reason: string
}

/** Why a plan ended without a value: it found issues, or its world could not answer. */
export type Failure = readonly Issue[] | Unanswered

/**
 * A failure in one line: the first issue, or the world's reason.
 *
 * @example
 * import { showFailure } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(showFailure({ _tag: 'Unanswered', reason: 'the server is away' }), 'the server is away')
 */
export const showFailure = (f: Failure): string =>
  '_tag' in f ? f.reason : (f[0]?.message ?? 'the plan failed without an issue')

/** How a world answers in its own time. The answer has exactly the length asked for: zeros past the end of the file. */
export interface AsyncWorld<W> {
  readonly read: (request: Read) => TaskEither<Unanswered, Uint8Array>
  /** Where bytes are stored; everywhere unless given. */
  readonly seekData?: ((request: SeekData) => StoredRange) | undefined
  /** Where it answers with a promise, the plan goes on when that is fulfilled. */
  readonly emit?: (what: W) => unknown
}

/**
 * Runs a plan in a world that answers in its own time, one request after the other. Each run of the task makes a fresh
 * plan. Nothing is thrown as long as the world's own functions throw nothing.
 *
 * Law: in a world that answers what a sync world answers, `runAsync(plan, world)` ends in `runSync(plan(), syncWorld)`,
 * and emits the same in the same order.
 *
 * @example
 * import { fromBlob, readAt, runAsync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const world = { read: fromBlob(new Blob(['qcow2'])) }
 * const read = await runAsync(() => readAt(0, 2), world)()
 * assert.deepEqual(read._tag === 'Right' && read.right, new TextEncoder().encode('qc'))
 */
export const runAsync =
  <A, W>(plan: () => Plan<A, W>, world: AsyncWorld<W>): TaskEither<Failure, A> =>
  async () => {
    const running = plan()
    let answer: Answer = new Uint8Array(0)
    for (;;) {
      const step = running.next(answer)
      if (step.done === true) return E.right(step.value)
      const request = step.value
      if (request._tag === 'Fail') return E.left(request.issues)
      if (request._tag === 'Read') {
        const read = await world.read(request)()
        if (E.isLeft(read)) return read
        answer = read.right
      } else if (request._tag === 'SeekData') answer = (world.seekData ?? allStored)(request)
      else await world.emit?.(request.what)
    }
  }
