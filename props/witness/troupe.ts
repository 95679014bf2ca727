/** Plays scripts in a few processes at a time. */
import { fork } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Party } from './document.js'
import type { Played } from './worker.js'

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))

const isPlayed = (u: unknown): u is readonly Played[] => Array.isArray(u)

/** The outcomes of scripts, by their places among all, for each of the parties that this machine has. */
export const perform = async (
  scripts: readonly number[],
  parties: readonly Party[],
  jobs = availableParallelism()
): Promise<readonly Played[]> => {
  const all: Played[] = []
  const waiting = scripts.values()
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const folder = mkdtempSync(join(tmpdir(), 'qcow2-witnesses-'))
      const [out, error] = [join(folder, 'out'), join(folder, 'err')]
      const [fdOut, fdError] = [openSync(out, 'a'), openSync(error, 'a')]
      const child = fork(worker, [out, error, parties.join(',')], { stdio: ['ignore', fdOut, fdError, 'ipc'] })
      closeSync(fdOut)
      closeSync(fdError)
      child.on('message', (message) => {
        if (isPlayed(message)) all.push(...message)
        const next = waiting.next()
        if (next.done === true) child.disconnect()
        else child.send(next.value)
      })
      child.on('exit', (code) => {
        const said = readFileSync(error, 'utf8')
        rmSync(folder, { recursive: true })
        if (code === 0) resolve()
        else reject(new Error(`a process that plays scripts ended with ${code ?? 'a signal'}: ${said}`))
      })
    })
  await Promise.all(Array.from({ length: jobs }, one))
  return [...all].sort((a, b) => a.script - b.script)
}
