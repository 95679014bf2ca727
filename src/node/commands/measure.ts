/** `qcow2 measure`: how large a file a new image needs, for so many bytes or for the guest disk of an image. */
import * as E from 'fp-ts/lib/Either.js'
import { textOfLines } from '../../bytes/octets.js'
import { hasBitmaps } from '../../format/bitmap-directory.js'
import { sectorSize } from '../../format/limits.js'
import { measure as measureImage, measureBitmaps, type Measured } from '../../transition/create/measure.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { type Failed, get, keepRules, task, using, wait } from '../command-error.js'
import { jsonText, print } from '../files/output.js'
import { allocatedIn, allocatedRanges } from '../images/allocated-ranges.js'
import { guestSize } from '../images/guest.js'
import { type OpenChain, openImage } from '../images/open.js'
import { openableMetadata } from '../images/openable-metadata.js'
import { createOptions, inQemuWords, rawOptions } from '../text/create-options.js'
import { optionsHelp, type OptionTexts, optionTexts } from '../text/image-options.js'
import { asksForHelp, byteSize } from '../text/values.js'
import { command, option, optional, orElse } from './command.js'
import { allow, forceShare, format, optionalImage, optionLists, output, remote, snapshot } from './options.js'

/** What is printed: sizes in bytes, and those of bitmaps where the images have them. */
interface Sizes extends Measured {
  readonly bitmaps?: number
}

/** Bytes of the clusters of a new image that hold data of a disk. */
const storedBytes = task(async function* (open: OpenChain, unit: number) {
  let [stored, end] = [0, 0]
  for (const [from, to] of allocatedIn([yield* wait(allocatedRanges(open))], 0, guestSize(open))) {
    const first = Math.max(end, Math.floor(from / unit) * unit)
    end = Math.max(end, Math.ceil(to / unit) * unit)
    stored += end - first
  }
  return stored
})

/** Bytes of the bitmaps that a new image takes over. */
const bitmapsOf = task(async function* ({ chain: [top], sources: [source] }: OpenChain, unit: number) {
  if (top._tag === 'Raw') return undefined
  const m = yield* wait(openableMetadata(source))
  return hasBitmaps(m.geometry.version) ? measureBitmaps(m.bitmaps, m.header.size, unit) : undefined
})

/** Measures a qcow2 image with the disk of an open one. Over a backing file any of its clusters may differ. */
const ofDisk = async function* (open: OpenChain, options: CreateOptions): AsyncGenerator<Failed, Sizes> {
  const unit = 2 ** (options.clusterBits ?? 16)
  const sized = { ...options, size: guestSize(open) }
  const bitmaps = hasBitmaps(options.version ?? 3) ? yield* wait(bitmapsOf(open, unit)) : undefined
  const whole = Math.ceil(sized.size / unit) * unit
  const stored = options.backing === undefined ? yield* wait(storedBytes(open, unit)) : whole
  const measured = yield* get(measureOf(sized, stored))
  return bitmaps === undefined ? measured : { ...measured, bitmaps }
}

const measureOf = (options: CreateOptions, stored = 0) =>
  E.mapLeft(inQemuWords('Could not measure the image', ''))(measureImage(options, stored))

/** Measures a new file of a format; its disk is that of an open image, if there is one. */
const sizesOf = async function* (
  out: 'raw' | 'qcow2',
  texts: OptionTexts,
  open?: OpenChain
): AsyncGenerator<Failed, Sizes> {
  if (out === 'qcow2') {
    const options = yield* get(createOptions(texts))
    return open === undefined ? yield* get(measureOf(options)) : yield* ofDisk(open, options)
  }
  const { size = 0 } = yield* get(rawOptions(texts))
  const bytes = Math.ceil((open === undefined ? size : guestSize(open)) / sectorSize) * sectorSize
  return { required: bytes, fullyAllocated: bytes }
}

/** The sizes, as qemu-img prints them. */
const text = ({ required, fullyAllocated, bitmaps }: Sizes, isJson: boolean): string => {
  if (isJson)
    return jsonText({ ...(bitmaps === undefined ? {} : { bitmaps }), required, 'fully-allocated': fullyAllocated })
  return textOfLines([
    `required size: ${required}`,
    `fully allocated size: ${fullyAllocated}`,
    ...(bitmaps === undefined ? [] : [`bitmaps size: ${bitmaps}`])
  ])
}

export const measure = command({
  args: {
    image: optionalImage('[image]', 'an image, whose guest disk the new one is to have', '-f, --format <format>', [
      'qcow2',
      'raw'
    ])
  },
  options: {
    size: option('-s, --size <size>', 'size of the disk, without an image', optional(byteSize('image size'))),
    out: option(
      '-O, --target-format <format>',
      'format of the new image: raw (default) or qcow2',
      orElse(format, 'raw')
    ),
    options: optionLists("options of the new image, as qemu-img's; -o help lists them"),
    snapshot: snapshot(),
    output,
    allow,
    forceShare,
    remote
  },
  async *run({ image }, { size, out, options, snapshot: wanted, output: form, ...given }) {
    if (asksForHelp(options)) return yield* get(print(optionsHelp()))
    const kept = keepRules([
      [image === undefined && wanted !== undefined, '--image-opts, -f, and -l require a filename argument.'],
      [image !== undefined && size !== undefined, '--size N cannot be used together with a filename.'],
      [image === undefined && size === undefined, 'Either --size N or one filename must be specified.']
    ])
    yield* get(kept)
    const texts = new Map([
      ...(yield* get(optionTexts({ options }))),
      ...(size === undefined ? [] : [['size', `${size}`] as const])
    ])
    const isJson = form === 'json'
    if (image === undefined) return yield* get(print(text(yield* sizesOf(out, texts), isJson)))
    yield* using(openImage(image, { ...given, snapshot: wanted }), async function* (open) {
      yield* get(print(text(yield* sizesOf(out, texts, open), isJson)))
    })
  }
})
