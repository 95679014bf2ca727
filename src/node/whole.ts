/** Whole files: output that appears under its name when it is complete, and not at all when something went wrong. */
import { chmodSync, lstatSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'

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

/** A file to appear under this name, in the place of a regular file that has it; anything else is refused by throwing. */
export const wholeFile = (name: string): Whole => {
  const target = exists(name) ? realpathSync(name) : name
  const before = statSync(target, { throwIfNoEntry: false })
  if (before?.isFile() === false) throw new Error('is not a regular file')
  const path = `${target}.${process.pid}.partial`
  return {
    path,
    keep: () => {
      if (before !== undefined) chmodSync(path, before.mode)
      renameSync(path, target)
    },
    drop: () => {
      rmSync(path, { force: true })
    }
  }
}
