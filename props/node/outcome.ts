/** The outcomes of tasks of the shell, and of commands that are run in this process. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Body, type CommandError, task } from '../../src/node/command-error.js'
import { execute } from '../../src/node/program.js'

/** A task, or the body of one in do notation. */
type Work<A> = TaskEither<CommandError, A> | Body<A>

const run = <A>(work: Work<A>): Promise<E.Either<CommandError, A>> =>
  typeof work === 'function' ? work() : task(() => work)()()

/** The value of a task; a failure is thrown. */
export const valueOf = async <A>(work: Work<A>): Promise<A> => {
  const result = await run(work)
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** The message of the failure of a task; empty where it does not fail. */
export const messageOf = async (work: Work<unknown>): Promise<string> => {
  const result = await run(work)
  return E.isLeft(result) ? result.left.message : ''
}

/** Runs a command, which must not fail, in this process. */
export const runHere = async (...words: readonly string[]): Promise<void> => {
  const code = await valueOf(execute(words, ({ message }) => process.stderr.write(`${message}\n`)))
  if (code !== 0) throw new Error(`${words.join(' ')}: exit code ${code}`)
}
