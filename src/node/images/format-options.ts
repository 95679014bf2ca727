/** The options of one image or raw file by itself: those of the drivers `qcow2` and `raw`, but for what is below it. */
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, either, type Failed, failure, get, keepRules } from '../command-error.js'
import { type DottedOptions, type Scalar, textOf } from '../text/dotted-options.js'
import { decodeWith, discards, onOff, sizeOption } from '../text/values.js'
import { amongWords, type Driver, isDriver, isIgnored, keepIgnored } from './ignored-options.js'
import { detections, type Format, type NodeOptions } from './image-node.js'

/** Drivers of QEMU that are known by name only. */
const unsupported =
  /^(blk(debug|logwrites|replay|verify)|bochs|cloop|compress|copy-(before-write|on-read)|dmg|ftps?|gluster|host_cdrom|iscsi|luks|nbd|nfs|null-(aio|co)|nvme|parallels|preallocate|qcow|qed|quorum|rbd|replication|snapshot-access|ssh|throttle|vdi|vhdx|vmdk|vpc|vvfat)$/

/** Whether a mode of discards carries them out. */
export const carriesOut = (mode: string): boolean => mode === 'unmap' || mode === 'on'

/** The driver that options name, if they name one. */
export const driverOf = (options: DottedOptions): E.Either<CommandError, Driver | undefined> => {
  const name = options.get('driver')
  if (name === undefined) return E.right(undefined)
  const word = textOf(name)
  if (isDriver(word)) return E.right(word)
  return failure(unsupported.test(word) ? `Driver '${word}' is not supported` : `Unknown driver '${word}'`)
}

/** An option that is on or off. */
export const isSwitchedOn = (name: string, value: Scalar): E.Either<CommandError, boolean> =>
  decodeWith(onOff(name))(textOf(value))

/** The options of a node beside its driver and what is below it. */
export const ownOptions = (options: DottedOptions, below: readonly string[]): DottedOptions =>
  new Map(
    [...options].filter(
      ([name]) => name !== 'driver' && !below.some((each) => name === each || name.startsWith(`${each}.`))
    )
  )

/** What one option says of a node of a format. */
const optionOf = either(function* (driver: Format, name: string, value: Scalar): Generator<Failed, NodeOptions> {
  switch (driver === 'raw' && /^(lazy|encrypt)/.test(name) ? '' : name) {
    case 'read-only':
      return { readOnly: yield* get(isSwitchedOn(name, value)) }
    case 'force-share':
      return { forceShare: yield* get(isSwitchedOn(name, value)) }
    case 'discard':
      return { discards: carriesOut(yield* get(decodeWith(amongWords(name, discards))(textOf(value)))) }
    case 'detect-zeroes':
      return { detectZeroes: yield* get(decodeWith(amongWords(name, detections))(textOf(value))) }
    case 'lazy-refcounts':
      return { lazyRefcounts: yield* get(isSwitchedOn(name, value)) }
    case 'encrypt.format':
      return { encryptFormat: yield* get(decodeWith(amongWords(name, ['luks', 'aes']))(textOf(value))) }
    case 'encrypt.key-secret':
      return { keySecret: textOf(value) }
    default:
      if (!isIgnored(driver, name))
        yield* get(failure(`Block format '${driver}' does not support the option '${name}'`))
      yield* get(keepIgnored(name, value))
      return {}
  }
})

/** Options that are valid by themselves, and may exclude each other. */
const keepApart = (options: DottedOptions): E.Either<CommandError, void> => {
  const text = (name: string): string | undefined => {
    const value = options.get(name)
    return value === undefined ? undefined : textOf(value)
  }
  const size = (name: string): bigint | undefined =>
    E.getOrElse<CommandError, bigint | undefined>(() => undefined)(decodeWith(sizeOption(name))(text(name)))
  const [whole = 2n ** 64n, l2 = 0n, refcount = 0n] = ['cache-size', 'l2-cache-size', 'refcount-cache-size'].map(size)
  const [check, template] = [text('overlap-check'), text('overlap-check.template')]
  return keepRules([
    [
      text('detect-zeroes') === 'unmap' && !carriesOut(text('discard') ?? 'unmap'),
      'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap'
    ],
    [
      ['cache-size', 'l2-cache-size', 'refcount-cache-size'].every((name) => options.has(name)),
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

/** What the options of a node say of it. */
export const formatOptions = either(function* (driver: Format, options: DottedOptions): Generator<Failed, NodeOptions> {
  let node: NodeOptions = {}
  for (const [name, value] of options) node = { ...node, ...(yield* get(optionOf(driver, name, value))) }
  yield* get(keepApart(options))
  return node
})
