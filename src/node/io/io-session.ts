/** A session of `qcow2 io`: lines carried out one after the other, on the file that is open at the time. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { CommandError } from '../command-error.js'
import { ok } from '../files/output.js'
import { type ImageNode, nodeAt, type NodeOptions } from '../images/image-node.js'
import type { Secrets } from '../images/secrets.js'
import { type IoFile, openIoFile } from './io-file.js'
import { failedBy, failedWith, type Outcome, success } from './line.js'
import { runLine } from './run-line.js'
import { type Access, describeVerbs, parseLine } from './verbs.js'

/** Where a session prints. */
export interface IoOutput {
  /** Prints on standard output, perhaps later. */
  readonly print: (text: string) => E.Either<CommandError, void>
  /** Prints the error of a line. */
  readonly report: (error: CommandError) => void
  /** Prints now what waits to be printed. */
  readonly flush: () => E.Either<CommandError, void>
}

/** The exit code where a line has failed. */
const failed = 1

type Next = E.Either<CommandError, Outcome | 'quit'>

/** Sends the process a signal; where it survives, whether there is such a signal. */
const raise = (signal: number | 'crash'): Outcome => {
  try {
    process.kill(process.pid, signal === 'crash' ? 'SIGABRT' : signal)
    return success()
  } catch {
    return { failed: true, out: '' }
  }
}

const sleep = (milliseconds: number): Outcome => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  return success()
}

/** The file that is open, and where its lines print. */
export class IoSession {
  private file: IoFile | undefined

  /**
   * @param allow folders, beside the image's own, whose files may be opened as backing files and data files
   * @param secrets those that the options of lines may name
   */
  constructor(
    private readonly output: IoOutput,
    private readonly allow: readonly string[] = [],
    private readonly secrets: Secrets = new Map()
  ) {}

  /** Opens a file, where none is open. */
  open(request: ImageNode): TaskEither<CommandError, void> {
    return TE.map((file: IoFile) => {
      this.file = file
    })(openIoFile(request, this.allow))
  }

  /** Closes the file, if one is open, once what is written is durable. */
  close(): E.Either<CommandError, void> {
    const { file } = this
    this.file = undefined
    return file?.close() ?? E.right(undefined)
  }

  /** Carries out lines; the value is the exit code. A line that fails does not stop those after it; the system does. */
  run(lines: Iterable<string> | AsyncIterable<string>): TaskEither<CommandError, number> {
    return async () => {
      let code = ok
      for await (const line of lines) {
        const next = this.runOne(line)
        const outcome = next instanceof Promise ? await next : next
        if (E.isLeft(outcome)) return outcome
        if (outcome.right === 'quit') break
        const printed = this.printOutcome(outcome.right)
        if (E.isLeft(printed)) return printed
        if (outcome.right.failed) code = failed
      }
      return E.right(code)
    }
  }

  private printOutcome({ out, error }: Outcome): E.Either<CommandError, void> {
    if (error !== undefined) this.output.report(error)
    return out === '' ? E.right(undefined) : this.output.print(out)
  }

  private access(): Access {
    if (this.file === undefined) return 'none'
    return this.file.changes === undefined ? 'reading' : 'writing'
  }

  private runOne(text: string): Next | Promise<Next> {
    const parsed = parseLine(text, this.access())
    if (E.isLeft(parsed)) return E.right(parsed.left)
    const line = parsed.right
    switch (line._tag) {
      case 'Open':
        return this.file === undefined
          ? this.openFor({ ...nodeAt(''), secrets: this.secrets, ...line.request })
          : E.right(failedWith("file open already, try 'help close'"))
      case 'Reopen':
        return this.reopen(line.request)
      case 'Close':
        return E.map(() => success())(this.close())
      case 'Help':
        return E.right(describeVerbs(line.topic))
      case 'Sleep':
        return E.right(sleep(line.milliseconds))
      case 'Signal':
        if (line.signal !== 'crash') this.output.flush()
        return E.right(raise(line.signal))
      case 'Quit':
        return E.right('quit')
      default:
        return this.file === undefined ? E.right(success()) : runLine(this.file, line)
    }
  }

  private async openFor(request: ImageNode): Promise<Next> {
    const opened = await this.open(request)()
    return E.right(E.isLeft(opened) ? failedBy(opened.left) : success())
  }

  private reopen(changed: NodeOptions): Next | Promise<Next> {
    const { request } = this.file ?? {}
    if (request === undefined) return E.right({ failed: true, out: '' })
    if (request.temporary === true) return E.right(failedWith('Cannot reopen an image that was opened with -s'))
    const next = { ...request, ...changed }
    if (next.driver !== request.driver) return E.right(failedWith("Cannot change the option 'driver'"))
    for (const option of ['file', 'backing', 'dataFile'] as const)
      if (JSON.stringify(next[option]) !== JSON.stringify(request[option]))
        return E.right(failedWith(`Cannot change the option '${option === 'dataFile' ? 'data-file' : option}'`))
    if (next.copyOnRead === true && next.readOnly === true)
      return E.right(failedWith(`Can't set '${request.file.name}' to r/o with copy-on-read enabled`))
    const closed = this.close()
    return E.isLeft(closed) ? closed : this.openFor(next)
  }
}
