/** `qcow2 io`: guest bytes read and written by lines in qemu-io's own words. */
import { createInterface } from 'node:readline/promises'
import * as E from 'fp-ts/lib/Either.js'
import { complain, fail, failed, ok, print, writer } from '../files/output.js'
import { reason } from '../files/file.js'
import { imageOptsOf, type Wanted } from '../text/image-opts.js'
import { type Current, openCurrent, type Out } from './io-files.js'
import type { FileLine } from './io-line.js'
import { Runner } from './io-run.js'
import { helpOn, parseLine } from './io-verbs.js'

/** What the command is given. */
export interface IoOptions {
  readonly cmd: readonly string[]
  readonly readOnly: boolean
  readonly forceShare: boolean
  readonly allow: readonly string[]
  readonly format: Wanted['format']
  /** Whether the image is named by options. */
  readonly imageOpts: boolean
}

/** Lines carried out one after the other, on the file that is open at the time. */
export class Lines {
  private current: Current | undefined
  private runner: Runner | undefined
  private last = ''

  constructor(
    private readonly out: Out,
    private readonly allow: readonly string[] = [],
    /** Hands on what has been printed. */
    private readonly flush: () => void = () => undefined
  ) {}

  /** Opens a file, where none is; tells whether it could. */
  async open(wanted: Wanted): Promise<boolean> {
    const opened = await openCurrent(wanted, this.allow, this.out)
    if (E.isLeft(opened)) {
      this.out.complain(opened.left)
      return false
    }
    this.current = opened.right
    this.last = wanted.name
    this.runner = new Runner(opened.right.target)
    return true
  }

  /** The name of the file that was opened last. */
  get file(): string {
    return this.last
  }

  /** Closes the file that is open, if there is one. What the system refuses to write is thrown. */
  close(): void {
    const { current } = this
    this.current = undefined
    this.runner = undefined
    current?.close()
  }

  /** Carries out all lines, and tells the exit code. A line that fails does not stop those behind it. */
  async run(lines: Iterable<string> | AsyncIterable<string>): Promise<number> {
    let code = ok
    for await (const line of lines) {
      const done = await this.carryOut(line)
      if (done === 'quit') break
      if (!done) code = failed
    }
    return code
  }

  /** Carries out one line; tells whether it did what it says, or that it is the last one. */
  private carryOut(line: string): boolean | 'quit' | Promise<boolean> {
    const open =
      this.current === undefined ? 'nothing' : this.current.target.session !== undefined ? 'writing' : 'reading'
    const parsed = parseLine(line, open)
    if (E.isLeft(parsed)) {
      if (parsed.left.error !== undefined) this.out.complain(parsed.left.error)
      if (parsed.left.out !== undefined) this.out.print(parsed.left.out)
      return false
    }
    const asked = parsed.right
    switch (asked._tag) {
      case 'Open':
      case 'Reopen':
      case 'Close':
      case 'Quit':
      case 'Help':
      case 'Sleep':
      case 'Signal':
        return this.about(asked)
      default:
        return this.runner?.run(asked) ?? true
    }
  }

  private about(line: FileLine): boolean | 'quit' | Promise<boolean> {
    switch (line._tag) {
      case 'Open':
        return this.openAnother(line.wanted)
      case 'Reopen':
        return this.reopen(line.wanted)
      case 'Close':
        this.close()
        return true
      case 'Help':
        return helpOn(line.topic, this.out.print)
      case 'Sleep':
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, line.milliseconds)
        return true
      case 'Signal':
        if (line.signal !== 'crash') this.flush()
        return raised(line.signal)
      case 'Quit':
        return 'quit'
    }
  }

  private openAnother(wanted: Partial<Wanted>): boolean | Promise<boolean> {
    if (this.current === undefined) return this.open({ name: '', format: 'qcow2', readOnly: false, ...wanted })
    this.out.complain("file open already, try 'help close'")
    return false
  }

  private reopen(wanted: Partial<Wanted>): boolean | Promise<boolean> {
    const before = this.current?.wanted
    if (before === undefined) return false
    const next = { ...before, ...wanted }
    if (next.name !== before.name || next.format !== before.format) {
      this.out.complain(`Cannot change the option '${next.format === before.format ? 'file' : 'driver'}'`)
      return false
    }
    this.close()
    return this.open(next)
  }
}

/** Sends the program a signal; where it lives on, whether there is such a one. */
const raised = (signal: number | 'crash'): boolean => {
  try {
    return process.kill(process.pid, signal === 'crash' ? 'SIGABRT' : signal)
  } catch {
    return false
  }
}

/** The lines of standard input. Somebody at a terminal is asked for each. */
const input = async function* (): AsyncGenerator<string> {
  const terminal = process.stdin.isTTY
  const lines = createInterface({ input: process.stdin, ...(terminal ? { output: process.stdout } : {}) })
  lines.setPrompt('qcow2> ')
  if (terminal) lines.prompt()
  for await (const line of lines) {
    yield line
    if (terminal) lines.prompt()
  }
}

/** The file that the command line names; the reason when it names none. */
const wantedOf = (name: string | undefined, o: IoOptions): E.Either<string, Wanted | undefined> => {
  if (name === undefined) return E.right(undefined)
  const plain: Wanted = { name, format: o.format, readOnly: o.readOnly }
  if (!o.imageOpts) return E.right(plain)
  return E.chain((options: Partial<Wanted>): E.Either<string, Wanted> => {
    const wanted = { ...plain, name: '', ...options, readOnly: o.readOnly || options.readOnly === true }
    return wanted.name === '' ? E.left(`'${name}' names no file: file.filename is missing`) : E.right(wanted)
  })(imageOptsOf(name))
}

/** The command. */
export const io = async (name: string | undefined, o: IoOptions): Promise<number> => {
  const wanted = wantedOf(name, o)
  if (E.isLeft(wanted)) return fail(wanted.left)
  if (o.forceShare && !o.readOnly) return fail('-U can only be used with -r: other processes change what is read')
  const { put, end } = writer()
  const lines = new Lines({ print: o.cmd.length > 0 ? put : print, complain }, o.allow, end)
  try {
    if (wanted.right !== undefined && !(await lines.open(wanted.right))) return failed
    try {
      return await lines.run(o.cmd.length > 0 ? o.cmd : input())
    } finally {
      lines.close()
    }
  } catch (error) {
    return fail(`'${lines.file}': ${reason(error)}`)
  } finally {
    end()
  }
}
