/** Folders in memory where the system has them, one for each run; those of runs that were killed are removed. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Removes what processes that are no longer alive have left in a folder: names that end in their number. */
export const tidy = (base: string, pattern: RegExp): void => {
  if (!existsSync(base)) return
  for (const name of readdirSync(base)) {
    const pid = pattern.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(base, name), { recursive: true, force: true })
  }
}

/** A new folder, which is removed when this process ends. */
export const workFolder = (): string => {
  const base = existsSync(memory) ? memory : tmpdir()
  tidy(base, /^qcow2-same-(\d+)$/)
  const folder = join(base, `qcow2-same-${process.pid}`)
  mkdirSync(folder)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
  return folder
}
