/** The command line. Each command loads only what it needs. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { reason } from './files/file.js'
import { complain } from './files/output.js'
import { addMaking } from './making.js'
import { addReading } from './reading.js'
import { addWriting } from './writing.js'

const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : ''
}

/** The commands. Each sets the exit code of the process. */
export const program = (): Command => {
  const all = new Command('qcow2')
    .description(
      'Reads qcow2 disk images: decodes, explains and checks every structure, and names the clause of every rule'
    )
    .version(version())
    .configureOutput({
      outputError: (text) => {
        complain(text.replace(/^error: /, '').trim())
      }
    })
    .exitOverride()
  addReading(all)
  addWriting(all)
  addMaking(all)
  return all
}

/** Carries out a command line, without the name of the program, and sets the exit code of the process. */
export const run = async (words: readonly string[]): Promise<void> => {
  try {
    await program().parseAsync(words, { from: 'user' })
  } catch (error) {
    const code = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 1
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')))
      complain(reason(error))
    process.exitCode = code
  }
}

process.stdout.on('error', () => process.exit(1))
void run(process.argv.slice(2))
