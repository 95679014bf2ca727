/** Commands that read images. */
import { type Command, Option } from 'commander'
import type { DumpData } from '../image/dump/dump.js'
import type { CheckCommandOptions } from './commands/check.js'
import type { CompareOptions } from './commands/compare.js'
import type { MapOptions } from './commands/map.js'
import type { OpenOptions } from './images/open.js'
import { allow, bytes, format, namedByOptions, output, snapshot, acceptIgnored } from './options.js'
import type { Printing } from './files/output.js'

interface BackingChain {
  readonly format: 'qcow2' | 'raw'
  readonly backingChain: boolean
  readonly allow: readonly string[]
}

/** Adds them. */
export const addReading = (all: Command): void => {
  namedByOptions(acceptIgnored(all.command('info'), '-U'), 'format')
    .description('what an image is: sizes, features, extensions, snapshots, bitmaps, and what is wrong with them')
    .argument('<image>')
    .addOption(format('-f, --format <format>', 'what the image is'))
    .addOption(output())
    .option('--backing-chain', 'and what its backing files are', false)
    .addOption(allow())
    .action(async (image: string, options: Printing & BackingChain) => {
      const { info, infoChain } = await import('./commands/info.js')
      const json = options.output === 'json'
      process.exitCode = options.backingChain
        ? await infoChain(image, options.allow, json)
        : await info(image, json, options.format === 'raw')
    })
  namedByOptions(acceptIgnored(all.command('check'), '-T', '-U'), 'format')
    .description('whether an image is consistent: counts and exit codes as qemu-img has them, and a finding for each')
    .argument('<image>')
    .addOption(output())
    .option('--strict', 'every broken must of the format is an error', false)
    .option('--deep', 'read and decode every compressed cluster', false)
    .addOption(new Option('-r, --repair <what>', 'what is repaired first').choices(['leaks', 'all']))
    .option('-q, --quiet', 'print errors only', false)
    .addOption(format('-f, --format <format>', 'what the image is'))
    .action(async (image: string, options: CheckCommandOptions) => {
      const { checkCommand } = await import('./commands/check.js')
      process.exitCode = await checkCommand(image, options)
    })
  namedByOptions(acceptIgnored(all.command('map'), '-f', '-U'))
    .description('where the guest bytes are, through the backing files')
    .argument('<image>')
    .addOption(output())
    .addOption(allow())
    .addOption(snapshot('--snapshot <id or name>'))
    .addOption(new Option('--bitmap <name>', 'which of them a dirty bitmap marks, instead').conflicts('snapshot'))
    .option('-s, --start-offset <offset>', 'where to begin', bytes('start offset'), 0)
    .option('-l, --max-length <bytes>', 'how far to go', bytes('max length'), Infinity)
    .action(async (image: string, options: MapOptions & { readonly bitmap?: string }) => {
      if (options.bitmap !== undefined) {
        const { bitmapCommand } = await import('./commands/bitmap.js')
        process.exitCode = await bitmapCommand(image, options.bitmap, options.output)
        return
      }
      const { mapCommand } = await import('./commands/map.js')
      process.exitCode = await mapCommand(image, options)
    })
  all
    .command('read')
    .description('guest bytes to standard output')
    .argument('<image>')
    .argument('<offset>', 'guest offset; 0x and k, M, G work', bytes('offset'))
    .argument('<length>', 'bytes', bytes('length'))
    .addOption(allow())
    .addOption(snapshot())
    .option('--vm-state', "the snapshot's VM state in place of its disk; -l names the snapshot", false)
    .action(async (image: string, offset: number, length: number, options: OpenOptions) => {
      const { readCommand } = await import('./commands/read.js')
      process.exitCode = await readCommand(image, offset, length, options)
    })
  namedByOptions(acceptIgnored(all.command('compare'), '-T', '-p', '-U'), 'format', 'secondFormat')
    .description(
      'whether two images hold the same guest disk: exit code 0 if they do, 1 if not, 2 if that cannot be told'
    )
    .argument('<first>')
    .argument('<second>')
    .addOption(format('-f, --format <format>', 'what the first is'))
    .addOption(format('-F, --second-format <format>', 'what the second is'))
    .option('-s, --strict', 'images that hold their disks in other ways are different', false)
    .option('-q, --quiet', 'print errors only', false)
    .addOption(allow())
    .action(async (first: string, second: string, options: CompareOptions) => {
      const { compare } = await import('./commands/compare.js')
      process.exitCode = await compare(first, second, options)
    })
  all
    .command('dump')
    .description('every structure as JSON, with byte ranges; with --data=inline every byte')
    .argument('<image>')
    .addOption(
      new Option('--data <which>', 'bytes that no structure covers').choices(['none', 'inline']).default('none')
    )
    .action(async (image: string, options: { readonly data: DumpData }) => {
      const { dumpCommand } = await import('./commands/dump.js')
      process.exitCode = await dumpCommand(image, options.data)
    })
  all
    .command('assemble')
    .description('the inverse of dump --data=inline: the same image, byte for byte')
    .argument('<dump>')
    .argument('<image>')
    .action(async (dump: string, image: string) => {
      const { assemble } = await import('./commands/assemble.js')
      process.exitCode = assemble(dump, image)
    })
  all
    .command('explain')
    .description('what a byte of the file belongs to, how it decodes, and which clause rules it')
    .argument('<image>')
    .argument('[offset]', 'byte offset in the file; 0x and k, M, G work', bytes('offset'), 0)
    .addOption(output())
    .action(async (image: string, offset: number, options: Printing) => {
      const { explainCommand } = await import('./commands/explain.js')
      process.exitCode = await explainCommand(image, offset, options.output === 'json')
    })
}
