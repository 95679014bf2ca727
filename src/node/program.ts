/** The command line: the command that it names, and its outcome. */
import { Command as Parser, CommanderError } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, failure, get, reason, task, wait } from './command-error.js'
import type { Command, Report } from './commands/command.js'
import { ok, print } from './files/output.js'

/** The commands, each of which is loaded when the command line names it. */
const commands = {
  info: async () => (await import('./commands/info.js')).info,
  check: async () => (await import('./commands/check.js')).check,
  map: async () => (await import('./commands/map.js')).map,
  read: async () => (await import('./commands/read.js')).read,
  compare: async () => (await import('./commands/compare.js')).compare,
  explain: async () => (await import('./commands/explain.js')).explain,
  explore: async () => (await import('./commands/explore.js')).explore,
  dump: async () => (await import('./commands/dump.js')).dump,
  assemble: async () => (await import('./commands/assemble.js')).assemble,
  metadump: async () => (await import('./commands/metadump.js')).metadump,
  measure: async () => (await import('./commands/measure.js')).measure,
  create: async () => (await import('./commands/create.js')).create,
  convert: async () => (await import('./commands/convert.js')).convert,
  dd: async () => (await import('./commands/dd.js')).dd,
  io: async () => (await import('./commands/io.js')).io,
  snapshot: async () => (await import('./commands/snapshot.js')).snapshot,
  bitmap: async () => (await import('./commands/bitmap.js')).bitmap,
  resize: async () => (await import('./commands/resize.js')).resize,
  amend: async () => (await import('./commands/amend.js')).amend,
  rebase: async () => (await import('./commands/rebase.js')).rebase,
  commit: async () => (await import('./commands/commit.js')).commit,
  nbd: async () => (await import('./commands/nbd.js')).nbd,
  conform: async () => (await import('./commands/conform.js')).conform,
  crash: async () => (await import('./commands/crash.js')).crash,
  fuzz: async () => (await import('./commands/fuzz.js')).fuzz
} satisfies Readonly<Record<string, () => Promise<Command>>>

export type CommandName = keyof typeof commands

/** What each command does, in the order of the help. */
export const summaries: Readonly<Record<CommandName, string>> = {
  info: 'print sizes, features, extensions, snapshots, bitmaps and findings of an image',
  check: "check the consistency of an image, with qemu-img's counts and exit codes, and repair it",
  map: 'print where the guest bytes are stored, through the backing files',
  read: 'print guest bytes to standard output',
  compare: 'compare the guest disks of two images: exit code 0 if they are the same, 1 if not, 2 after an error',
  explain: 'print what a byte of the file belongs to, how it decodes, and its clause',
  explore: 'show an image in the browser: structures, bytes, rules, findings and maps',
  dump: 'print every structure as JSON, with byte ranges',
  assemble: 'make an image from a dump: the inverse of dump --data=inline',
  metadump: 'copy the metadata of an image alone, to attach to a bug report: no guest data, no keys, names replaced',
  measure: 'print how large a file a new image needs, for a size or for the guest disk of an image',
  create: "create an image, from qemu-img's options",
  convert: 'copy guest disks into a raw file, with holes for zeros, or into an image',
  dd: 'copy blocks of a guest disk into a raw file or an image: if=INPUT of=OUTPUT bs= count= skip=',
  io: "read and write guest bytes, by lines of qemu-io's commands; without -c from standard input",
  snapshot: 'list, create, apply and delete the internal snapshots of an image',
  bitmap: 'add, remove, clear, enable, disable and merge dirty bitmaps, in the order of the options',
  resize: 'change the size of the guest disk',
  amend: 'change properties: compat, refcount_bits, lazy_refcounts, size, data_file, data_file_raw',
  rebase: 'change the backing file; the guest disk stays the same, unless -u is given',
  commit: 'copy what an overlay holds into its backing file, and empty the overlay',
  nbd: 'serve the guest disk to NBD clients on a Unix socket or a port, as qemu-nbd does',
  conform: 'run another reader, checker or writer over the conformance vectors, and print the clauses that it breaks',
  crash: 'run a program that writes an image under strace, and judge what a crash may leave of its writes',
  fuzz: 'write generated images, valid, nearly valid and hostile, or compare a reader on them with this package'
}

const isCommand = (word: string): word is CommandName => word in commands

/** The names of the commands, in the order of the help. */
export const commandNames: readonly CommandName[] = Object.keys(summaries).filter(isCommand)

/** Loads a command. */
export const loadCommand = (name: CommandName): Promise<Command> => commands[name]()

/** The text that `--version` prints; it is read only for that. */
const versionAsked = async (word: string | undefined): Promise<string> =>
  word === '--version' || word === '-V' ? (await import('./version.js')).versionText() : ''

export const description =
  'Reads, checks, explains, creates and changes qcow2 disk images, and names the clause of every rule that one breaks.'

/** What a command line asks for, which may be the text of the help. */
type Asked = TaskEither<CommandError, number>

/** Parses a command line. */
const parse =
  (words: readonly string[], report: Report): TaskEither<CommandError, Asked> =>
  async () => {
    let asked: Asked = () => Promise.resolve(E.right(ok))
    let help = ''
    const writeOut = (text: string): void => {
      help += text
      asked = () => Promise.resolve(E.map(() => ok)(print(help)))
    }
    const program = new Parser('qcow2')
      .description(description)
      .version(
        await versionAsked(words[0]),
        '-V, --version',
        'print the version, and those of QEMU it was compared with'
      )
      .configureOutput({ writeOut, writeErr: () => undefined })
      .configureHelp({ subcommandTerm: (command) => command.name() })
      .exitOverride()
    const start = (named: Asked): void => {
      asked = named
    }
    const word = words[0] === 'help' ? words[1] : words[0]
    for (const name of commandNames) {
      const parser = program.command(name).description(summaries[name])
      if (name === word) (await loadCommand(name)).declare(parser, start, report)
    }
    const ended: unknown = await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => error)
    if (ended === program || (ended instanceof CommanderError && ended.exitCode === ok)) return E.right(asked)
    return failure(
      reason(ended)
        .replace(/^error: /, '')
        .trim()
        .replace(/\s*\n\s*/g, ' ')
    )
  }

/** What Node puts in the place of bytes that are not UTF-8, so that several names become the same one. */
const replacement = '\ufffd'

/**
 * Carries out a command line, from the name of the command on. The value is the exit code.
 *
 * @param report prints an error that does not end the command
 */
export const execute = task(async function* (words: readonly string[], report: Report) {
  if (words.length === 0) yield* get(failure('No command is given; qcow2 --help lists them'))
  const garbled = words.find((word) => word.includes(replacement))
  if (garbled !== undefined)
    yield* get(
      failure(`'${garbled}' contains U+FFFD, which replaces bytes that are not UTF-8: only names in UTF-8 can be given`)
    )
  const asked = yield* wait(parse(words, report))
  return yield* wait(asked)
})
