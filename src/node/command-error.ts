/**
 * The one way to fail: a command that cannot do what it is for ends in a {@link CommandError}, which `main` prints.
 *
 * A function that awaits something is a `TaskEither<CommandError, A>`, one that awaits nothing an `Either<CommandError, A>`.
 * Functions of several steps are written in do notation: {@link task} and {@link either} make them of a generator, in which
 * `yield* wait(task)` and `yield* get(either)` are the value, or the end of the body. Its `finally` blocks run either way.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import type { Issue } from '../bytes/issue.js'

/** Why a command failed. */
export interface CommandError {
  /** One line: what failed, where, why, and what to do about it; the clause is in it. */
  readonly message: string
  /** Exit code of the process. */
  readonly exitCode: number
  /** The clause that is broken, where the format or QEMU is the reason. */
  readonly clause?: ClauseId
  /** Name of the file, as the command line or an image gives it. */
  readonly file?: string
  /** Byte offset in the file. */
  readonly offset?: number
}

/** Exit code of what fails, unless another one is given. */
export const failed = 1

/** An error with this message; its exit code is 1 unless another one is given. */
export const commandError = (message: string, more: Partial<Omit<CommandError, 'message'>> = {}): CommandError => ({
  message,
  exitCode: failed,
  ...more
})

/** A failure with this message. */
export const failure = (
  message: string,
  more: Partial<Omit<CommandError, 'message'>> = {}
): E.Either<CommandError, never> => E.left(commandError(message, more))

/** A failure with the message of the first rule that is broken, if one is. */
export const keepRules = (
  rules: readonly (readonly [isBroken: boolean, message: string])[]
): E.Either<CommandError, void> => {
  const broken = rules.find(([isBroken]) => isBroken)
  return broken === undefined ? E.right(undefined) : failure(broken[1])
}

/** Acts on each thing in order, up to the first failure. */
export const actOnEach = <A, L>(all: Iterable<A>, act: (each: A) => E.Either<L, void>): E.Either<L, void> => {
  for (const each of all) {
    const acted = act(each)
    if (E.isLeft(acted)) return acted
  }
  return E.right(undefined)
}

/** A result whose failure is a message. */
export const orError = E.mapLeft((message: string): CommandError => commandError(message))

/** Why a plan or a change of an image failed: it found issues, or a system call failed. */
export type Cause = readonly Issue[] | CommandError

/** Whether the cause is an error, not issues. */
export const isError = (cause: Cause): cause is CommandError => 'message' in cause

/** A cause in one line: the first issue, or the message of the error. */
export const showCause = (cause: Cause): string =>
  isError(cause) ? cause.message : (cause[0]?.message ?? 'no issue was found')

/**
 * The error for a cause: of issues, the first one after `what`, with its clause and offset; an error of the system has its
 * own context.
 *
 * @param what what failed, such as `Could not open 'disk.qcow2'`
 */
export const because =
  (what: string, file?: string) =>
  (cause: Cause): CommandError => {
    if (isError(cause)) return cause
    const [first] = cause
    return commandError(`${what}: ${showCause(cause)}`, {
      ...(first === undefined ? {} : { clause: first.clause, offset: first.at }),
      ...(file === undefined ? {} : { file })
    })
  }

/** The same error, with what failed over it before its reason. */
export const inContext =
  (what: string) =>
  (error: CommandError): CommandError => ({ ...error, message: `${what}: ${error.message}` })

/** What the system says is wrong, without the name of the call; where `fetch` fails, its cause says so. */
export const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message
  return error.message
    .replace(/^[A-Z]+: /, '')
    .replace(/, (open|read|write|stat|fstat|lstat|realpath|readlink|rename|ftruncate|mkdir|unlink).*$/, '')
}

/** Whether an exception is the system's error of this code, `EPIPE` say. */
export const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

const systemError = (what: string, file: string, error: unknown): CommandError =>
  commandError(`Could not ${what} '${file}': ${reason(error)}`, { file })

/**
 * Calls the system; an exception becomes an error that names the file and what was done with it.
 *
 * @param what what is done with the file: `open` becomes `Could not open 'disk.qcow2'`
 */
export const system = <A>(what: string, file: string, call: () => A): E.Either<CommandError, A> =>
  E.tryCatch(call, (error) => systemError(what, file, error))

/** {@link system} for a call that is awaited. */
export const systemTask =
  <A>(what: string, file: string, call: () => Promise<A>): TaskEither<CommandError, A> =>
  async () => {
    try {
      return E.right(await call())
    } catch (error) {
      return E.left(systemError(what, file, error))
    }
  }

/** What a body in do notation yields: the failure that ends it. */
export type Failed = E.Left<CommandError>

/** A body in do notation, which may wait for tasks. */
export type Body<A> = Generator<Failed, A> | AsyncGenerator<Failed, A>

/** The value of a result; a failure ends the body that asks for it. */
export function* get<L, A>(result: E.Either<L, A>): Generator<E.Left<L>, A> {
  if (E.isRight(result)) return result.right
  yield result
  return yield* get(result)
}

/** The value of a task, which is waited for; a failure ends the body that asks for it. */
export async function* wait<A>(task: TaskEither<CommandError, A>): AsyncGenerator<Failed, A> {
  return yield* get(await task())
}

/** A function that runs a body up to its value, or to the first failure that it gets. */
export const either =
  <P extends readonly unknown[], L, A>(body: (...args: P) => Iterator<E.Left<L>, A>) =>
  (...args: P): E.Either<L, A> => {
    const running = body(...args)
    const step = running.next()
    if (step.done === true) return E.right(step.value)
    running.return?.()
    return step.value
  }

/** A function whose task runs a body up to its value, or to the first failure that it gets. */
export const task =
  <P extends readonly unknown[], A>(body: (...args: P) => Body<A>) =>
  (...args: P): TaskEither<CommandError, A> =>
  async () => {
    const running: Iterator<Failed, A> | AsyncIterator<Failed, A> = body(...args)
    const step = await running.next()
    if (step.done === true) return E.right(step.value)
    await running.return?.()
    return step.value
  }

/** Cleans up where a result is a failure. */
export const onLeft =
  (cleanUp: () => void) =>
  <A>(result: E.Either<CommandError, A>): E.Either<CommandError, A> => {
    if (E.isLeft(result)) cleanUp()
    return result
  }

/** Opens something for a body, and closes it when that ends. */
export async function* using<R extends { readonly close: () => void }, A>(
  open: TaskEither<CommandError, R>,
  body: (opened: R) => Body<A>
): AsyncGenerator<Failed, A> {
  const opened = yield* wait(open)
  try {
    return yield* body(opened)
  } finally {
    opened.close()
  }
}
