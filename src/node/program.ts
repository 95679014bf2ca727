/** The command line: the command that it names, and its outcome. */
import { readFileSync } from 'node:fs'
import { Command as Parser, CommanderError } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, failure, get, reason, task, wait } from './command-error.js'
import type { Command, Report } from './commands/command.js'
import { ok, print } from './files/output.js'

/** The commands, each of which is loaded when it is needed. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  info: async () => (await import('./commands/info.js')).info,
  check: async () => (await import('./commands/check.js')).check,
  map: async () => (await import('./commands/map.js')).map,
  read: async () => (await import('./commands/read.js')).read,
  compare: async () => (await import('./commands/compare.js')).compare,
  explain: async () => (await import('./commands/explain.js')).explain,
  dump: async () => (await import('./commands/dump.js')).dump,
  assemble: async () => (await import('./commands/assemble.js')).assemble,
  create: async () => (await import('./commands/create.js')).create,
  convert: async () => (await import('./commands/convert.js')).convert,
  io: async () => (await import('./commands/io.js')).io,
  snapshot: async () => (await import('./commands/snapshot.js')).snapshot,
  bitmap: async () => (await import('./commands/bitmap.js')).bitmap,
  resize: async () => (await import('./commands/resize.js')).resize,
  amend: async () => (await import('./commands/amend.js')).amend,
  rebase: async () => (await import('./commands/rebase.js')).rebase,
  commit: async () => (await import('./commands/commit.js')).commit
}

/** The commands that a command line needs: the one that it names, none for the version, all for the help. */
const commandsFor = (word = ''): readonly (() => Promise<Command>)[] => {
  const named = commands[word]
  if (named !== undefined) return [named]
  return ['-V', '--version'].includes(word) ? [] : Object.values(commands)
}

const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : ''
}

const description =
  'Reads, checks, explains, creates and changes qcow2 disk images, and names the clause of every rule that one breaks.'

/** What a command line asks for. What the parser prints itself, such as help, is done by then. */
type Asked = TaskEither<CommandError, number>

/** Parses a command line. */
const parse =
  (words: readonly string[], report: Report): TaskEither<CommandError, Asked> =>
  async () => {
    let asked: Asked = () => Promise.resolve(E.right(ok))
    const program = new Parser('qcow2')
      .description(description)
      .version(version())
      .configureOutput({ writeOut: print, writeErr: () => undefined })
      .exitOverride()
    for (const load of commandsFor(words[0]))
      (await load()).declare(
        program,
        (named) => {
          asked = named
        },
        report
      )
    const ended: unknown = await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => error)
    if (ended === program || (ended instanceof CommanderError && ended.exitCode === ok)) return E.right(asked)
    return failure(reason(ended).replace(/^error: /, ''))
  }

/**
 * Carries out a command line, from the name of the command on. The value is the exit code.
 *
 * @param report prints an error that does not end the command
 */
export const execute = task(async function* (words: readonly string[], report: Report) {
  if (words.length === 0) yield* get(failure('No command is given; qcow2 --help lists them'))
  const asked = yield* wait(parse(words, report))
  return yield* wait(asked)
})
