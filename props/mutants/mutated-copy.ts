/** A copy of the built code that has one mutant after another, and the process that runs tests over them. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileAccount } from './account.js'
import { copyBuild } from './copy.js'
import { openSession, type Session, type Settings } from './trial.js'

/** A file of the copy and what it has instead. */
export interface Replacement {
  /** Below dist. */
  readonly path: string
  readonly text: string
}

export class MutatedCopy {
  private folder: string
  private names = 0
  private session: Session | undefined

  constructor(
    private readonly name: string,
    private readonly settings: Settings
  ) {
    this.folder = name
    copyBuild(name)
  }

  /** Runs the tests of a title, with a mutant or without one; undefined if the process ends before they do. */
  async run(path: string, title: string, mutant?: Replacement): Promise<FileAccount | undefined> {
    const isNew = this.session === undefined
    const session = (this.session ??= openSession(this.settings))
    // Under a new name the process loads all modules of the copy anew.
    const folder = `${this.name}-${++this.names}`
    renameSync(this.folder, folder)
    this.folder = folder
    const restore = mutant === undefined ? undefined : this.replace(mutant)
    const { accounts } = await session.run({ folder, paths: [path], title })
    restore?.()
    if (!session.hasEnded()) return accounts[0]
    await this.endProcess()
    // The tests before may be what has ended the process.
    return accounts[0] ?? (isNew ? undefined : this.run(path, title, mutant))
  }

  /** Ends the process: the next tests get a new one. */
  async endProcess(): Promise<void> {
    await this.session?.end()
    this.session = undefined
  }

  private replace({ path, text }: Replacement): () => void {
    const file = join(this.folder, 'dist', path)
    const whole = readFileSync(file, 'utf8')
    writeFileSync(file, text)
    return () => writeFileSync(file, whole)
  }
}
