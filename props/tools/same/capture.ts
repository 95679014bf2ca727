/** The answers to questions of command lines: what they print, and the files that they leave. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs'
import type { Terminal } from '../../run/terminal.js'
import type { Answer, Ask } from './protocol.js'

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

/** Carries out the command line of a question. */
export const answerOf = async (terminal: Terminal, { words, makes }: Ask): Promise<Answer> => {
  for (const name of makes) if (name.startsWith('out.')) rmSync(name, { force: true })
  const { code, thrown, out, error } = await terminal.run(words)
  const outcome = thrown === '' ? '' : `--- thrown\n${thrown}\n`
  const made = makes.map((name) => `${fileText(name)}\n`).join('')
  const text = `exit code ${code}\n${outcome}--- stdout\n${out}--- stderr\n${error}--- files\n${made}`
  return { label: words.join(' '), code, text, writes: 0 }
}
