/** A cage: a program that may write in its own folder alone, by bubblewrap. */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'

const bound = (folder: string): readonly string[] => [
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--bind',
  folder,
  folder,
  '--chdir',
  folder,
  '--die-with-parent'
]

/** Puts a command line into a cage around a folder. */
export type Cage = (words: readonly [string, ...string[]], folder: string) => readonly [string, ...string[]]

const caged: Cage = (words, folder) => ['bwrap', ...bound(folder), '--', ...words]
const free: Cage = (words) => words

/** The cage of this machine, and what a report says of it. */
export const cageHere = (): { readonly cage: Cage; readonly note: string } => {
  const folder = tmpdir()
  const { status } = spawnSync('bwrap', [...bound(folder), '--', 'true'], { stdio: 'ignore' })
  return status === 0
    ? { cage: caged, note: 'Writes outside of its own folder were prevented by bubblewrap.' }
    : { cage: free, note: 'Writes outside of its own folder were not watched: bubblewrap cannot be run here.' }
}
