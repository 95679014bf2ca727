/** Copies of the built code, in which a file can be changed for a trial. */
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Copies what the build has made into a new folder, with links to everything else that tests read. */
export const copyBuild = (folder: string): void => {
  mkdirSync(folder)
  for (const built of ['corpus', 'props', 'spec', 'src'])
    cpSync(join(root, 'dist', built), join(folder, 'dist', built), { recursive: true })
  for (const kept of ['corpus', 'node_modules', 'package.json', 'props', 'spec', 'src'])
    symlinkSync(join(root, kept), join(folder, kept))
}
