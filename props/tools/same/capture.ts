/** Command lines carried out in this process. What they print goes to the files that descriptors 1 and 2 are. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync
} from 'node:fs'
import type { Answer, Ask } from './protocol.js'

/** The moment that it is for every command. */
const now = 1_750_000_000_000

/** Stops the clocks that outputs may show. */
export const stopClocks = (): void => {
  Date.now = () => now
  performance.now = () => 0
}

/** A descriptor of this process, and the file that it appends to. */
interface Printed {
  readonly fd: number
  readonly path: string
}

const empty = ({ fd }: Printed): void => {
  if (fstatSync(fd).size > 0) ftruncateSync(fd)
}

const textOf = ({ fd, path }: Printed): string =>
  fstatSync(fd).size === 0 ? '' : readFileSync(path, 'latin1').replaceAll(process.cwd(), '.')

export const digestOf = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('base64url').slice(0, 16)

/** Of a file of more bytes, which is mostly a hole, only so many at both ends are read. */
const large = 2 ** 28
const end = 2 ** 20

const endsOf = (name: string, size: number): Buffer => {
  const fd = openSync(name, 'r')
  const ends = Buffer.alloc(2 * end)
  readSync(fd, ends, 0, end, 0)
  readSync(fd, ends, end, end, size - end)
  closeSync(fd)
  return ends
}

const fileText = (name: string): string => {
  if (!existsSync(name)) return `${name} is missing`
  const { size } = statSync(name)
  if (size > large) return `${name} of ${size} bytes, both ends ${digestOf(endsOf(name, size))}`
  const bytes = readFileSync(name)
  return `${name} of ${bytes.length} bytes, ${digestOf(bytes)}`
}

/** Carries out command lines one after the other. */
export class Terminal {
  constructor(
    private readonly run: (words: readonly string[]) => Promise<void>,
    private readonly out: Printed,
    private readonly error: Printed
  ) {
    this.clear()
  }

  clear(): void {
    empty(this.out)
    empty(this.error)
  }

  async answer({ words, makes }: Ask): Promise<Answer> {
    process.exitCode = 0
    for (const name of makes) if (name.startsWith('out.')) rmSync(name, { force: true })
    const thrown = await this.run(words).then(
      () => '',
      (error: unknown) => `--- thrown\n${String(error)}\n`
    )
    const code = String(process.exitCode)
    const made = makes.map((name) => `${fileText(name)}\n`).join('')
    const text = `exit code ${code}\n${thrown}--- stdout\n${textOf(this.out)}--- stderr\n${textOf(this.error)}--- files\n${made}`
    this.clear()
    process.exitCode = 0
    return { label: words.join(' '), code, text, writes: 0 }
  }
}
