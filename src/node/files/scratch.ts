/** Scratch folders: each is there for one use, and is removed after it, by a signal too. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, get, system, task, wait } from '../command-error.js'
import { addPartial, dropPartial } from './partial.js'

/** Does something in a new folder among the temporary files. */
export const inScratch = task(async function* <A>(use: (folder: string) => TaskEither<CommandError, A>) {
  const folder = yield* get(system('create', tmpdir(), () => mkdtempSync(join(tmpdir(), 'qcow2-'))))
  addPartial(folder)
  try {
    return yield* wait(use(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
    dropPartial(folder)
  }
})
