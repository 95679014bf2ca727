/** Commands that make images. */
import { type Command, Option } from 'commander'

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

/** Adds them. */
export const addMaking = (all: Command): void => {
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
}
