/** `qcow2 convert`: guest disks as a raw file or as an image. */
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure, get, keepRules, wait } from '../command-error.js'
import type { ConvertOptions } from '../convert/conversion.js'
import { convert as convertDisks } from '../convert/convert.js'
import { print } from '../files/output.js'
import { type Format, type ImageNode, nodeAt } from '../images/image-node.js'
import type { Secrets } from '../images/secrets.js'
import { optionsHelp } from '../text/image-options.js'
import { asksForHelp, byteSize, where } from '../text/values.js'
import { argument, command, flag, option, optional, orElse, text, texts } from './command.js'
import {
  allow,
  forceShare,
  givenFormat,
  ignored,
  ignoredCache,
  namedBy,
  optionLists,
  quiet,
  rateLimit,
  remote,
  secrets,
  snapshot
} from './options.js'

/** Bytes of zeros from which on they are left out: whole sectors. */
const sparseSize = where(
  byteSize('buffer size for sparse output'),
  (size) => size % 512 === 0 && size <= 2 ** 21,
  'Invalid buffer size for sparse output specified: not 0 or whole sectors of 512 bytes up to 2M'
)

/** How many requests qemu-img has at once. */
const coroutines = where(text, (n) => /^([1-9]|1[0-6])$/.test(n), 'Invalid number of coroutines: not between 1 and 16')

/** Zeros that are left out unless -S says otherwise, in bytes. */
const defaultSparse = 4096

/** Whether a raw file takes the option: one that says how much space it takes. */
const isRawOption = (given: string): boolean => /^(size=.*|preallocation=(off|falloc|full))$/.test(given)

/** Refuses options that conflict with each other. A raw file takes few of them. */
const conflictingOptions = (inputs: readonly string[], o: ConvertOptions): E.Either<CommandError, void> => {
  const isRaw = o.out === 'raw'
  return keepRules([
    [o.over && o.options.length > 0, '-o has no effect when skipping image creation'],
    [o.targetIsZero && !o.over, '--target-is-zero requires use of -n flag'],
    [o.targetIsZero && o.backing !== undefined, 'Cannot use target-is-zero when the destination has a backing file'],
    [o.skipBrokenBitmaps && !o.bitmaps, 'Use of --skip-broken-bitmaps requires --bitmaps'],
    [o.bitmaps && inputs.length > 1, 'Copying bitmaps only possible with single source'],
    [o.bitmaps && isRaw, "Format driver 'raw' does not support bitmaps"],
    [
      o.backing !== undefined && inputs.length > 1,
      'Having a backing file for the target makes no sense when concatenating multiple input images'
    ],
    [isRaw && o.compress, 'Compression not supported for this file format'],
    [isRaw && o.backing !== undefined, 'Backing file not supported for file format raw'],
    [
      isRaw && !o.options.flatMap((list) => list.split(',')).every(isRawOption),
      `Invalid parameter in '${o.options.join(',')}'`
    ]
  ])
}

/** The output: a new file, or a file or an image that is there. */
const outputNamed = (
  words: string,
  byOptions: boolean,
  format: Format | undefined,
  keys: Secrets
): E.Either<CommandError, ImageNode> =>
  byOptions ? namedBy({ words, byOptions, format, secrets: keys }) : E.right(nodeAt(words, format ?? 'raw'))

/** Whether all of a new raw file takes up space, which leaves no holes. */
const isFull = ({ out, options }: ConvertOptions): boolean =>
  out === 'raw' && options.some((list) => /preallocation=(falloc|full)/.test(list))

export const convert = command({
  args: { files: argument('<files...>', 'the images, whose disks are joined, and the output', texts) },
  options: {
    format: option('-f, --source-format <format>', 'format of the images: qcow2 (default) or raw', givenFormat),
    imageOpts: flag('--image-opts', 'the images are named by options, such as driver=qcow2,file.filename=disk.qcow2'),
    secrets,
    targetImageOpts: flag('--target-image-opts', 'with -n: the output is named by options'),
    outFormat: option('-O, --target-format <format>', 'format of the output: raw (default) or qcow2', givenFormat),
    allow,
    forceShare,
    remote,
    snapshot: snapshot(),
    compress: flag('-c, --compress', 'compress the clusters of the output'),
    options: optionLists("options of the output, as qemu-img's; -o help lists them", '-o, --target-format-options'),
    backing: option(
      '-B, -b, --backing <file>',
      'the backing file of the output, with the same contents as those of the images',
      optional(text)
    ),
    backingFormat: option('-F, --backing-format <format>', 'format of the backing file', optional(text)),
    over: flag('-n, --no-create', 'write into an existing output'),
    targetIsZero: flag('--target-is-zero', 'with -n: the output holds zeros only'),
    bitmaps: flag('--bitmaps', 'copy the dirty bitmaps of the image'),
    strict: flag('--strict', 'fail where an image is cut off, instead of reading zeros past the end of its file'),
    salvage: flag('--salvage', 'write zeros for sectors that cannot be read, and go on'),
    skipBrokenBitmaps: flag('--skip-broken-bitmaps', 'with --bitmaps: leave out those in use'),
    sparse: option(
      '-S, --sparse-size <size>',
      'leave holes for zeros of at least so many bytes (default: 4k); 0: no holes',
      orElse(sparseSize, defaultSparse)
    ),
    rate: rateLimit,
    progress: flag('-p, --progress', 'print how much is done'),
    quiet: quiet()
  },
  ignored: [
    ignoredCache('-T, --source-cache <mode>'),
    ignoredCache('-t, --target-cache <mode>'),
    ignored['-W'],
    ignored['-C'],
    { flags: '-m, --parallel <n>', codec: coroutines }
  ],
  async *run({ files }, options, report) {
    if (asksForHelp(options.options)) return yield* get(print(optionsHelp()))
    const { format: given, outFormat, imageOpts, targetImageOpts, secrets: keys, ...other } = options
    const inputs = files.slice(0, -1)
    const name = files.at(-1)
    if (targetImageOpts && !options.over) yield* get(failure('--target-image-opts requires use of -n flag'))
    if (inputs.length === 0 || name === undefined) return yield* get(failure('Must specify image file name'))
    const output = yield* get(outputNamed(name, targetImageOpts, outFormat, keys))
    const wanted = { ...other, out: output.driver }
    yield* get(conflictingOptions(inputs, wanted))
    const images: ImageNode[] = []
    for (const words of inputs)
      images.push(yield* get(namedBy({ words, byOptions: imageOpts, format: given, secrets: keys })))
    const sparse = isFull(wanted) ? 0 : options.sparse
    yield* wait(convertDisks(images, output, { ...wanted, sparse }, report))
  }
})
