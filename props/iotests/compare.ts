/** Compares the output of a shell test with QEMU's, line by line, and explains the lines that differ. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClauseId } from '../../spec/clauses/index.js'

/** Why lines differ: the same outcome in other words, something that this package does not do, or a rule of its own. */
export type Reason = 'wording' | 'out of scope' | 'our rule'

/** Lines of a test that differ, and why. */
export interface Difference {
  readonly reason: Reason
  readonly why: string
  /** The clause of a rule of ours, where one states it. */
  readonly clause?: ClauseId
  /** How many lines of QEMU's output it explains, and what matches each of them. */
  readonly qemu: readonly [lines: number, pattern?: RegExp]
  /** The same of our output. */
  readonly ours: readonly [lines: number, pattern?: RegExp]
}

/** The lines that only one of two outputs has. */
export interface Changes {
  readonly qemu: readonly string[]
  readonly ours: readonly string[]
}

/** A text without what is in every message of one program: its name, and the clause at the end. */
const plain = (text: string): string =>
  text
    .split('\n')
    .map((line) =>
      line
        .replace(/\s+$/, '')
        .replace(/^(qemu-img|qemu-io|qcow2): /, 'qemu: ')
        .replace(/^IMGFMT: /, 'qemu: ')
        .replace(/ \[[A-Z0-9]+-\d+\]$/, '')
    )
    .join('\n')

/** The lines that differ between the outputs of QEMU and of this package, in their order. */
export const changes = (qemu: string, ours: string): Changes => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-iotests-'))
  try {
    const paths = [qemu, ours].map((text, i) => {
      const path = join(folder, `${i}`)
      writeFileSync(path, plain(text), 'latin1')
      return path
    })
    const { stdout } = spawnSync('diff', ['--text', '-U0', ...paths], { encoding: 'latin1', maxBuffer: 2 ** 28 })
    const lines = stdout.split('\n').slice(2)
    const of = (sign: string) => lines.filter((line) => line.startsWith(sign)).map((line) => line.slice(1))
    return { qemu: of('-'), ours: of('+') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Takes from the lines those that a row explains; the rest, and how many there were. */
const take = (lines: readonly string[], [, pattern]: Difference['qemu']): readonly [string[], number] => {
  const rest = lines.filter((line) => pattern?.test(line) !== true)
  return [rest, lines.length - rest.length]
}

/** What no row explains of the lines that differ, and rows that explain another number of lines; nothing if all is as listed. */
export const unexplained = ({ qemu, ours }: Changes, rows: readonly Difference[]): readonly string[] => {
  const left = { qemu, ours }
  const miscounted = rows.flatMap((row) =>
    (['qemu', 'ours'] as const).flatMap((party) => {
      const [rest, found] = take(left[party], row[party])
      left[party] = rest
      return found === row[party][0] ? [] : [`? ${found} lines of ${party}, ${row[party][0]} are listed: ${row.why}`]
    })
  )
  return [...left.qemu.map((line) => `- ${line}`), ...left.ours.map((line) => `+ ${line}`), ...miscounted]
}
