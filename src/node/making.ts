/** Commands that make images. */
import { type Command, Option } from 'commander'
import type { CommitOptions } from './commit.js'
import type { ConvertWords } from './convert-qcow2.js'
import type { OpenOptions } from './open.js'
import { allow, bytes, snapshot, taking } from './options.js'
import { complain } from './output.js'

/** Bytes of zeros that are left out unless something else is said. */
const defaultSparse = 4096

const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value]

const options = (): Option =>
  new Option('-o, --options <name=value,...>', "options of the new image, as qemu-img's")
    .argParser(collected)
    .default([])

interface Create {
  readonly quiet: boolean
  readonly backing?: string
  readonly backingFormat?: string
  readonly unsafe: boolean
  readonly options: readonly string[]
}

interface Convert extends OpenOptions, ConvertWords {
  readonly out: 'raw' | 'qcow2'
}

/** Why words cannot stand together: a raw file has no use for most of them. */
const misused = (inputs: readonly string[], words: Convert): string | undefined => {
  if (words.out === 'qcow2') return undefined
  if (inputs.length > 1) return 'Several images are made into one only with -O qcow2'
  if (words.compress) return 'Compression not supported for this file format'
  if (words.backing !== undefined) return 'Backing file not supported for file format raw'
  if (words.options.length > 0) return "'-o' is for '-O qcow2'"
  return words.sparse === defaultSparse ? undefined : "'-S' is for '-O qcow2'"
}

const addConvert = (all: Command): void => {
  taking(all.command('convert'), '-T', '-t', '-U', '-W', '-r', '-m <n>')
    .description('guest disks as a raw file, with holes for zeros, or as a new image')
    .argument('<files...>', 'the images, and the output; only a new image is made of several')
    .addOption(new Option('-f, --format <format>', 'what the images are').choices(['qcow2', 'raw']).default('qcow2'))
    .addOption(new Option('-O, --out <format>', 'format of the output').choices(['raw', 'qcow2']).default('raw'))
    .addOption(allow())
    .addOption(snapshot())
    .option('-c, --compress', 'compress the clusters of the new image', false)
    .addOption(options())
    .option(
      '-B, --backing <file>',
      'the backing file of the new image, which holds what the backing files of the images do'
    )
    .option('-F, --backing-format <format>', 'its format')
    .option('-S, --sparse <size>', 'leave out zeros of at least so many bytes; 0: none', bytes, defaultSparse)
    .option('-p, --progress', 'show how much is done', false)
    .option('-q, --quiet', 'print nothing', false)
    .action(async (files: readonly string[], words: Convert) => {
      const inputs = files.slice(0, -1)
      const [image, out] = [inputs[0], files.at(-1)]
      const why = misused(inputs, words)
      if (image === undefined || out === undefined || why !== undefined) {
        complain(why ?? 'Must specify image file name')
        process.exitCode = 1
      } else if (words.out === 'raw') {
        const { convert } = await import('./convert.js')
        process.exitCode = await convert(image, out, words)
      } else {
        const { convertToImage } = await import('./convert-qcow2.js')
        process.exitCode = await convertToImage(inputs, out, words, words)
      }
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
    .addOption(new Option('-f, --format <format>', 'format of the image').choices(['qcow2']).default('qcow2'))
    .option('-b, --backing <file>', 'the backing file, by its path from the folder of the image')
    .option('-F, --backing-format <format>', 'its format')
    .option('-u, --unsafe', 'do not open the backing file', false)
    .addOption(options())
    .option('-q, --quiet', 'print nothing', false)
    .action(async (image: string, size: string | undefined, words: Create) => {
      const { createCommand } = await import('./create.js')
      process.exitCode = await createCommand(image, size, words)
    })
  taking(all.command('commit'), '-f', '-t', '-p', '-r')
    .description('what an overlay holds goes into its backing file, and the overlay is emptied')
    .argument('<image>')
    .addOption(allow())
    .option('-b, --base <file>', 'another file of the chain than the next; the overlay is not emptied then')
    .option('-d, --drop', 'do not empty the overlay', false)
    .option('-q, --quiet', 'print nothing', false)
    .action(async (image: string, words: CommitOptions) => {
      const { commit } = await import('./commit.js')
      process.exitCode = await commit(image, words)
    })
}
