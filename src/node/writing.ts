/** Commands that change images. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { allow } from './options.js'

const onlyQcow2 = (format: string): string => {
  if (format !== 'qcow2') throw new InvalidArgumentError('only qcow2 images are changed.')
  return format
}

/** The commands for guest bytes. */
const addIo = (all: Command): void => {
  all
    .command('io')
    .description("guest bytes read and written, by lines of qemu-io's commands; without -c from standard input")
    .argument('<image>')
    .addOption(
      new Option('-c, --cmd <line>', "a line, such as 'write -P 1 0 64k'; may be repeated")
        .argParser((line: string, before: readonly string[]) => [...before, line])
        .default([])
    )
    .option('-r, --read-only', 'change nothing', false)
    .option('-f, --format <format>', 'the format of the image', onlyQcow2)
    .option('-n, --nocache', 'taken as qemu-io does; nothing comes of it', false)
    .addOption(allow())
    .action(async (image: string, options: { cmd: readonly string[]; readOnly: boolean; allow: readonly string[] }) => {
      const { io } = await import('./io.js')
      process.exitCode = await io(image, options)
    })
}

/** Adds them. */
export const addWriting = (all: Command): void => {
  addIo(all)
}
