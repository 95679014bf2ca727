/** Whole files: output that appears under its name when it is complete, and not at all when something went wrong. */
import { chmodSync, closeSync, lstatSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'

/** A file that is being made. */
export interface Whole {
  /** Where it is until it is whole. */
  readonly path: string
  /** Gives it its name, and the mode of the file that had it. */
  readonly keep: () => void
  /** Removes what is left of it. */
  readonly drop: () => void
}

const exists = (name: string): boolean => lstatSync(name, { throwIfNoEntry: false }) !== undefined

/** Opens and locks a file that is to be replaced. Throws where that cannot be, as while another process uses it. */
const held = async (target: string): Promise<number> => {
  const { isLocked, lockForWriting } = await import('./lock.js')
  const fd = openSync(target, 'r+')
  if (lockForWriting(fd)) return fd
  closeSync(fd)
  throw new Error(isLocked)
}

/**
 * A file to appear under this name, in the place of a regular file that has it and that no other process uses; anything
 * else is refused by rejecting.
 */
export const wholeFile = async (name: string): Promise<Whole> => {
  const target = exists(name) ? realpathSync(name) : name
  const before = statSync(target, { throwIfNoEntry: false })
  if (before?.isFile() === false) throw new Error('is not a regular file')
  const path = `${target}.${process.pid}.partial`
  const old = before === undefined ? [] : [await held(target)]
  const release = (): void => {
    for (const fd of old.splice(0)) closeSync(fd)
  }
  return {
    path,
    keep: () => {
      release()
      if (before !== undefined) chmodSync(path, before.mode)
      renameSync(path, target)
    },
    drop: () => {
      release()
      rmSync(path, { force: true })
    }
  }
}
