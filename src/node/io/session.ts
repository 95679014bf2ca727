/** A session of `qcow2 io`: lines carried out one after the other, on the file that is open at the time. */
import * as E from 'fp-ts/lib/Either.js'
import { failed, ok } from '../files/output.js'
import type { OpenRequest } from '../text/image-opts.js'
import { type IoFile, openIoFile } from './file.js'
import { failedWith, type Outcome, success } from './line.js'
import { runLine } from './run-line.js'
import { type Access, describeVerbs, parseLine } from './verbs.js'

/** Where a session prints. */
export interface IoOutput {
  /** Prints on standard output, perhaps later. */
  readonly print: (text: string) => void
  /** Prints one line on standard error. */
  readonly printError: (text: string) => void
  /** Prints now what waits to be printed. */
  readonly flush: () => void
}

type Next = Outcome | 'quit'

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
  private lastName = ''

  /** @param allow folders, beside the image's own, whose files may be opened as backing files */
  constructor(
    private readonly output: IoOutput,
    private readonly allow: readonly string[] = []
  ) {}

  /** The name of the file that was opened last. */
  get fileName(): string {
    return this.lastName
  }

  /** Opens a file, where none is open; the reason when that fails. */
  async open(request: OpenRequest): Promise<E.Either<string, void>> {
    const opened = await openIoFile(request, this.allow)
    if (E.isLeft(opened)) return opened
    this.file = opened.right
    this.lastName = request.name
    return E.right(undefined)
  }

  /** Closes the file, if one is open. Throws what the system throws when it writes. */
  close(): void {
    const { file } = this
    this.file = undefined
    file?.close()
  }

  /** Carries out lines, and returns the exit code. A line that fails does not stop those after it. */
  async run(lines: Iterable<string> | AsyncIterable<string>): Promise<number> {
    let code = ok
    for await (const line of lines) {
      const next = this.runOne(line)
      const outcome = next instanceof Promise ? await next : next
      if (outcome === 'quit') break
      this.printOutcome(outcome)
      if (outcome.failed) code = failed
    }
    return code
  }

  private printOutcome({ out, error }: Outcome): void {
    if (error !== undefined) this.output.printError(error)
    if (out !== '') this.output.print(out)
  }

  private access(): Access {
    if (this.file === undefined) return 'none'
    return this.file.changes === undefined ? 'reading' : 'writing'
  }

  private runOne(text: string): Next | Promise<Next> {
    const parsed = parseLine(text, this.access())
    if (E.isLeft(parsed)) return parsed.left
    const line = parsed.right
    switch (line._tag) {
      case 'Open':
        return this.file === undefined
          ? this.openFor({ name: '', format: 'qcow2', readOnly: false, ...line.request })
          : failedWith("file open already, try 'help close'")
      case 'Reopen':
        return this.reopen(line.request)
      case 'Close':
        this.close()
        return success()
      case 'Help':
        return describeVerbs(line.topic)
      case 'Sleep':
        return sleep(line.milliseconds)
      case 'Signal':
        if (line.signal !== 'crash') this.output.flush()
        return raise(line.signal)
      case 'Quit':
        return 'quit'
      default:
        return this.file === undefined ? success() : runLine(this.file, line)
    }
  }

  private async openFor(request: OpenRequest): Promise<Outcome> {
    return E.match(failedWith, () => success())(await this.open(request))
  }

  private reopen(changed: Partial<OpenRequest>): Outcome | Promise<Outcome> {
    const { request } = this.file ?? {}
    if (request === undefined) return { failed: true, out: '' }
    const next = { ...request, ...changed }
    if (next.format !== request.format) return failedWith("Cannot change the option 'driver'")
    if (next.name !== request.name) return failedWith("Cannot change the option 'file'")
    this.close()
    return this.openFor(next)
  }
}
