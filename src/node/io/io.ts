/** `qcow2 io`: guest bytes read and written by lines in qemu-io's own words. */
import { createInterface } from 'node:readline/promises'
import * as E from 'fp-ts/lib/Either.js'
import { complain, fail, print, writer } from '../files/output.js'
import { reason } from '../files/file.js'
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

/** The file that the command line names, if it names one; the reason where its options name none. */
const requestOf = (name: string | undefined, o: IoOptions): E.Either<string, OpenRequest | undefined> => {
  if (name === undefined) return E.right(undefined)
  const plain: OpenRequest = { name, format: o.format, readOnly: o.readOnly }
  if (!o.imageOpts) return E.right(plain)
  return E.chain((options: Partial<OpenRequest>): E.Either<string, OpenRequest> => {
    const request = { ...plain, name: '', ...options, readOnly: o.readOnly || options.readOnly === true }
    return request.name === '' ? E.left(`'${name}' names no file: file.filename is missing`) : E.right(request)
  })(imageOptsOf(name))
}

/** The command. */
export const io = async (name: string | undefined, o: IoOptions): Promise<number> => {
  const request = requestOf(name, o)
  if (E.isLeft(request)) return fail(request.left)
  if (o.forceShare && !o.readOnly) return fail('-U can only be used with -r: other processes change what is read')
  const given = o.cmd.length > 0
  const { put, end } = writer()
  const session = new IoSession({ print: given ? put : print, printError: complain, flush: end }, o.allow)
  try {
    const opened = request.right === undefined ? E.right(undefined) : await session.open(request.right)
    if (E.isLeft(opened)) return fail(opened.left)
    try {
      return await session.run(given ? o.cmd : standardInput())
    } finally {
      session.close()
    }
  } catch (error) {
    return fail(`'${session.fileName}': ${reason(error)}`)
  } finally {
    end()
  }
}
