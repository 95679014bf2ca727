/** The parsers of commands on a range of guest bytes: reads, writes and discards. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import { either, get, keepRules } from '../command-error.js'
import { failedOnOutput, type Line, orOutput, type Outcome, type Parsed, type Pattern, type Transfer } from './line.js'
import { type Parse, parseWords, usageLine, type VerbName } from './verb.js'
import { keepExact, parsePattern, parseSize, type Words } from './words.js'

/** Most bytes of one transfer. */
const maxTransfer = 2 ** 31 - sectorSize

const refuse = (message: string): Parsed<never> => E.left(failedOnOutput(message))

const wholeSectors = ({ at, length }: Transfer): Parsed<void> => {
  if (at % sectorSize !== 0) return refuse(`${at} is not a sector-aligned value for 'offset'`)
  return length % sectorSize === 0 ? E.right(undefined) : refuse(`${length} is not a sector-aligned value for 'count'`)
}

/** The sum of the lengths of a vector. */
const vectorLength = either(function* (words: readonly string[]) {
  let sum = 0
  for (const word of words) {
    const length = yield* get(parseSize(word))
    if (length > maxTransfer) yield* get(refuse(`Argument '${word}' exceeds maximum size ${maxTransfer}`))
    sum += length
    if (sum > maxTransfer) yield* get(refuse(`The total number of bytes exceed the maximum size ${maxTransfer}`))
  }
  return sum
})

/** The length of one buffer. @param hint what would allow more */
const bufferLength = (word: string, unbounded: boolean, hint: string): Parsed<number> => {
  const length = parseSize(word)
  return E.isRight(length) && length.right > maxTransfer && !unbounded
    ? refuse(`length cannot exceed ${maxTransfer}${hint}, given ${word}`)
    : length
}

/** Rules about the options of a command, the first of which that is broken is reported. */
type Rules = Parameters<typeof keepRules>[0]

/** How a command on a range is parsed. */
interface RangeSyntax {
  readonly optstring: string
  /** What qemu-io calls the transfer when it fails. */
  readonly name: string
  /** Whether several lengths may be given. */
  readonly vector?: boolean
  readonly asynchronous?: boolean
  /** Which options exclude each other; that is reported before its numbers are. */
  readonly rules?: (words: Words, verb: VerbName) => Rules
  readonly line: (words: Words, transfer: Transfer) => Parsed<Line>
}

const onRange = (syntax: RangeSyntax): Parse => {
  const { optstring, name, vector = false, asynchronous = false, rules = () => [] } = syntax
  return either(function* (args, verb) {
    const words = yield* get(parseWords(args, optstring, verb))
    const { flags, values, operands } = words
    yield* get(parsePattern(values.get('P') ?? '0'))
    const [first = '', ...lengths] = operands
    const [length = ''] = lengths
    if (lengths.length < 1 || (lengths.length > 1 && !vector)) yield* get(refuse(usageLine(verb)))
    yield* get(orOutput(keepRules(rules(words, verb))))
    const at = yield* get(parseSize(first))
    const parsed =
      vector && !flags.has('z')
        ? vectorLength(lengths)
        : bufferLength(length, flags.has('n'), optstring.includes('n') ? ' without -n' : '')
    const size = yield* get(parsed)
    yield* get(keepExact(at, size))
    const transfer = {
      at,
      length: size,
      quiet: flags.has('q'),
      terse: flags.has('C'),
      name,
      asynchronous,
      vmState: flags.has('b')
    }
    return yield* get(syntax.line(words, transfer))
  })
}

/** The bytes that a read of `length` bytes must find, if `-P` names their value. */
const patternOf = either(function* (
  { values }: Words,
  length: number
): Generator<E.Left<Outcome>, Pattern | undefined> {
  const pattern = values.get('P')
  if (pattern === undefined) return undefined
  const [byte, at] = [yield* get(parsePattern(pattern)), yield* get(parseSize(values.get('s') ?? '0'))]
  const size = yield* get(parseSize(values.get('l') ?? `${Math.max(0, length - at)}`))
  if (at + size > length) yield* get(refuse('pattern verification range exceeds end of read data'))
  return { byte, at, length: size }
})

const readLine: RangeSyntax['line'] = either(function* (words, transfer) {
  if (transfer.vmState) yield* get(wholeSectors(transfer))
  const pattern = yield* get(patternOf(words, transfer.length))
  return {
    _tag: 'Read',
    ...transfer,
    ...(pattern === undefined ? {} : { pattern }),
    dump: words.flags.has('v')
  }
})

/** Parses `read`. */
export const parseRead = onRange({
  optstring: 'bCl:pP:qs:v',
  name: 'read',
  rules: ({ values }, verb) => [[!values.has('P') && (values.has('s') || values.has('l')), usageLine(verb)]],
  line: readLine
})

/** Parses `readv` and `aio_read`. */
export const parseReadv = (asynchronous: boolean): Parse =>
  onRange({ optstring: 'CP:qv', name: 'readv', vector: true, asynchronous, line: readLine })

const writeRules = ({ flags, values }: Words): Rules => {
  const zero = flags.has('z')
  return [
    [flags.has('b') && zero, '-b and -z cannot be specified at the same time'],
    [flags.has('f') && (flags.has('b') || flags.has('c')), '-f and -b or -c cannot be specified at the same time'],
    [flags.has('n') && !zero, '-n requires -z to be specified'],
    [flags.has('u') && !zero, '-u requires -z to be specified'],
    [
      [zero, values.has('P'), values.has('s')].filter(Boolean).length > 1,
      'Only one of -z, -P, and -s can be specified at the same time'
    ]
  ]
}

const writeLine: RangeSyntax['line'] = either(function* ({ flags, values }, transfer) {
  if (flags.has('b') || flags.has('c')) yield* get(wholeSectors(transfer))
  const flush = flags.has('f')
  if (flags.has('z')) return { _tag: 'WriteZeroes', ...transfer, unmap: flags.has('u'), fast: flags.has('n'), flush }
  const byte = yield* get(parsePattern(values.get('P') ?? '0xcd'))
  return { _tag: 'Write', ...transfer, pattern: values.get('s') ?? byte, compressed: flags.has('c'), flush }
})

/** Parses `write`. */
export const parseWrite = onRange({ optstring: 'bcCfnpP:qs:uz', name: 'write', rules: writeRules, line: writeLine })

/** Parses `writev`. */
export const parseWritev = onRange({ optstring: 'CfqP:', name: 'writev', vector: true, line: writeLine })

/** Parses `aio_write`. */
export const parseAioWrite = onRange({
  optstring: 'CfP:quz',
  name: 'aio_write',
  vector: true,
  asynchronous: true,
  rules: ({ flags, operands }) => [
    [flags.has('z') && operands.length > 2, '-z supports only a single length parameter'],
    [flags.has('u') && !flags.has('z'), '-u requires -z to be specified']
  ],
  line: writeLine
})

/** Parses `discard`. */
export const parseDiscard = onRange({
  optstring: 'Cq',
  name: 'discard',
  line: (_, transfer) => E.right({ _tag: 'Discard', ...transfer })
})
