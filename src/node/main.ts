#!/usr/bin/env node
/** The command line. Each command loads only what it needs. */
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { DumpData } from '../image/dump.js'
import { reason } from './file.js'
import type { OpenOptions } from './open.js'
import { complain } from './output.js'

const version = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : ''
}

const suffixes = 'bkmgtpe'

/** A number of bytes: decimal or 0x hexadecimal, with a suffix k, M, G, T, P or E as in qemu-img. */
const bytes = (text: string): number => {
  const match = /^(0x[0-9a-f]+|[0-9]+)([bkmgtpe]?)$/i.exec(text)
  const value = Number(match?.[1]) * 1024 ** Math.max(0, suffixes.indexOf((match?.[2] ?? '').toLowerCase()))
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('not a number of bytes.')
  return value
}

const output = (): Option => new Option('--output <format>', 'how to print').choices(['human', 'json']).default('human')

const allow = (): Option =>
  new Option('--allow <folder>', 'a folder whose files may be opened as backing files; may be repeated')
    .argParser((folder: string, before: readonly string[]) => [...before, folder])
    .default([], "the image's own folder")

const snapshot = (): Option => new Option('-l, --snapshot <id or name>', 'a snapshot in place of the active disk')

/** What commander gives a command that prints. */
interface Printing {
  readonly output: 'human' | 'json'
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
  all
    .command('info')
    .description('what an image is: sizes, features, extensions, snapshots, bitmaps, and what is wrong with them')
    .argument('<image>')
    .addOption(output())
    .action(async (image: string, options: Printing) => {
      const { info } = await import('./info.js')
      process.exitCode = info(image, options.output === 'json')
    })
  all
    .command('check')
    .description('whether an image is consistent: counts and exit codes as qemu-img has them, and a finding for each')
    .argument('<image>')
    .addOption(output())
    .option('--strict', 'every violated demand of the format is an error', false)
    .action(async (image: string, options: Printing & { readonly strict: boolean }) => {
      const { checkCommand } = await import('./check.js')
      process.exitCode = checkCommand(image, options)
    })
  all
    .command('map')
    .description('where the guest bytes are, through the backing files')
    .argument('<image>')
    .addOption(output())
    .addOption(allow())
    .addOption(snapshot())
    .action(async (image: string, options: Printing & OpenOptions) => {
      const { mapCommand } = await import('./map.js')
      process.exitCode = mapCommand(image, options.output, options)
    })
  all
    .command('read')
    .description('guest bytes to standard output')
    .argument('<image>')
    .argument('<offset>', 'guest offset; 0x and k, M, G work', bytes)
    .argument('<length>', 'bytes', bytes)
    .addOption(allow())
    .addOption(snapshot())
    .action(async (image: string, offset: number, length: number, options: OpenOptions) => {
      const { readCommand } = await import('./read.js')
      process.exitCode = readCommand(image, offset, length, options)
    })
  all
    .command('convert')
    .description('the guest disk as a raw file, with holes for zeros')
    .argument('<image>')
    .argument('<out>')
    .addOption(new Option('-O, --format <format>', 'format of the output').choices(['raw']).default('raw'))
    .addOption(allow())
    .addOption(snapshot())
    .action(async (image: string, out: string, options: OpenOptions) => {
      const { convert } = await import('./convert.js')
      process.exitCode = await convert(image, out, options)
    })
  all
    .command('compare')
    .description(
      'whether two images hold the same guest disk: exit code 0 if they do, 1 if not, 2 if that cannot be told'
    )
    .argument('<first>')
    .argument('<second>')
    .addOption(allow())
    .action(async (first: string, second: string, options: OpenOptions) => {
      const { compare } = await import('./compare.js')
      process.exitCode = compare(first, second, options)
    })
  all
    .command('dump')
    .description('every structure as JSON, with byte ranges; with --data=inline every byte')
    .argument('<image>')
    .addOption(
      new Option('--data <which>', 'bytes that no structure covers').choices(['none', 'inline']).default('none')
    )
    .action(async (image: string, options: { readonly data: DumpData }) => {
      const { dumpCommand } = await import('./dump.js')
      process.exitCode = dumpCommand(image, options.data)
    })
  all
    .command('assemble')
    .description('the inverse of dump --data=inline: the same image, byte for byte')
    .argument('<dump>')
    .argument('<image>')
    .action(async (dump: string, image: string) => {
      const { assemble } = await import('./assemble.js')
      process.exitCode = assemble(dump, image)
    })
  all
    .command('explain')
    .description('what a byte of the file belongs to, how it decodes, and which clause rules it')
    .argument('<image>')
    .argument('[offset]', 'byte offset in the file; 0x and k, M, G work', bytes, 0)
    .addOption(output())
    .action(async (image: string, offset: number, options: Printing) => {
      const { explainCommand } = await import('./explain.js')
      process.exitCode = explainCommand(image, offset, options.output === 'json')
    })
  return all
}

/** Runs the command line. */
const main = async (): Promise<void> => {
  process.stdout.on('error', () => process.exit(1))
  try {
    await program().parseAsync()
  } catch (error) {
    const code = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 1
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')))
      complain(reason(error))
    process.exitCode = code
  }
}

await main()
