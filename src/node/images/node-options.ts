/**
 * Images by their options, nested as in QEMU: `driver`, `file.driver`, `file.filename`, `backing.file.filename`,
 * `data-file.filename`. A list of them, and an object after `json:`, make the same value. What is not supported is a failure
 * with its name.
 */
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, either, type Failed, failure, get } from '../command-error.js'
import {
  type DottedOptions,
  isJsonName,
  optionsOfJson,
  optionsOfList,
  optionsUnder,
  textOf
} from '../text/dotted-options.js'
import { filePlace, isProtocol, keepDepth, protocolPlace, rawPlace } from './file-options.js'
import { driverOf, formatOptions, ownOptions } from './format-options.js'
import { type Format, type ImageNode, nodeAt, type NodeOptions } from './image-node.js'
import type { Secrets } from './secrets.js'

const has = (options: DottedOptions, name: string): boolean => options.has(name) || optionsUnder(options, name).size > 0

/** What the options say of a backing file: `none` where its name is empty or null. */
const backingOf = either(function* (options: DottedOptions, depth: number): Generator<Failed, NodeOptions | 'none'> {
  const [name, below] = [options.get('backing'), optionsUnder(options, 'backing')]
  if (name === undefined) return yield* get(nodeOptions(below, depth + 1))
  const word = name === null ? '' : textOf(name)
  if (word !== '')
    return yield* get(
      failure(`Cannot find device='${word}' nor node-name='${word}'; 'backing.file.filename' names a backing file`)
    )
  return below.size === 0 ? 'none' : yield* get(failure('There is no backing file, but options for one'))
})

/** The node that options describe. */
const nodeOptions = either(function* (options: DottedOptions, depth: number): Generator<Failed, NodeOptions> {
  yield* get(keepDepth(depth))
  const driver = yield* get(driverOf(options))
  if (driver !== undefined && isProtocol(driver))
    return { driver: 'raw', file: yield* get(protocolPlace(options, driver)) }
  const isRaw = driver === 'raw'
  if (isRaw && has(options, 'backing')) yield* get(failure("Driver doesn't support backing files"))
  const below = isRaw ? ['file', 'offset', 'size'] : ['file', 'backing', 'data-file']
  const own = yield* get(formatOptions(driver ?? 'qcow2', ownOptions(options, below)))
  return {
    ...(driver === undefined ? {} : { driver }),
    ...own,
    ...(has(options, 'file')
      ? { file: yield* get(isRaw ? rawPlace(options, depth) : filePlace(options, 'file', depth)) }
      : {}),
    ...(!isRaw && has(options, 'backing') ? { backing: yield* get(backingOf(options, depth)) } : {}),
    ...(!isRaw && has(options, 'data-file') ? { dataFile: yield* get(filePlace(options, 'data-file', depth)) } : {})
  }
})

/** What options say of an image, of which the file may be named elsewhere. */
const imageOptions = (options: DottedOptions): E.Either<CommandError, NodeOptions> => nodeOptions(options, 0)

/** What a list of options says of an image, of which the file may be named elsewhere. */
export const optionsOfImage = (list: string): E.Either<CommandError, NodeOptions> =>
  E.chain(imageOptions)(optionsOfList(list))

/** What a name `json:{…}` says of an image. */
export const optionsOfJsonName = (name: string): E.Either<CommandError, NodeOptions> =>
  E.chain(imageOptions)(optionsOfJson(name))

/** The words by which an image is named. */
export interface NamedBy {
  readonly words: string
  /** The format that an option of its own gives. */
  readonly format?: Format | undefined
  /** Whether the words are a list of options. */
  readonly byOptions: boolean
  /** The secrets that options may name. */
  readonly secrets?: Secrets
}

/** The image of this name: that of a file, or `json:{…}`, or a list of options. It is qcow2 unless its format is given. */
export const imageNode = either(function* ({
  words,
  format,
  byOptions,
  secrets
}: NamedBy): Generator<Failed, ImageNode> {
  const keys = secrets === undefined ? {} : { secrets }
  if (!byOptions && !isJsonName(words)) return { ...nodeAt(words, format), ...keys }
  const named = yield* get(byOptions ? optionsOfList(words, 'file') : optionsOfJson(words))
  const all: DottedOptions = format === undefined ? named : new Map([...named, ['driver', format]])
  if (!has(all, 'driver') && !has(all, 'file')) yield* get(failure('Must specify either driver or file'))
  const { file, driver = 'qcow2', ...node } = yield* get(imageOptions(all))
  return file === undefined
    ? yield* get(failure('A block device must be specified for "file"'))
    : { ...node, ...keys, file, driver }
})
