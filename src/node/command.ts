/** Commands: what every one of them does about files and failures. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../bytes/issue.js'
import { type Plan, runSync } from '../bytes/plan.js'
import { openSource, reason, type SourceFile } from './file.js'
import { complain } from './output.js'

/** Exit codes, as qemu-img's. */
export const ok = 0
export const failed = 1

/** Says what went wrong, and is the exit code for it. */
export const fail = (text: string): number => {
  complain(text)
  return failed
}

/** The line for an image that cannot be opened: the first issue, with its clause. */
export const refusalLine = (name: string, issues: readonly Issue[]): string =>
  `Could not open '${name}': ${issues[0]?.message ?? 'no reason known'}`

/** Runs a command on a file that is open for reading, and closes it. */
export const withSource = (name: string, command: (file: SourceFile) => number): number => {
  const file = openSource(name)
  if (E.isLeft(file)) return fail(file.left)
  try {
    return command(file.right)
  } catch (error) {
    return fail(`'${name}': ${reason(error)}`)
  } finally {
    file.right.close()
  }
}

/** Runs a plan on a file; what it tells goes to `tell`. */
export const runOn = <A, W>(
  file: SourceFile,
  plan: Plan<A, W>,
  tell: (what: W) => void = () => undefined
): E.Either<readonly Issue[], A> => runSync(plan, { read: file.read, tell })
