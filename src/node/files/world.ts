/** Worlds of the shell: files answer at once, servers in their own time. Commands run their plans in either. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Plan, type Read, runSync } from '../../bytes/plan.js'
import { type Failure, runAsync, type Unanswered } from '../../bytes/run-async.js'

/** What answers the requests of a plan. A world that answers at once throws {@link CannotRead} where it cannot. */
export type World =
  | { readonly _tag: 'Sync'; readonly read: (request: Read) => Uint8Array }
  | { readonly _tag: 'Async'; readonly read: (request: Read) => TaskEither<Unanswered, Uint8Array> }

/** Why a file cannot be read on. */
export class CannotRead extends Error {}

const unanswered = (error: unknown): Unanswered => {
  if (error instanceof CannotRead) return { _tag: 'Unanswered', reason: error.message }
  throw error
}

/**
 * Runs a plan; what it tells goes to `tell`. Where the world cannot be read, the promise holds a failure; it is rejected
 * only over what `tell` throws.
 */
export const run = async <A, W>(
  world: World,
  plan: () => Plan<A, W>,
  emit: (what: W) => void = () => undefined
): Promise<E.Either<Failure, A>> =>
  world._tag === 'Async'
    ? runAsync(plan, { read: world.read, emit: emit })()
    : E.flattenW(E.tryCatch(() => runSync(plan(), { read: world.read, emit: emit }), unanswered))

/** What a world answers, in its own time. */
export const inOwnTime = (world: World): ((request: Read) => TaskEither<Unanswered, Uint8Array>) =>
  world._tag === 'Async'
    ? world.read
    : (request) => () => Promise.resolve(E.tryCatch(() => world.read(request), unanswered))
