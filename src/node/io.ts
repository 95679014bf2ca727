/** `qcow2 io`: guest bytes read and written by lines in qemu-io's own words. */
import { createInterface } from 'node:readline/promises'
import * as E from 'fp-ts/lib/Either.js'
import { runSync } from '../bytes/plan.js'
import { fail, failed, ok } from './command.js'
import { Runner, type Target, writingTarget } from './io-run.js'
import { parseLine } from './io-verbs.js'
import { withChain } from './open.js'
import { withImage } from './open-writing.js'
import { complain, print, writer } from './output.js'

/** What the command is given. */
export interface IoOptions {
  readonly cmd: readonly string[]
  readonly readOnly: boolean
  readonly allow: readonly string[]
}

/** Carries out one line; tells whether it did what it says, or that it is the last one. */
const carryOut = (line: string, runner: Runner, target: Pick<Target, 'print' | 'complain'>): boolean | 'quit' => {
  const parsed = parseLine(line)
  if (E.isLeft(parsed)) {
    if (parsed.left.error !== undefined) target.complain(parsed.left.error)
    if (parsed.left.out !== undefined) target.print(parsed.left.out)
    return false
  }
  return parsed.right._tag === 'Quit' ? 'quit' : runner.run(parsed.right)
}

/** Carries out all lines, and tells the exit code. A line that fails does not stop those behind it. */
export const runLines = async (target: Target, lines: Iterable<string> | AsyncIterable<string>): Promise<number> => {
  const runner = new Runner(target)
  let code = ok
  for await (const line of lines) {
    const done = carryOut(line, runner, target)
    if (done === 'quit') break
    if (!done) code = failed
  }
  return code
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

/** The command. */
export const io = async (name: string, { cmd, readOnly, allow }: IoOptions): Promise<number> => {
  const lines = cmd.length > 0 ? cmd : input()
  const { put, end } = writer()
  const out = { print: cmd.length > 0 ? put : print, complain }
  const ended = async (code: Promise<number>): Promise<number> => {
    try {
      return await code
    } finally {
      end()
    }
  }
  if (!readOnly) return ended(withImage(name, { allow }, (session) => runLines(writingTarget(session, out), lines)))
  return ended(
    withChain(name, { allow }, ({ chain, world }) => {
      if (world._tag === 'Async') return Promise.resolve(fail(`Could not open '${name}': it is on a server`))
      const { read } = world
      const run: Target['run'] = (plan, tell = () => undefined) => runSync(plan(), { read, tell })
      return runLines({ ...out, chain: () => chain, run, session: undefined }, lines)
    })
  )
}
