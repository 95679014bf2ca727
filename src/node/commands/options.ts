/** Arguments and options that several commands take. */
import type { Command as Parser } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { imageOptsOf } from '../text/image-opts.js'
import { aios, caches, discards } from '../text/modes.js'
import { decodeWith } from '../text/values.js'
import {
  argument,
  choice,
  flag,
  type Given,
  type Ignored,
  ignoredChoice,
  oneOf,
  option,
  optional,
  orElse,
  Parameter,
  repeated,
  text
} from './command.js'

/** What a file is. */
export type Format = 'qcow2' | 'raw'

const formatAmong = (formats: readonly Format[]): Given<Format> =>
  orElse(
    oneOf(formats, (given) => `Unknown file format '${given}'`),
    'qcow2'
  )

/** The format of a file, which is qcow2 unless it is given: a file is never guessed to be raw. */
export const format = formatAmong(['qcow2', 'raw'])

/** An image that is named on the command line. */
export interface NamedImage {
  readonly name: string
  readonly format: Format
}

/** Declares `--image-opts`, once for all images of a command; whether it is given. */
const declareImageOpts = (parser: Parser): (() => unknown) => {
  if (!parser.options.some(({ long }) => long === '--image-opts'))
    parser.option('--image-opts', 'images are named by options, such as driver=qcow2,file.filename=disk.qcow2')
  return () => parser.getOptionValue('imageOpts') === true
}

/** The image that options name. */
const namedByOptions = (options: string, formats: Given<Format>): E.Either<string, NamedImage> =>
  E.chain(({ name, format: given = 'qcow2' }: Partial<NamedImage>) =>
    name === undefined || !formats.is(given)
      ? E.left('the options are to name a qcow2 image: driver=qcow2,file.filename=…')
      : E.right({ name, format: given })
  )(imageOptsOf(options))

/** What the command line gives of an image. */
const given = t.type({ words: t.string, format: t.unknown, byOptions: t.unknown })

const named = (formats: Given<Format>): Given<NamedImage> =>
  new t.Type(
    'NamedImage',
    t.type({ name: t.string, format: formats }).is,
    (u, context) =>
      E.chain(({ words, format: asked, byOptions }: t.TypeOf<typeof given>): t.Validation<NamedImage> => {
        const both = byOptions === true && asked !== undefined
        const decoded = both
          ? E.left('--image-opts and --format are mutually exclusive')
          : byOptions === true
            ? namedByOptions(words, formats)
            : E.map((f: Format): NamedImage => ({ name: words, format: f }))(decodeWith(formats)(asked))
        return E.isLeft(decoded) ? t.failure(u, context, decoded.left) : decoded
      })(given.validate(u, context)),
    String
  )

/**
 * An argument that is an image: its name, or after `--image-opts` the options that name it.
 *
 * @param flags those of the option that gives its format; without them the format must be qcow2
 */
export const image = (
  syntax: string,
  about: string,
  flags = '-f <format>',
  formats: readonly Format[] = ['qcow2']
): Parameter<NamedImage> => {
  const codec = formatAmong(formats)
  const [words, asked] = [
    argument(syntax, about, text),
    option(
      flags,
      formats.length > 1 ? `format of ${about}: qcow2 (default) or raw` : `format of ${about}, which must be qcow2`,
      codec
    )
  ]
  return new Parameter(named(codec), (parser) => {
    const [word, form, byOptions] = [words.declare(parser), asked.declare(parser), declareImageOpts(parser)]
    return () => ({ words: word(), format: form(), byOptions: byOptions() })
  })
}

/** `--output`. */
export const output = choice('--output <format>', 'human (default) or json', ['human', 'json'], 'human')

/** `--allow`. */
export const allow = repeated(
  '--allow <folder>',
  "a folder, beside the image's own, whose files may be opened as backing files"
)

/** `-q`. */
export const quiet = (about = 'print errors only'): Parameter<boolean> => flag('-q, --quiet', about)

/** `-o`: lists of options. */
export const optionLists = (about: string): Parameter<readonly string[]> =>
  repeated('-o, --options <name=value,...>', about)

/** A snapshot, by id or name. */
export const snapshot = (flags = '-l, --snapshot <id or name>'): Parameter<string | undefined> =>
  option(flags, 'read a snapshot instead of the active disk', optional(text))

/** Options of QEMU's tools that are accepted for compatibility, and ignored. */
export const ignored = {
  '-T': ignoredChoice('-T <mode>', caches),
  '-t': ignoredChoice('-t, --cache <mode>', caches),
  '-U': { flags: '-U, --force-share' },
  '-p': { flags: '-p, --progress' },
  '-q': { flags: '-q, --quiet' },
  '-n': { flags: '-n, --nocache' },
  '-d': ignoredChoice('-d, --discard <mode>', discards),
  '-i': ignoredChoice('-i, --aio <mode>', aios),
  '-k': { flags: '-k, --native-aio' },
  '-m': { flags: '-m, --misalign' },
  '-r': { flags: '-r, --rate-limit <bytes>' },
  '-W': { flags: '-W, --out-of-order' },
  '-C': { flags: '-C, --copy-range' },
  '--force': { flags: '--force' }
} satisfies Readonly<Record<string, Ignored>>
