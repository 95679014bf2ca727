/** Command lines of this program, many in one process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

/** A command line, without the name of the program, and the folder that it runs in. */
export interface Line {
  readonly cwd: string
  readonly words: readonly string[]
}

const Ended = t.type({ status: t.number, stderr: t.string })

/** How a command line ended. */
export interface Outcome extends t.TypeOf<typeof Ended> {
  readonly stdout: string
}

/** What separates how a line ended from what is printed, before and after it. */
const mark = '\0ended\0'

/** Carries out command lines, each in its folder. */
const helper = `
import { readFileSync, writeSync } from 'node:fs'
import { execute } from ${JSON.stringify(new URL('../../src/node/program.js', import.meta.url).href)}
process.on('warning', () => undefined)
for (const { cwd, words } of JSON.parse(readFileSync(process.argv[1], 'utf8'))) {
  process.chdir(cwd)
  let stderr = ''
  const report = ({ message }) => (stderr += 'qcow2: ' + message + '\\n')
  const done = await execute(words, report)()
  if (done._tag === 'Left') report(done.left)
  const status = done._tag === 'Left' ? done.left.exitCode : done.right
  writeSync(1, ${JSON.stringify(mark)} + JSON.stringify({ status, stderr }) + ${JSON.stringify(mark)})
}`

/** Runs the lines one after the other; the outcomes are in the same order. What is printed is text, byte for byte. */
export const runLines = async (lines: readonly Line[]): Promise<readonly Outcome[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-lines-'))
  try {
    const list = join(folder, 'lines.json')
    writeFileSync(list, JSON.stringify(lines))
    const args = ['--input-type=module', '-e', helper, list]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    await once(child, 'close')
    const parts = Buffer.concat(pieces).toString('latin1').split(mark)
    return lines.map((line, i) => {
      const ended = Ended.decode(JSON.parse(parts[2 * i + 1] ?? 'null'))
      if (E.isLeft(ended)) throw new Error(`${line.words.join(' ')}: the process ended before it`)
      return { ...ended.right, stdout: parts[2 * i] ?? '' }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
