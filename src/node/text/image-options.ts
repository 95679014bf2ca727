/** The options of an image, `-o name=value,...` of `create`, `convert` and `amend`, as QEMU's driver declares them. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { textOfLines } from '../../bytes/octets.js'
import { type CommandError, either, failure, get } from '../command-error.js'
import { decodeWith, integerOption, onOff, optionsOfAll, sizeOption } from './values.js'

/** In the order in which qemu-img prints them. @see CR-06 */
const codecs = {
  cluster_size: sizeOption('cluster_size'),
  extended_l2: onOff('extended_l2'),
  preallocation: t.string,
  compression_type: t.string,
  keep_data_file: onOff('keep_data_file'),
  size: sizeOption('size'),
  compat: t.string,
  backing_file: t.string,
  backing_fmt: t.string,
  data_file: t.string,
  data_file_raw: onOff('data_file_raw'),
  lazy_refcounts: onOff('lazy_refcounts'),
  refcount_bits: integerOption('refcount_bits')
}

/** The name of an option. */
export type OptionName = keyof typeof codecs

/** Options from their texts. */
const imageOptions = t.partial(codecs)

/** Options of an image; sizes in bytes. */
export type ImageOptions = t.TypeOf<typeof imageOptions>

/** The text of each option that is given. */
export type OptionTexts = ReadonlyMap<OptionName, string>

const isOff = (text: string): boolean => E.toUnion(onOff('').decode(text)) === false

/** Options of QEMU that this package has one value of, and whether a text is that. */
const onlyValue: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['encryption', isOff],
  ['nocow', isOff],
  ['extent_size_hint', (text) => E.toUnion(sizeOption('').decode(text)) === 0n]
])

const isName = (name: string): name is OptionName => Object.hasOwn(codecs, name)

const names = Object.keys(codecs).filter(isName)

/** What the command line gives of a new image: lists of options, and some that have options of their own. */
export interface GivenOptions {
  readonly options: readonly string[]
  readonly size?: string | undefined
  readonly backing?: string | undefined
  readonly backingFormat?: string | undefined
}

/** The options of a new image by name, the last of several with one name; fails for one that is unknown or malformed. */
export const optionTexts = either(function* ({ options, size, backing, backingFormat }: GivenOptions) {
  const texts = new Map<OptionName, string>()
  for (const [name, text] of yield* get(optionsOfAll(options))) {
    if (onlyValue.get(name)?.(text) === true) continue
    if (name.startsWith('encrypt'))
      yield* get(failure(`Parameter '${name}' is not supported: no encrypted image is made`))
    if (onlyValue.has(name))
      yield* get(failure(`Parameter '${name}' does not accept value '${text}': attributes of the file are not set`))
    if (!isName(name)) return yield* get(failure(`Invalid parameter '${name}'`))
    yield* get(decodeWith<unknown>(codecs[name])(text))
    texts.set(name, text)
  }
  if (size !== undefined && texts.has('size')) yield* get(failure('The image size must be specified only once'))
  const own = { size, backing_file: backing, backing_fmt: backingFormat } as const
  for (const name of ['size', 'backing_file', 'backing_fmt'] as const) {
    const text = own[name]
    if (text !== undefined) texts.set(name, text)
  }
  return texts
})

/** The values of options that are given as texts; fails for one that is malformed. */
export const optionValues = (texts: ReadonlyMap<string, string>): E.Either<CommandError, ImageOptions> =>
  decodeWith(imageOptions)(Object.fromEntries(texts))

/** The versions of the format by the words of the option `compat`. */
export const versions: ReadonlyMap<string, 2 | 3> = new Map([
  ['0.10', 2],
  ['v2', 2],
  ['1.1', 3],
  ['v3', 3]
])

/** The values that are printed for options that are not given. */
const defaults: Partial<Record<OptionName, string>> = {
  cluster_size: '65536',
  extended_l2: 'off',
  compression_type: 'zlib',
  lazy_refcounts: 'off',
  refcount_bits: '16'
}

/** The line that `create` prints before it creates the image. Numbers are in decimal, and commas of a text doubled. */
export const formattingLine = (image: string, texts: OptionTexts): string => {
  const printed = names.flatMap((name) => {
    const text = texts.get(name) ?? defaults[name]
    if (text === undefined) return []
    const value = E.toUnion(decodeWith<unknown>(codecs[name])(text))
    const isNumber = typeof value === 'bigint' || typeof value === 'number'
    return [`${name}=${isNumber ? value : text.replaceAll(',', ',,')}`]
  })
  return textOfLines([`Formatting '${image}', fmt=qcow2 ${printed.join(' ')}`])
}

const descriptions: Readonly<Record<OptionName, string>> = {
  cluster_size: 'bytes of a cluster, a power of two from 512 to 2M',
  extended_l2: 'L2 entries with subclusters',
  preallocation: 'off, metadata, falloc or full',
  compression_type: 'zlib or zstd',
  keep_data_file: 'the external data file is there already and keeps its bytes',
  size: 'bytes of the guest disk',
  compat: 'v2 or 0.10, v3 or 1.1',
  backing_file: 'name of the backing file',
  backing_fmt: 'format of the backing file',
  data_file: 'name of the external data file',
  data_file_raw: 'the external data file alone is the raw disk',
  lazy_refcounts: 'refcounts may be updated later',
  refcount_bits: '1, 2, 4, 8, 16, 32 or 64'
}

/** The text for `-o help`. */
export const optionsHelp = (
  title = 'Supported options:',
  about: Readonly<Record<string, string>> = descriptions
): string => [title, ...Object.entries(about).map(([name, what]) => `  ${name} - ${what}`), ''].join('\n')
