/** Options and arguments that several commands take. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { aios, caches, discards } from './text/modes.js'
import { byteSize, decodeWith } from './text/values.js'

/** A number of bytes; `what` names it in the message for a text that is none. */
export const bytes =
  (what: string) =>
  (text: string): number => {
    const size = decodeWith(byteSize(what))(text)
    if (size._tag === 'Left') throw new InvalidArgumentError(size.left)
    return size.right
  }

export const output = (): Option =>
  new Option('--output <format>', 'how to print').choices(['human', 'json']).default('human')

export const allow = (): Option =>
  new Option('--allow <folder>', 'a folder whose files may be opened as backing files; may be repeated')
    .argParser((folder: string, before: readonly string[]) => [...before, folder])
    .default([], "the image's own folder")

export const snapshot = (flags = '-l, --snapshot <id or name>'): Option =>
  new Option(flags, 'a snapshot in place of the active disk')

/** A format that is read: a file is never guessed to be raw. */
export const format = (flags: string, what: string): Option =>
  new Option(flags, what).choices(['qcow2', 'raw']).default('qcow2')

const ignoredOptions = {
  '-f': '-f <format>',
  '-T': '-T <mode>',
  '-t': '-t, --cache <mode>',
  '-U': '-U, --force-share',
  '-p': '-p, --progress',
  '-q': '-q, --quiet',
  '-n': '-n, --nocache',
  '-d': '-d, --discard <mode>',
  '-i': '-i, --aio <mode>',
  '-k': '-k, --native-aio',
  '-m': '-m, --misalign',
  '-r': '-r, --rate-limit <bytes>',
  '-W': '-W, --out-of-order',
  '-C': '-C, --copy-range',
  '--force': '--force'
} as const

/** The words of options that have but some, of which nothing comes here. */
const modes: Readonly<Record<string, readonly string[]>> = { '-t': caches, '-T': caches, '-d': discards, '-i': aios }

/** Refuses another format than the only one that most commands know; of several that are given the last holds. */
const onlyQcow2 = (command: Command): void => {
  const format: unknown = command.getOptionValue('f')
  if (typeof format === 'string' && format !== 'qcow2') command.error(`Unknown file format '${format}'`)
}

/** Takes options as QEMU's tools do of which nothing comes here, so that a script need not leave them out. */
export const acceptIgnored = (command: Command, ...flags: readonly (keyof typeof ignoredOptions)[]): Command => {
  for (const flag of flags) {
    const option = new Option(
      ignoredOptions[flag],
      flag === '-f' ? 'the format of the image' : 'nothing comes of it'
    ).hideHelp()
    const words = modes[flag]
    if (words !== undefined) option.choices(words)
    command.addOption(option)
    if (flag === '-f') command.hook('preAction', onlyQcow2)
  }
  return command
}

/** Says that an image is named by options. */
export const imageOpts = (): Option =>
  new Option('--image-opts', 'the image is named by options, such as driver=qcow2,file.filename=disk.qcow2')

/**
 * Lets the first arguments, images, be named by options.
 *
 * @param formats for each of them the key of the option that tells its format, where it may be raw
 */
export const namedByOptions = (command: Command, ...formats: readonly (string | undefined)[]): Command =>
  command.addOption(imageOpts()).hook('preAction', async () => {
    if (command.getOptionValue('imageOpts') !== true) return
    if (['f', 'format'].some((key) => command.getOptionValueSource(key) === 'cli'))
      return command.error('--image-opts and --format are mutually exclusive')
    const { imageOptsOf } = await import('./text/image-opts.js')
    for (const [i, key] of (formats.length === 0 ? [undefined] : formats).entries()) {
      const wanted = imageOptsOf(command.args[i] ?? '')
      if (wanted._tag === 'Left') return command.error(wanted.left)
      const { name, format } = wanted.right
      if (name === undefined || (format === 'raw' && key === undefined))
        return command.error('the options are to name a qcow2 image: driver=qcow2,file.filename=…')
      command.processedArgs[i] = name
      if (format !== undefined && key !== undefined) command.setOptionValue(key, format)
    }
  })
