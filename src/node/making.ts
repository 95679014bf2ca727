/** Commands that make images. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommitOptions } from './commands/commit.js'
import type { ConvertWords } from './convert/convert-files.js'
import type { OpenOptions } from './images/open.js'
import { allow, bytes, namedByOptions, snapshot, acceptIgnored } from './options.js'
import { complain, print } from './files/output.js'

/** Bytes of zeros that are left out unless something else is said. */
const defaultSparse = 4096

const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const options = (): Option =>
  new Option('-o, --options <name=value,...>', "options of the new image, as qemu-img's")
    .argParser(collected)
    .default([])

interface Create {
  readonly format: string
  readonly quiet: boolean
  readonly backing?: string
  readonly backingFormat?: string
  readonly unsafe: boolean
  readonly options: readonly string[]
}

interface Convert extends OpenOptions, ConvertWords {
  readonly format: 'raw' | 'qcow2'
}

/** Formats that are known, by name. Of several that are given the last holds, and it alone must be known. */
const known: readonly string[] = ['qcow2', 'raw']

/** Whether a raw file takes the option: one that says how much space it takes. */
const isRawOption = (option: string): boolean => /^(size=.*|preallocation=(off|falloc|full))$/.test(option)

/** Why words cannot stand together. A raw file has no use for most of them. */
const misused = (inputs: readonly string[], words: Convert): string | undefined => {
  const { over, out, options: given } = words
  const unknown = [words.format, out].find((format) => !known.includes(format))
  const rules: readonly (readonly [broken: boolean, why: string])[] = [
    [unknown !== undefined, `Unknown file format '${unknown ?? ''}'`],
    [over && given.length > 0, '-o has no effect when skipping image creation'],
    [words.targetIsZero && !over, '--target-is-zero requires use of -n flag'],
    [
      words.targetIsZero && words.backing !== undefined,
      'Cannot use target-is-zero when the destination has a backing file'
    ],
    [words.skipBrokenBitmaps && !words.bitmaps, 'Use of --skip-broken-bitmaps requires --bitmaps'],
    [words.bitmaps && inputs.length > 1, 'Copying bitmaps only possible with single source'],
    [words.bitmaps && out === 'raw', "Format driver 'raw' does not support bitmaps"],
    [
      words.backing !== undefined && inputs.length > 1,
      'Having a backing file for the target makes no sense when concatenating multiple input images'
    ],
    [out === 'raw' && words.compress, 'Compression not supported for this file format'],
    [out === 'raw' && words.backing !== undefined, 'Backing file not supported for file format raw'],
    [
      out === 'raw' && !given.flatMap((list) => list.split(',')).every(isRawOption),
      `Invalid parameter in '${given.join(',')}'`
    ]
  ]
  return rules.find(([broken]) => broken)?.[1]
}

/** Bytes of zeros that are left out: whole sectors. */
const sparseSize = (text: string): number => {
  const size = bytes('buffer size for sparse output')(text)
  if (size % 512 !== 0 || size > 2 ** 21) throw new InvalidArgumentError('not 0 or whole sectors up to 2M.')
  return size
}

/** How many requests qemu-img has at once. */
const coroutines = (text: string): number => {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1 || n > 16) throw new InvalidArgumentError('not between 1 and 16.')
  return n
}

const convertAs = async (inputs: readonly string[], out: string, words: Convert): Promise<number> => {
  const full = words.options.some((list) => /preallocation=(falloc|full)/.test(list))
  const [image] = inputs
  if (words.out === 'raw' && !words.over && !full && words.sparse > 0 && inputs.length === 1 && image !== undefined) {
    const { convert } = await import('./convert/convert.js')
    return convert(image, out, words)
  }
  const { convertFiles } = await import('./convert/convert-files.js')
  return convertFiles(inputs, out, words, words.out === 'raw' && full ? { ...words, sparse: 0 } : words)
}

const addConvert = (all: Command): void => {
  acceptIgnored(all.command('convert'), '-T', '-t', '-U', '-W', '-C', '-r')
    .description('guest disks as a raw file, with holes for zeros, or as an image')
    .argument('<files...>', 'the images, whose disks come one behind the other, and the output')
    .option('-f, --format <format>', 'what the images are: qcow2 or raw', 'qcow2')
    .option('-O, --out <format>', 'format of the output: raw or qcow2', 'raw')
    .addOption(allow())
    .addOption(snapshot())
    .option('-c, --compress', 'compress the clusters of the image', false)
    .addOption(options())
    .option(
      '-B, --backing <file>',
      'the backing file of the new image, which holds what the backing files of the images do'
    )
    .option('-F, --backing-format <format>', 'its format')
    .option('-n, --over', 'write over an output that is there, and is large enough', false)
    .option('--target-is-zero', 'with -n: the output holds zeros only', false)
    .option('--bitmaps', 'take over the dirty bitmaps of the image', false)
    .option('--skip-broken-bitmaps', 'with --bitmaps: leave out those in use', false)
    .option('-S, --sparse <size>', 'leave out zeros of at least so many bytes; 0: none', sparseSize, defaultSparse)
    .addOption(new Option('-m, --coroutines <n>', 'nothing comes of it').argParser(coroutines).hideHelp())
    .option('-p, --progress', 'show how much is done', false)
    .option('-q, --quiet', 'print nothing', false)
    .action(async (files: readonly string[], words: Convert) => {
      const { asksForHelp } = await import('./text/option-list.js')
      if (asksForHelp(words.options)) {
        const { optionsHelp } = await import('./text/image-options.js')
        print(optionsHelp())
        return
      }
      const inputs = files.slice(0, -1)
      const out = files.at(-1)
      const why = misused(inputs, words)
      if (inputs.length === 0 || out === undefined || why !== undefined) {
        complain(why ?? 'Must specify image file name')
        process.exitCode = 1
      } else process.exitCode = await convertAs(inputs, out, words)
    })
}

/** Adds them. */
export const addMaking = (all: Command): void => {
  addConvert(all)
  all
    .command('create')
    .description('a new image, the same that qemu-img creates')
    .argument('<image>')
    .argument('[size]', "bytes of the disk; k, M, G work; the backing file's if it is left out")
    .option('-f, --format <format>', 'format of the image: qcow2 or raw', 'qcow2')
    .option('-b, --backing <file>', 'the backing file, by its path from the folder of the image')
    .option('-F, --backing-format <format>', 'its format')
    .option('-u, --unsafe', 'do not open the backing file', false)
    .addOption(options())
    .option('-q, --quiet', 'print nothing', false)
    .action(async (image: string, size: string | undefined, words: Create) => {
      const { createCommand, createRaw } = await import('./commands/create.js')
      if (!known.includes(words.format)) {
        complain(`${image}: Unknown file format '${words.format}'`)
        process.exitCode = 1
      } else process.exitCode = await (words.format === 'raw' ? createRaw : createCommand)(image, size, words)
    })
  namedByOptions(acceptIgnored(all.command('commit'), '-f', '-t', '-p', '-r'))
    .description('what an overlay holds goes into its backing file, and the overlay is emptied')
    .argument('<image>')
    .addOption(allow())
    .option('-b, --base <file>', 'another file of the chain than the next; the overlay is not emptied then')
    .option('-d, --drop', 'do not empty the overlay', false)
    .option('-q, --quiet', 'print nothing', false)
    .action(async (image: string, words: CommitOptions) => {
      const { commit } = await import('./commands/commit.js')
      process.exitCode = await commit(image, words)
    })
}
