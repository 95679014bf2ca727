/** `qcow2 create`: a new image, and its external data file. */
import { spawnSync } from 'node:child_process'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { flush, type HostWrite, type Write } from '../../bytes/host-write.js'
import { textOfLines } from '../../bytes/octets.js'
import { imageFile } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import { create as createPlan } from '../../transition/create/create.js'
import type { CreateOptions } from '../../transition/create/options.js'
import {
  type CommandError,
  either,
  type Failed,
  failure,
  get,
  inContext,
  keepRules,
  task,
  using,
  wait
} from '../command-error.js'
import { createFile } from '../files/atomic-file.js'
import { isBlockDevice } from '../files/device.js'
import { openDiskFile } from '../files/disk-file.js'
import { dataPath, newImage } from '../files/new-image.js'
import { print } from '../files/output.js'
import { pause } from '../files/partial.js'
import { isZeros, writeAt } from '../files/sparse.js'
import { withoutCredentials } from '../files/url.js'
import { createOnDevice } from '../images/create-on-device.js'
import { backingSize } from '../images/open.js'
import { createOptions, inQemuWords, keepsDataFile, rawOptions } from '../text/create-options.js'
import { formattingLine, type GivenOptions, optionsHelp, optionTexts, type OptionTexts } from '../text/image-options.js'
import { asksForHelp, exactSize } from '../text/values.js'
import { argument, command, flag, type Given, option, optional, text } from './command.js'
import { format, optionLists, quiet } from './options.js'

/** What the command line says of a new image. */
export interface Wanted extends GivenOptions {
  readonly image: string
  /** Whether the backing file is not opened. */
  readonly unsafe: boolean
}

/** All options of a new image by name, with the size of its disk, which may be the backing file's. */
const withSize = task(async function* (wanted: Wanted): AsyncGenerator<Failed, OptionTexts> {
  const { image, unsafe } = wanted
  const texts = yield* get(optionTexts(wanted))
  const [backing, backingFormat] = [texts.get('backing_file'), texts.get('backing_fmt')]
  const kept = keepRules([
    [backing === '', 'Expected backing file name, got empty string'],
    [backing === image, 'Error: Trying to create an image with the same filename as the backing file'],
    [backing !== undefined && backingFormat === undefined, 'Backing file specified without backing format']
  ])
  yield* get(kept)
  if (backing !== undefined && backingFormat !== undefined && !unsafe) {
    const size = yield* wait(backingSize(image, backing, backingFormat))
    if (!texts.has('size')) return new Map([...texts, ['size', `${size}`]])
  }
  if (!texts.has('size')) yield* get(failure('Image creation needs a size parameter'))
  return texts
})

/** The same; the message of a failure begins with the name of the image. */
export const textsOf = (wanted: Wanted): TaskEither<CommandError, OptionTexts> =>
  TE.mapLeft(inContext(wanted.image))(withSize(wanted))

/** Whether the system has allocated the first bytes of a file, which stay as they are. */
const isAllocated = (path: string, length: number): boolean =>
  spawnSync('fallocate', ['--length', `${length}`, path], { stdio: 'ignore' }).status === 0

/** Where the last zeros that are written to a file end. */
const zerosEnd = (writes: readonly HostWrite[], part: string): number =>
  writes.reduce((end, w) => {
    const isLater = w._tag === 'Write' && w.file.part === part && w.at + w.bytes.length > end && isZeros(w.bytes)
    return isLater ? w.at + w.bytes.length : end
  }, 0)

/** Creates the files of an image, or none of them. Of a file that the system has allocated, zeros are there already. */
const createFiles = task(async function* (image: string, options: CreateOptions, writes: readonly HostWrite[]) {
  const files = yield* wait(newImage(image, options))
  try {
    const allocated = new Map<string, boolean>()
    const hasZeros = ({ file: { part } }: Write): boolean => {
      const path = files.parts.find((each) => each.part === part)?.file.path
      const has = allocated.get(part) ?? (path !== undefined && isAllocated(path, zerosEnd(writes, part)))
      allocated.set(part, has)
      return has
    }
    for (const w of writes) {
      if (w._tag === 'Flush') continue
      if (options.preallocation === 'falloc' && w._tag === 'Write' && isZeros(w.bytes) && hasZeros(w)) continue
      await pause()
      yield* get(files.perform(w))
    }
    yield* get(files.perform(flush))
    yield* get(files.publish())
  } finally {
    files.discard()
  }
})

/**
 * Creates an image over a data file that is there: only what is missing to the length of the disk is added to it, and taken
 * away where the image cannot be created.
 */
const createOverData = task(async function* (
  image: string,
  { dataFile, ...options }: CreateOptions,
  writes: readonly HostWrite[]
) {
  const name = yield* get(dataPath(image, dataFile?.name ?? ''))
  yield* using(openDiskFile({ name }), async function* (disk) {
    const [before, size] = [disk.length(), Math.ceil(options.size / sectorSize) * sectorSize]
    const isShort = before < size
    const resize = (length: number) => disk.perform({ _tag: 'Truncate', file: imageFile, length })
    if (isShort) yield* get(E.chain(disk.flush)(resize(size)))
    const created = await createFiles(image, options, writes)()
    if (isShort && E.isLeft(created)) resize(before)
    yield* get(created)
  })
})

/** The options of a new image, and its writes. */
const planned = either(function* (image: string, texts: OptionTexts) {
  const options = yield* get(createOptions(texts))
  const keepsData = yield* get(keepsDataFile(texts))
  const writes = E.mapLeft(inQemuWords('Could not create the image', image))(createPlan(options))
  return { options, keepsData, writes: yield* get(writes) }
})

/** Creates an image by its options. After a failure what had its name is there as before. */
export const createQcow2 = task(async function* (image: string, texts: OptionTexts) {
  const { options, keepsData, writes } = yield* get(E.mapLeft(inContext(image))(planned(image, texts)))
  const onFiles = keepsData ? createOverData : createFiles
  yield* wait((isBlockDevice(image) ? createOnDevice : onFiles)(image, options, writes))
})

/** Creates a raw file, whose space is taken at once where that is asked for. */
const createRaw = task(async function* (wanted: Wanted, isQuiet: boolean) {
  const { image } = wanted
  const given = E.chain(rawOptions)(optionTexts(wanted))
  const { size = yield* get(failure('Image creation needs a size parameter')), preallocation } = yield* get(
    E.mapLeft(inContext(image))(given)
  )
  const mode = preallocation === 'off' ? '' : ` preallocation=${preallocation}`
  if (!isQuiet) yield* get(print(textOfLines([`Formatting '${image}', fmt=raw size=${size}${mode}`])))
  const length = Math.ceil(size / sectorSize) * sectorSize
  yield* wait(
    createFile(image, length, function* (fd, path) {
      if (preallocation === 'off' || (preallocation === 'falloc' && isAllocated(path, length))) return
      const zeros = new Uint8Array(2 ** 20)
      for (let at = 0; at < length; at += zeros.length)
        yield* get(writeAt(image, fd, zeros.subarray(0, length - at), at))
    })
  )
})

/** The text of a size, which must be one. */
const sizeText: Given<string> = new t.Type(
  'sizeText',
  t.string.is,
  (u, context) => E.map(() => String(u))(exactSize('image size').validate(u, context)),
  String
)

export const create = command({
  args: {
    image: argument('<image>', 'the new image', text),
    size: argument(
      '[size]',
      "size of the disk in bytes, with a suffix k, M, G, T, P or E; the backing file's if it is left out",
      optional(sizeText)
    )
  },
  options: {
    format: option('-f, --format <format>', 'format of the image: qcow2 (default) or raw', format),
    backing: option(
      '-b, --backing <file>',
      'the backing file, by its path from the folder of the image',
      optional(text)
    ),
    backingFormat: option('-F, -B, --backing-format <format>', 'format of the backing file', optional(text)),
    unsafe: flag('-u, --backing-unsafe', 'do not open the backing file'),
    options: optionLists("options of the image, as qemu-img's; -o help lists them"),
    quiet: quiet()
  },
  async *run(args, { quiet: isQuiet, ...options }) {
    if (asksForHelp(options.options)) return yield* get(print(optionsHelp()))
    const { image } = args
    const wanted = { ...args, ...options }
    if (options.format === 'raw') yield* wait(createRaw(wanted, isQuiet))
    else {
      const texts = yield* wait(textsOf(wanted))
      if (!isQuiet) yield* get(print(withoutCredentials(formattingLine(image, texts))))
      yield* wait(createQcow2(image, texts))
    }
  }
})
