/** Command lines carried out in this process. What they print goes to the files that descriptors 1 and 2 are. */
import { fstatSync, ftruncateSync, readFileSync } from 'node:fs'
import { isObject } from '../../src/bytes/json.js'
import bundle from '../../src/node/bundle.cjs'

type Run = (words: readonly string[]) => Promise<void>

const hasRun = (loaded: unknown): loaded is { readonly run: Run } =>
  isObject(loaded) && typeof loaded['run'] === 'function'

/** The command as it is published, from its bundle. Loading it carries out a command line: that of `--version`. */
export const loadCommand = async (): Promise<Run> => {
  process.argv = [process.execPath, 'qcow2', '--version']
  const loaded = bundle.run(bundle.script(bundle.text()))
  if (!hasRun(loaded)) throw new Error('the bundle of the command exports no function run')
  await new Promise(setImmediate)
  return loaded.run
}

/** The moment that it is for every command. */
const now = 1_750_000_000_000

/** Stops the clocks that outputs may show. */
export const stopClocks = (): void => {
  Date.now = () => now
  performance.now = () => 0
}

/** A descriptor of this process, and the file that it appends to. */
export interface Printer {
  readonly fd: number
  readonly path: string
}

const empty = ({ fd }: Printer): void => {
  if (fstatSync(fd).size > 0) ftruncateSync(fd)
}

const textOf = ({ fd, path }: Printer): string =>
  fstatSync(fd).size === 0 ? '' : readFileSync(path, 'latin1').replaceAll(process.cwd(), '.')

/** What a command line printed, its exit code, and what it threw. */
export interface Said {
  readonly code: string
  readonly thrown: string
  readonly out: string
  readonly error: string
}

/** Carries out command lines one after the other. */
export class Terminal {
  constructor(
    private readonly command: Run,
    private readonly out: Printer,
    private readonly error: Printer
  ) {
    this.clear()
  }

  private clear(): void {
    empty(this.out)
    empty(this.error)
  }

  async run(words: readonly string[]): Promise<Said> {
    process.exitCode = 0
    const thrown = await this.command(words).then(
      () => '',
      (error: unknown) => String(error)
    )
    const said = { code: String(process.exitCode), thrown, out: textOf(this.out), error: textOf(this.error) }
    this.clear()
    process.exitCode = 0
    return said
  }
}
