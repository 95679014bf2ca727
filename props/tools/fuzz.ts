/**
 * `npm run fuzz [-- --executions N] [--seed S] [--shard k/n] [--target NAME] [--corpus FOLDER]`: hostile inputs, guided by coverage.
 *
 * One execution is one mutated image through one target: header, metadata, check, map, dump, read, transition or repair.
 * Images that reach new edges are kept in the folder of the corpus, in the user's cache unless it is named. It prints JSON
 * lines: progress, finds, each with the command that replays it, and a summary. Exit code 1 on a find.
 *
 * - `--merge FILE...` adds up the summaries of shards
 * - `--replay IMAGE --target NAME --draw D` repeats one execution
 * - `--mutant NAME` runs a mutant of the program, to see whether it is found
 */
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Arguments, argumentsOf } from '../fuzz/arguments.js'
import { report, runningIn } from '../fuzz/campaign.js'
import { isTarget } from '../fuzz/execution.js'
import { findsIn, merged, print, summaryIn } from '../fuzz/summary.js'

/** Milliseconds after which one execution is taken to hang, whatever else the machine does. */
const patience = 120_000

/** Megabytes of heap, of which no execution needs a tenth. */
const heap = 1024

const megabytes = `--max-old-space-size=${heap}`

/** The input that was running when a process ended or hung. */
const runningInput = (path: string) => {
  const bytes = new Uint8Array(readFileSync(path))
  const [target = '', draw, length] = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trim().split(' ')
  return isTarget(target) ? { target, draw: Number(draw), image: bytes.slice(64, 64 + Number(length)) } : undefined
}

/** The exit code of the process that executes, in a copy of the program; what it ran is a find if it hangs or dies. */
const supervised = ({ mutant, shard }: Arguments, copy: string, corpus: string): Promise<number> =>
  new Promise((done) => {
    const running = runningIn(corpus, shard)
    const args = [...process.argv.slice(2), '--corpus', corpus]
    const child = spawn(process.execPath, [megabytes, join(copy, 'dist/props/fuzz/worker.js'), ...args], {
      stdio: ['ignore', 'inherit', 'inherit']
    })
    const watch = setInterval(() => {
      const since = statSync(running, { throwIfNoEntry: false })?.mtimeMs
      if (since !== undefined && Date.now() - since > patience) child.kill('SIGKILL')
    }, 5000)
    child.on('close', (code, signal) => {
      clearInterval(watch)
      if (code === 0 || code === 1) {
        done(code)
        return
      }
      const input = runningInput(running)
      const find =
        signal === 'SIGKILL' ? `no end after ${patience / 1000} s` : `the process ends by ${signal ?? String(code)}`
      print({ find, ...(input === undefined ? {} : { target: input.target, replay: report(input, corpus, mutant) }) })
      done(1)
    })
  })

const main = async (): Promise<number> => {
  const asked = argumentsOf(process.argv.slice(2))
  if (asked.merge === undefined) {
    const { fuzzCache, shadow } = await import('../fuzz/shadow.js')
    return supervised(asked, shadow(asked.mutant), resolve(asked.corpus ?? join(fuzzCache, 'corpus')))
  }
  const all = merged(asked.merge.map((file) => summaryIn(file, readFileSync(file, 'utf8'))))
  print(all)
  return findsIn(all) > 0 ? 1 : 0
}

process.exitCode = await main().catch((thrown: unknown) => {
  console.error(thrown instanceof Error ? thrown.message : String(thrown))
  return 1
})
