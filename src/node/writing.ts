/** Commands that change images. */
import { type Command, Option } from 'commander'
import type { BitmapAction, ChangeBitmapOptions } from './commands/change-bitmap.js'
import type { IoOptions } from './io/io.js'
import { allow, format, imageOpts, namedByOptions, acceptIgnored } from './options.js'
import { preallocations } from './text/modes.js'
import type { RebaseOptions } from './commands/rebase.js'
import type { ResizeOptions } from './commands/resize.js'
import type { SnapshotOptions } from './commands/snapshot.js'

const several = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** What changes the snapshots of an image, by the names of the options. */
const changes = ['create', 'apply', 'delete']

/** The commands for guest bytes. */
const addIo = (all: Command): void => {
  acceptIgnored(all.command('io'), '-n', '-t', '-d', '-i', '-k', '-m')
    .description("guest bytes read and written, by lines of qemu-io's commands; without -c from standard input")
    .argument('[image]')
    .addOption(format('-f, --format <format>', 'what the image is'))
    .addOption(imageOpts().default(false))
    .addOption(
      new Option('-c, --cmd <line>', "a line, such as 'write -P 1 0 64k'; may be repeated")
        .argParser(several)
        .default([])
    )
    .option('-r, --read-only', 'change nothing', false)
    .addOption(new Option('-U, --force-share', 'with -r: also while another process writes').default(false).hideHelp())
    .addOption(allow())
    .action(async (image: string | undefined, options: IoOptions) => {
      const { io } = await import('./io/io.js')
      process.exitCode = await io(image, options)
    })
}

const addSnapshot = (all: Command): void => {
  namedByOptions(acceptIgnored(all.command('snapshot'), '-q'))
    .description('snapshots inside the image: listed, taken, gone back to and deleted')
    .argument('<image>')
    .addOption(new Option('-l, --list', 'list them').conflicts(changes))
    .option('-c, --create <name>', 'take one')
    .option('-a, --apply <id or name>', 'make the disk what it was')
    .option('-d, --delete <name>', 'delete one')
    .addOption(new Option('-U, --force-share', 'list them while another process writes').conflicts(changes))
    .action(async (image: string, options: SnapshotOptions) => {
      const { snapshot } = await import('./commands/snapshot.js')
      process.exitCode = await snapshot(image, options)
    })
}

const addResize = (all: Command): void => {
  namedByOptions(all.command('resize'), 'format')
    .description('another size for the guest disk')
    .argument('<image>')
    .addOption(format('-f, --format <format>', 'what the image is'))
    .argument('<size>', 'bytes; k, M, G, T, P and E work; with + or - in front, by so many')
    .addOption(
      new Option('--preallocation <mode>', 'what a disk that grows allocates').choices(preallocations).default('off')
    )
    .option('--shrink', 'let the disk get smaller, which deletes what is behind its end', false)
    .option('-q, --quiet', 'say nothing', false)
    .addOption(allow())
    .allowUnknownOption()
    .action(async (image: string, size: string, options: ResizeOptions) => {
      const { resize } = await import('./commands/resize.js')
      process.exitCode = await resize(image, size, options)
    })
}

const bitmapActions = ['add', 'remove', 'clear', 'enable', 'disable'] as const

const addBitmap = (all: Command): void => {
  const actions: BitmapAction[] = []
  const command = namedByOptions(acceptIgnored(all.command('bitmap'), '-f'))
    .description('dirty bitmaps: added, removed, cleared, enabled, disabled and merged, in the order asked for')
    .argument('<image>')
    .argument('<name>')
    .option('-g, --granularity <bytes>', 'guest bytes of a granule, with --add')
    .option('-b, --source-file <image>', 'the image whose bitmaps are merged, where that is another one')
    .addOption(new Option('-F, --source-format <format>', 'its format').choices(['qcow2']))
    .action(async (image: string, name: string, options: ChangeBitmapOptions) => {
      const { changeBitmap } = await import('./commands/change-bitmap.js')
      process.exitCode = await changeBitmap(image, name, actions, options)
    })
  for (const _tag of bitmapActions)
    command.option(`--${_tag}`, `${_tag} it`).on(`option:${_tag}`, () => actions.push({ _tag }))
  command
    .option('--merge <name>', 'make dirty in it what is dirty in another one')
    .on('option:merge', (from: string) => actions.push({ _tag: 'merge', from }))
}

const addAmend = (all: Command): void => {
  namedByOptions(acceptIgnored(all.command('amend'), '-f', '-t', '-p', '-q', '--force'))
    .description('other properties: compat, refcount_bits, lazy_refcounts, size, data_file, data_file_raw')
    .argument('<image>')
    .addOption(new Option('-o, --options <name=value,...>', 'what is to change').argParser(several).default([]))
    .addOption(allow())
    .action(
      async (image: string, options: { readonly options: readonly string[]; readonly allow: readonly string[] }) => {
        const { amend } = await import('./commands/amend.js')
        process.exitCode = await amend(image, options.options, options.allow)
      }
    )
}

const addRebase = (all: Command): void => {
  namedByOptions(acceptIgnored(all.command('rebase'), '-f', '-t', '-T', '-p', '-q', '-U'))
    .description('another backing file')
    .argument('<image>')
    .option('-u, --unsafe', 'change its name only, and do not look at it; else the guest disk stays the same', false)
    .option('-b, --backing <name>', 'the backing file; none where it is empty')
    .option('-F, --backing-format <format>', 'its format')
    .addOption(allow())
    .action(async (image: string, options: RebaseOptions) => {
      const { rebase } = await import('./commands/rebase.js')
      process.exitCode = await rebase(image, options)
    })
}

/** Adds them. */
export const addWriting = (all: Command): void => {
  for (const add of [addIo, addSnapshot, addResize, addBitmap, addAmend, addRebase]) add(all)
}
