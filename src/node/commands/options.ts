/** Arguments and options that several commands take. */
import { type Command as Parser, Option } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { type CommandError, either, type Failed, failure, get, inContext } from '../command-error.js'
import type { RemoteOptions } from '../files/source.js'
import type { Format, ImageNode } from '../images/image-node.js'
import { imageNode, type NamedBy } from '../images/node-options.js'
import { GivenSecrets, type Secrets } from '../images/secrets.js'
import { aios, byteSize, caches, decodeWith, oneOf, where } from '../text/values.js'
import {
  argument,
  choice,
  flag,
  type Given,
  type Ignored,
  ignoredChoice,
  option,
  optional,
  orElse,
  Parameter,
  repeated,
  text
} from './command.js'

const oneOfFormats = (formats: readonly Format[]): Given<Format> =>
  oneOf(formats, (given) => `Unknown file format '${given}'`)

const formatAmong = (formats: readonly Format[]): Given<Format> => orElse(oneOfFormats(formats), 'qcow2')

/** The format of a file, where it is given. */
export const givenFormat = optional(oneOfFormats(['qcow2', 'raw']))

/** The format of a file, which is qcow2 unless it is given: a file is never guessed to be raw. */
export const format = formatAmong(['qcow2', 'raw'])

/** Declares `--image-opts`, once for all images of a command; whether it is given. */
const declareImageOpts = (parser: Parser): (() => unknown) => {
  if (!parser.options.some(({ long }) => long === '--image-opts'))
    parser.option('--image-opts', 'images are named by options, such as driver=qcow2,file.filename=disk.qcow2')
  return () => parser.getOptionValue('imageOpts') === true
}

const addSecret = (definition: string, before: unknown): GivenSecrets =>
  (before instanceof GivenSecrets ? before : new GivenSecrets()).and(definition)

/** Declares `--object`, once for all images of a command; each definition is read once. */
const declareSecrets = (parser: Parser): (() => unknown) => {
  if (!parser.options.some(({ long }) => long === '--object'))
    parser.addOption(
      new Option(
        '--object <definition>',
        'a password: secret,id=ID,file=FILE or data=PASSWORD, which encrypt.key-secret=ID in the options of an image names; ' +
          'may be repeated'
      ).argParser<unknown>(addSecret)
    )
  return (): unknown => parser.getOptionValue('object')
}

const givenSecrets: Given<Secrets> = new t.Type(
  'Secrets',
  (u): u is Secrets => u instanceof Map,
  (u, context) => {
    if (!(u instanceof GivenSecrets)) return t.success(new Map())
    return E.isLeft(u.secrets) ? t.failure(u, context, u.secrets.left.message) : u.secrets
  },
  String
)

/** `--object`. */
export const secrets = new Parameter(givenSecrets, declareSecrets)

/** What the command line gives of an image. */
const givenImage = t.type({ words: t.string, format: t.unknown, byOptions: t.boolean, secrets: givenSecrets })

/** The image that is named: by its options, or by its name and format. */
const namedImage = either(function* (
  { words, format, byOptions, secrets: keys }: t.TypeOf<typeof givenImage>,
  formats: Given<Format>
): Generator<Failed, ImageNode> {
  const given = format === undefined ? {} : { format: yield* get(decodeWith(formats)(format)) }
  const node = yield* get(namedBy({ words, byOptions, secrets: keys, ...given }))
  const driver: string = node.driver
  return formats.is(driver) ? node : yield* get(failure(`Unknown file format '${driver}'`))
})

/** The image that words name, by its options where they are such. */
export const namedBy = (named: NamedBy): E.Either<CommandError, ImageNode> =>
  named.byOptions && named.format !== undefined
    ? failure('--image-opts and --format are mutually exclusive')
    : E.mapLeft((error: CommandError) => ({
        ...inContext(`Could not open '${named.words}'`)(error),
        file: named.words
      }))(imageNode(named))

const named = (formats: Given<Format>): Given<ImageNode> =>
  new t.Type(
    'NamedImage',
    t.type({ driver: formats, file: t.type({ name: t.string }) }).is,
    (u, context) =>
      E.chain((given: t.TypeOf<typeof givenImage>) => {
        const image = namedImage(given, formats)
        return E.isLeft(image) ? t.failure<ImageNode>(u, context, image.left.message) : image
      })(givenImage.validate(u, context)),
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
  flags = '-f, --format <format>',
  formats: readonly Format[] = ['qcow2']
): Parameter<ImageNode> => {
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
    const [word, form] = [words.declare(parser), asked.declare(parser)]
    const [byOptions, keys] = [declareImageOpts(parser), declareSecrets(parser)]
    return () => ({ words: word(), format: form(), byOptions: byOptions(), secrets: keys() })
  })
}

/** An {@link image} that may be left out; then nothing may be said of it. */
export const optionalImage = (...[syntax, ...more]: Parameters<typeof image>): Parameter<ImageNode | undefined> => {
  const whole = image(syntax, ...more)
  const none = t.type({ words: t.undefined })
  const codec: Given<ImageNode | undefined> = new t.Type(
    whole.name,
    (u): u is ImageNode | undefined => u === undefined || whole.is(u),
    (u, context) => {
      if (!none.is(u)) return whole.validate(u, context)
      return 'format' in u && u.format === undefined && 'byOptions' in u && u.byOptions === false
        ? t.success(undefined)
        : t.failure(u, context, '--image-opts and --format require an image')
    },
    String
  )
  return new Parameter(codec, whole.declare)
}

/** `--output`. */
export const output = choice('--output <format>', 'human (default) or json', ['human', 'json'], 'human')

/** The QEMUs whose output differs from each other's. */
const versions = ['7.2', '10', '11'] as const

/** `--like`: whether the output is that of QEMU 10 and 11, which print the same. */
export const likeNewer = (about: string): Parameter<boolean> => {
  const version = choice('--like <version>', `${about} as QEMU 7.2 (default), 10 or 11 prints it`, versions, '7.2')
  const isNewer: Given<boolean> = new t.Type(
    'isNewer',
    t.boolean.is,
    (u, context) => E.map((given: string) => given !== '7.2')(version.validate(u, context)),
    String
  )
  return new Parameter(isNewer, version.declare)
}

/** `--allow`. */
export const allow = repeated(
  '--allow <folder>',
  "a folder, beside the image's own, whose files may be opened as backing files and data files"
)

/** `-U`. */
export const forceShare = flag('-U, --force-share', 'read images also while another process writes them')

/** A whole number from `least` to `most`, of ten digits at most; `about` names it in messages. */
export const wholeNumber = (about: string, least: number, most: number): Given<number> =>
  new t.Type(
    about,
    t.number.is,
    (u, context) =>
      /^\d{1,10}$/.test(String(u)) && Number(u) >= least && Number(u) <= most
        ? t.success(Number(u))
        : t.failure(u, context, `Invalid ${about}: '${String(u)}' is not a number from ${least} to ${most}`),
    String
  )

/** A header of a request. */
const header = where(
  text,
  (line) => /^[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*$/.test(line),
  "Invalid header: not of the form 'Name: value'"
)

/** Seconds that a timer takes. */
const seconds: Given<number> = new t.Type(
  'seconds',
  t.number.is,
  (u, context) => {
    const number = /^\d+(\.\d+)?$/.test(String(u)) ? Number(u) : 0
    return number > 0 && number < 2 ** 21
      ? t.success(number)
      : t.failure(u, context, 'Invalid time-out: not a number of seconds below 2097152')
  },
  String
)

const headers = new Parameter(
  orElse(t.readonlyArray(header), []),
  repeated('--header <line>', "a header 'Name: value' of the requests for an image on a server").declare
)
const timeout = option(
  '--timeout <seconds>',
  'the time that reading an image on a server may take in all',
  optional(seconds)
)
const allowRedirect = flag('--allow-redirect', 'let a server redirect to another host')

const decompress = flag('--decompress', 'decompress a gzip or a zstd file into a temporary one')
const spoolLimit = option(
  '--spool-limit <bytes>',
  'most bytes of the temporary file for a pipe or with --decompress (default: 64G)',
  optional(byteSize('spool limit'))
)

/** How images on servers, in pipes and in compressed files are read: `--header` and what follows it. */
export const remote = new Parameter<RemoteOptions>(
  t.type({ headers, timeout, allowRedirect, decompress, spoolLimit }),
  (parser) => {
    const given = {
      headers: headers.declare(parser),
      timeout: timeout.declare(parser),
      allowRedirect: allowRedirect.declare(parser),
      decompress: decompress.declare(parser),
      spoolLimit: spoolLimit.declare(parser)
    }
    return () => Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value()]))
  }
)

/** `-q`. */
export const quiet = (about = 'print errors only'): Parameter<boolean> => flag('-q, --quiet', about)

/** `-o`: lists of options. */
export const optionLists = (about: string, names = '-o, --options'): Parameter<readonly string[]> =>
  repeated(`${names} <name=value,...>`, about)

/** A snapshot, by id or name. */
export const snapshot = (flags = '-l, --snapshot <id or name>'): Parameter<string | undefined> =>
  option(flags, 'read a snapshot instead of the active disk', optional(text))

/** `-r`. */
export const rateLimit = option(
  '-r, --rate-limit <bytes>',
  'write at most so many bytes in a second; 0 (default): no limit',
  orElse(byteSize('rate limit'), 0)
)

/** An option that says how the system caches a file. */
export const ignoredCache = (flags: string): Ignored => ignoredChoice(flags, caches)

/** Options of QEMU's tools that are accepted for compatibility, and ignored. */
export const ignored = {
  '-t': ignoredCache('-t, --cache <mode>'),
  '-p': { flags: '-p, --progress' },
  '-q': { flags: '-q, --quiet' },
  '-n': { flags: '-n, --nocache' },
  '-i': ignoredChoice('-i, --aio <mode>', aios),
  '-k': { flags: '-k, --native-aio' },
  '-m': { flags: '-m, --misalign' },
  '-W': { flags: '-W, --oob-writes' },
  '-C': { flags: '-C, --copy-range-offloading' },
  '--force': { flags: '--force' }
} satisfies Readonly<Record<string, Ignored>>
