/** `qcow2 io`: guest bytes read and written by lines in qemu-io's own words. */
import { createInterface } from 'node:readline/promises'
import type * as E from 'fp-ts/lib/Either.js'
import { flow } from 'fp-ts/lib/function.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, either, failure, get, orError, task, wait } from '../command-error.js'
import { dropUnread, print, textWriter } from '../files/output.js'
import { imageOptsOf, type OpenRequest } from '../text/image-opts.js'
import { IoSession } from './session.js'

/** Options of the command. */
export interface IoOptions {
  /** Lines, in place of standard input. */
  readonly cmd: readonly string[]
  readonly readOnly: boolean
  readonly forceShare: boolean
  readonly allow: readonly string[]
  readonly format: OpenRequest['format']
  /** Whether the image is named by options. */
  readonly imageOpts: boolean
}

/** The lines of standard input, with a prompt on a terminal. */
const standardInput = async function* (): AsyncGenerator<string> {
  const terminal = process.stdin.isTTY
  const lines = createInterface({ input: process.stdin, ...(terminal ? { output: process.stdout } : {}) })
  lines.setPrompt('qcow2> ')
  if (terminal) lines.prompt()
  for await (const line of lines) {
    yield line
    if (terminal) lines.prompt()
  }
}

/** The file that the command line names, if it names one. */
const requestOf = (name: string | undefined, o: IoOptions): E.Either<CommandError, OpenRequest | undefined> =>
  either(function* () {
    if (name === undefined) return undefined
    const plain: OpenRequest = { name, format: o.format, readOnly: o.readOnly }
    if (!o.imageOpts) return plain
    const options = yield* get(orError(imageOptsOf(name)))
    if (options.name === undefined) yield* get(failure(`'${name}' names no file: file.filename is missing`))
    return { ...plain, ...options, readOnly: o.readOnly || options.readOnly === true }
  })

/**
 * Carries out the lines of the command.
 *
 * @param report prints the error of a line, which does not stop those after it
 */
export const runLines = (
  name: string | undefined,
  o: IoOptions,
  report: (error: CommandError) => void
): TaskEither<CommandError, number> =>
  task(async function* () {
    const request = yield* get(requestOf(name, o))
    if (o.forceShare && !o.readOnly)
      yield* get(failure('-U can only be used with -r: other processes change what is read'))
    const given = o.cmd.length > 0
    const { put, end } = textWriter()
    const output = { print: given ? flow(put, dropUnread) : print, report, flush: flow(end, dropUnread) }
    const session = new IoSession(output, o.allow)
    if (request !== undefined) yield* wait(session.open(request))
    const code = await session.run(given ? o.cmd : standardInput())()
    const [closed, flushed] = [session.close(), output.flush()]
    const exitCode = yield* get(code)
    for (const ended of [closed, flushed]) yield* get(ended)
    return exitCode
  })
