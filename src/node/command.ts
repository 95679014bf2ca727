/** Commands: what every one of them does about sources and failures. */
import * as E from 'fp-ts/lib/Either.js'
import { type Failure, showFailure } from '../bytes/run-async.js'
import { reason } from './file.js'
import { complain } from './output.js'
import { openSource, type Source } from './source.js'

/** Exit codes, as qemu-img's. */
export const ok = 0
export const failed = 1

/** Says what went wrong, and is the exit code for it. */
export const fail = (text: string): number => {
  complain(text)
  return failed
}

/** The line for an image that cannot be opened, by its first issue with its clause, or that cannot be read. */
export const refusalLine = (name: string, failure: Failure): string =>
  `Could not ${'_tag' in failure ? 'read' : 'open'} '${name}': ${showFailure(failure)}`

/** Runs a command on an image that is open for reading, and closes it. */
export const withSource = async (name: string, command: (source: Source) => Promise<number>): Promise<number> => {
  const source = await openSource(name)
  if (E.isLeft(source)) return fail(source.left)
  try {
    return await command(source.right)
  } catch (error) {
    return fail(`'${name}': ${reason(error)}`)
  } finally {
    source.right.close()
  }
}
