/** The options of a file: those of the drivers `file`, `host_device`, `http` and `https`, and of `raw` over them, a part of a file. */
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, either, type Failed, failure, get } from '../command-error.js'
import type { Place } from '../files/file.js'
import { partWithin } from '../files/part.js'
import { isUrl } from '../files/source.js'
import { splitUrl } from '../files/url.js'
import { type DottedOptions, optionsUnder, type Scalar, textOf } from '../text/dotted-options.js'
import { decodeWith, integerOption, sizeOption, where } from '../text/values.js'
import { driverOf, formatOptions, isSwitchedOn, ownOptions } from './format-options.js'
import { amongWords, type Driver, isIgnored, keepIgnored } from './ignored-options.js'
import type { Format } from './image-node.js'

/** Most images and files below each other. */
const maxDepth = 64

/** A driver of files. */
export type Protocol = Exclude<Driver, Format>

/** Whether a driver is one of files. */
export const isProtocol = (driver: Driver): driver is Protocol => driver !== 'qcow2' && driver !== 'raw'

/** Bytes, as the value of an option. */
const bytesOf = either(function* (name: string, value: Scalar): Generator<Failed, number> {
  const bytes = yield* get(decodeWith(sizeOption(name))(textOf(value)))
  if (bytes > Number.MAX_SAFE_INTEGER)
    return yield* get(failure(`Parameter '${name}' is too large: at most ${Number.MAX_SAFE_INTEGER} is supported`))
  return Number(bytes)
})

/** Seconds that a server may take for an answer; those of QEMU, in which 0 is no bound. */
const answerTime = where(
  integerOption('timeout'),
  (seconds) => seconds >= 0 && seconds <= 10_000,
  'timeout parameter is too large or negative'
)

/** Fails where another node is named in place of options: there are no nodes with names. */
const keepUnnamed = (options: DottedOptions, name: string): E.Either<CommandError, void> => {
  const value = options.get(name)
  return value === undefined || value === null
    ? E.right(undefined)
    : failure(`Cannot find device='${textOf(value)}' nor node-name='${textOf(value)}'; '${name}.filename' names a file`)
}

/** Fails below too many others. */
export const keepDepth = (depth: number): E.Either<CommandError, void> =>
  depth <= maxDepth ? E.right(undefined) : failure(`More than ${maxDepth} images and files in each other`)

/** The file of a protocol driver; the driver `file` unless one is named. */
export const protocolPlace = either(function* (
  options: DottedOptions,
  named: Protocol | undefined
): Generator<Failed, Place> {
  const driver = named ?? 'file'
  const isRemote = driver === 'http' || driver === 'https'
  const key = isRemote && !options.has('filename') ? 'url' : 'filename'
  const name = options.get(key)
  if (typeof name !== 'string' || name === '')
    return yield* get(failure(`The '${driver}' block driver requires a file name`))
  if (isRemote && !name.toLowerCase().startsWith(`${driver}://`))
    yield* get(failure(`'${name}' is no URL of the protocol '${driver}'`))
  let place: Place = named === 'file' && isUrl(name) ? { name: `./${name}` } : splitUrl(name)
  if (driver === 'host_device') place = { ...place, isDevice: true }
  for (const [option, value] of ownOptions(options, [key])) {
    if (option === 'read-only') place = { ...place, readOnly: yield* get(isSwitchedOn(option, value)) }
    else if (option === 'force-share') place = { ...place, shared: yield* get(isSwitchedOn(option, value)) }
    else if (option === 'timeout' && isRemote)
      place = { ...place, answerTime: yield* get(decodeWith(answerTime)(textOf(value))) }
    else if (option === 'locking' && !isRemote) {
      const mode = yield* get(decodeWith(amongWords(option, ['on', 'off', 'auto']))(textOf(value)))
      // What is written is locked all the same.
      if (mode === 'off') place = { ...place, shared: true }
    } else if (isIgnored(driver, option)) yield* get(keepIgnored(option, value))
    else yield* get(failure(`Block protocol '${driver}' doesn't support the option '${option}'`))
  }
  return place
})

/** The part of a file that the options of the driver `raw` name. */
export const rawPlace = either(function* (options: DottedOptions, depth: number): Generator<Failed, Place> {
  const { part, ...whole } = yield* get(filePlace(options, 'file', depth + 1))
  const [offset, size] = [options.get('offset'), options.get('size')]
  if (offset === undefined && size === undefined) return part === undefined ? whole : { ...whole, part }
  const inner = {
    offset: offset === undefined ? 0 : yield* get(bytesOf('offset', offset)),
    ...(size === undefined ? {} : { size: yield* get(bytesOf('size', size)) })
  }
  return { ...whole, part: yield* get(partWithin(part, inner)) }
})

/** The file below a node, under the name `child` of its options. */
export const filePlace = either(function* (all: DottedOptions, child: string, depth: number): Generator<Failed, Place> {
  yield* get(keepDepth(depth))
  yield* get(keepUnnamed(all, child))
  const options = optionsUnder(all, child)
  if (options.size === 0) return yield* get(failure(`A block device must be specified for "${child}"`))
  const driver = yield* get(driverOf(options))
  if (driver === 'qcow2')
    return yield* get(failure(`Driver 'qcow2' is not supported for '${child}': a disk in an image`))
  if (driver !== 'raw') return yield* get(protocolPlace(options, driver))
  const { readOnly = false, ...other } = yield* get(
    formatOptions(driver, ownOptions(options, ['file', 'offset', 'size']))
  )
  const place = yield* get(rawPlace(options, depth))
  return { ...place, ...(readOnly ? { readOnly } : {}), ...(other.forceShare === true ? { shared: true } : {}) }
})
