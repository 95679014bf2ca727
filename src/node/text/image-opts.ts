/** Options of `--image-opts` and of `open -o`: which file is meant, and as what. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { type CommandError, either, type Failed, failure, get, keepRules } from '../command-error.js'
import { decodeWith, discards, integerOption, oneOf, onOff, optionsOf, sizeOption, where } from './values.js'

/** A file that is to be opened. */
export interface OpenRequest {
  readonly name: string
  readonly format: 'qcow2' | 'raw'
  readonly readOnly: boolean
  /** Whether it is read also while other processes write it. */
  readonly forceShare?: boolean
  /** A snapshot, by id or name, in place of the active disk; it is read only. */
  readonly snapshot?: string
  /** Whether discards are carried out; they are unless this is false. */
  readonly discards?: boolean
  /** Whether written zeros become zero clusters, and whether those are freed; `off` unless it is given. */
  readonly detectZeroes?: DetectZeroes
  /** Whether the driver is asked for lazy refcounts, which version 2 has none of. */
  readonly lazyRefcounts?: boolean
}

/** The words of `detect-zeroes`. */
export const detections = ['off', 'on', 'unmap'] as const

/** How written zeros are stored. */
type DetectZeroes = (typeof detections)[number]

/**
 * Options that are accepted for compatibility and ignored: how QEMU caches and names, and whether it checks for overlaps, for
 * which every write is checked here.
 */
const ignored =
  /^((file\.|backing\.)?node-name|auto-read-only|overlap-check(\..+)?|pass-discard-.+|cache\..+|(l2-|refcount-)?cache-(size|entry-size|clean-interval)|file\.(aio|discard|cache\..+))$/

const amongWords = <const W extends string>(name: string, words: readonly W[]) =>
  oneOf(words, (given) => `Parameter '${name}' does not accept value '${given}'`)

/** The codecs of the values of ignored options, by patterns of their names; the first that fits holds. */
const ignoredValues: readonly (readonly [names: RegExp, codec: (name: string) => t.Decoder<unknown, unknown>])[] = [
  [/^(auto-read-only|pass-discard-.+|cache\..+|overlap-check\.(?!template$).+)$/, onOff],
  [/cache-size$/, sizeOption],
  [
    /cache-entry-size$/,
    (name) =>
      where(
        sizeOption(name),
        (size) => size >= 512n && Number.isInteger(Math.log2(Number(size))),
        `Parameter '${name}' must be a power of two from 512`
      )
  ],
  [
    /^cache-clean-interval$/,
    (name) => where(integerOption(name), (seconds) => seconds < 2 ** 32, 'Cache clean interval too big')
  ],
  [/^overlap-check(\.template)?$/, (name) => amongWords(name, ['none', 'constant', 'cached', 'all'])]
]

const codecOf = (name: string): t.Decoder<unknown, unknown> =>
  ignoredValues.find(([names]) => names.test(name))?.[1](name) ?? t.unknown

/** Whether a mode of discards carries them out. */
export const carriesOut = (mode: string): boolean => mode === 'unmap' || mode === 'on'

/** The words of `driver`. */
const formats = ['qcow2', 'raw'] as const

/** What an option says of the file. */
const requestOf = either(function* (name: string, value: string): Generator<Failed, Partial<OpenRequest>> {
  switch (name) {
    case 'driver':
    case 'format':
      return { format: yield* get(decodeWith(oneOf(formats, () => `Unknown driver '${value}'`))(value)) }
    case 'file.driver':
      return value === 'file' ? {} : yield* get(failure(`Unknown driver '${value}'`))
    case 'file.filename':
    case 'filename':
    case 'file':
      return { name: value }
    case 'read-only':
      return { readOnly: yield* get(decodeWith(onOff(name))(value)) }
    case 'force-share':
      return { forceShare: yield* get(decodeWith(onOff(name))(value)) }
    case 'file.locking':
      // What is written is locked all the same.
      yield* get(decodeWith(amongWords(name, ['on', 'off', 'auto']))(value))
      return value === 'off' ? { forceShare: true } : {}
    case 'discard':
      return { discards: carriesOut(yield* get(decodeWith(amongWords(name, discards))(value))) }
    case 'detect-zeroes':
      return { detectZeroes: yield* get(decodeWith(amongWords(name, detections))(value)) }
    case 'lazy-refcounts':
      return { lazyRefcounts: yield* get(decodeWith(onOff(name))(value)) }
    default:
      if (!ignored.test(name)) yield* get(failure(`Parameter '${name}' is not known`))
      yield* get(decodeWith(codecOf(name))(value))
      return {}
  }
})

/** Options that are valid by themselves, and may exclude each other. */
const keepApart = (values: ReadonlyMap<string, string>): E.Either<CommandError, void> => {
  const size = (name: string): bigint | undefined =>
    E.getOrElse<CommandError, bigint | undefined>(() => undefined)(decodeWith(sizeOption(name))(values.get(name)))
  const [whole = 2n ** 64n, l2 = 0n, refcount = 0n] = ['cache-size', 'l2-cache-size', 'refcount-cache-size'].map(size)
  const [check, template] = [values.get('overlap-check'), values.get('overlap-check.template')]
  return keepRules([
    [
      values.get('detect-zeroes') === 'unmap' && !carriesOut(values.get('discard') ?? 'unmap'),
      'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap'
    ],
    [
      ['cache-size', 'l2-cache-size', 'refcount-cache-size'].every((name) => values.has(name)),
      'cache-size, l2-cache-size and refcount-cache-size may not be set at the same time'
    ],
    [l2 > whole, 'l2-cache-size may not exceed cache-size'],
    [refcount > whole, 'refcount-cache-size may not exceed cache-size'],
    [
      check !== undefined && template !== undefined && check !== template,
      `Conflicting values for qcow2 options 'overlap-check' ('${check}') and 'overlap-check.template' ('${template}')`
    ]
  ])
}

/** The file that a list of options names. */
export const imageOptsOf = either(function* (text: string) {
  const given = optionsOf(text)
  let request: Partial<OpenRequest> = {}
  for (const [name, value] of given) request = { ...request, ...(yield* get(requestOf(name, value))) }
  yield* get(keepApart(new Map(given)))
  return request
})
