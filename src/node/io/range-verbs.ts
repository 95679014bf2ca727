/** The parsers of commands on a range of guest bytes: reads, writes and discards. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import { failedOnOutput, type Line, type Parsed, type Pattern, type Transfer } from './line.js'
import { parseWords, usageLine, type Verb } from './verb.js'
import { parsePattern, parseSize, type Words } from './words.js'

/** Most bytes of one transfer. */
const maxTransfer = 2 ** 31 - sectorSize

const refuse = (message: string): Parsed<never> => E.left(failedOnOutput(message))

const wholeSectors = ({ at, length }: Transfer): Parsed<void> => {
  if (at % sectorSize !== 0) return refuse(`${at} is not a sector-aligned value for 'offset'`)
  return length % sectorSize === 0 ? E.right(undefined) : refuse(`${length} is not a sector-aligned value for 'count'`)
}

/** The sum of the lengths of a vector. */
const vectorLength = (words: readonly string[]): Parsed<number> => {
  let sum = 0
  for (const word of words) {
    const length = parseSize(word)
    if (E.isLeft(length)) return length
    if (length.right > maxTransfer) return refuse(`Argument '${word}' exceeds maximum size ${maxTransfer}`)
    sum += length.right
    if (sum > maxTransfer) return refuse(`The total number of bytes exceed the maximum size ${maxTransfer}`)
  }
  return E.right(sum)
}

/** The length of one buffer. @param hint what would allow more */
const bufferLength = (word: string, unbounded: boolean, hint: string): Parsed<number> => {
  const length = parseSize(word)
  return E.isRight(length) && length.right > maxTransfer && !unbounded
    ? refuse(`length cannot exceed ${maxTransfer}${hint}, given ${word}`)
    : length
}

/** How a command on a range is parsed. */
interface RangeSyntax {
  readonly optstring: string
  /** What qemu-io calls the transfer when it fails. */
  readonly name: string
  /** Whether several lengths may be given. */
  readonly vector: boolean
  readonly asynchronous: boolean
  /** Why its options exclude each other, which is reported before its numbers are. */
  readonly conflict: (words: Words) => string | undefined
  readonly line: (words: Words, transfer: Transfer) => Parsed<Line>
}

const parseLength = (syntax: RangeSyntax, { flags }: Words, lengths: readonly string[]): Parsed<number> =>
  syntax.vector && !flags.has('z')
    ? vectorLength(lengths)
    : bufferLength(lengths[0] ?? '', flags.has('n'), syntax.optstring.includes('n') ? ' without -n' : '')

const onRange =
  (syntax: RangeSyntax): Verb['parse'] =>
  (args, verb) => {
    const words = parseWords(args, syntax.optstring, verb)
    if (E.isLeft(words)) return words
    const { flags, values, operands } = words.right
    const byte = parsePattern(values.get('P') ?? '0')
    if (E.isLeft(byte)) return byte
    const [first = '', ...lengths] = operands
    if (lengths.length < 1 || (lengths.length > 1 && !syntax.vector)) return refuse(usageLine(verb))
    const conflict = syntax.conflict(words.right)
    if (conflict !== undefined) return refuse(conflict)
    const at = parseSize(first)
    if (E.isLeft(at)) return at
    const length = parseLength(syntax, words.right, lengths)
    if (E.isLeft(length)) return length
    return syntax.line(words.right, {
      at: at.right,
      length: length.right,
      quiet: flags.has('q'),
      terse: flags.has('C'),
      name: syntax.name,
      asynchronous: syntax.asynchronous,
      vmState: flags.has('b')
    })
  }

const noConflict = (): undefined => undefined

/** The bytes that a read of `length` bytes must find, if `-P` names their value. */
const patternOf = ({ values }: Words, length: number): Parsed<Pattern | undefined> => {
  const pattern = values.get('P')
  if (pattern === undefined) return E.right(undefined)
  const [byte, at] = [parsePattern(pattern), parseSize(values.get('s') ?? '0')]
  if (E.isLeft(byte)) return byte
  if (E.isLeft(at)) return at
  const given = values.get('l')
  const size = given === undefined ? E.right(length - at.right) : parseSize(given)
  if (E.isLeft(size)) return size
  return size.right < 0 || at.right + size.right > length
    ? refuse('pattern verification range exceeds end of read data')
    : E.right({ byte: byte.right, at: at.right, length: size.right })
}

const readLine = (words: Words, transfer: Transfer): Parsed<Line> => {
  const aligned = transfer.vmState ? wholeSectors(transfer) : E.right(undefined)
  if (E.isLeft(aligned)) return aligned
  return E.map((pattern: Pattern | undefined): Line => ({
    _tag: 'Read',
    ...transfer,
    ...(pattern === undefined ? {} : { pattern }),
    dump: words.flags.has('v')
  }))(patternOf(words, transfer.length))
}

/** Parses `read`. */
export const parseRead: Verb['parse'] = (args, verb) =>
  onRange({
    optstring: 'bCl:pP:qs:v',
    name: 'read',
    vector: false,
    asynchronous: false,
    conflict: ({ values }) => (values.has('P') || !(values.has('s') || values.has('l')) ? undefined : usageLine(verb)),
    line: readLine
  })(args, verb)

/** Parses `readv` and `aio_read`. */
export const parseReadv = (asynchronous: boolean): Verb['parse'] =>
  onRange({ optstring: 'CP:qv', name: 'readv', vector: true, asynchronous, conflict: noConflict, line: readLine })

const writeConflict = ({ flags, values }: Words): string | undefined => {
  const [zero, pattern, source] = [flags.has('z'), values.has('P'), values.has('s')]
  if (flags.has('b') && zero) return '-b and -z cannot be specified at the same time'
  if (flags.has('f') && (flags.has('b') || flags.has('c')))
    return '-f and -b or -c cannot be specified at the same time'
  if (flags.has('n') && !zero) return '-n requires -z to be specified'
  if (flags.has('u') && !zero) return '-u requires -z to be specified'
  if ([zero, pattern, source].filter(Boolean).length > 1)
    return 'Only one of -z, -P, and -s can be specified at the same time'
  return undefined
}

const aioWriteConflict = ({ flags, operands }: Words): string | undefined => {
  if (flags.has('z') && operands.length > 2) return '-z supports only a single length parameter'
  return flags.has('u') && !flags.has('z') ? '-u requires -z to be specified' : undefined
}

const writeLine = ({ flags, values }: Words, transfer: Transfer): Parsed<Line> => {
  const aligned = flags.has('b') || flags.has('c') ? wholeSectors(transfer) : E.right(undefined)
  if (E.isLeft(aligned)) return aligned
  const flush = flags.has('f')
  if (flags.has('z'))
    return E.right({ _tag: 'WriteZeroes', ...transfer, unmap: flags.has('u'), fast: flags.has('n'), flush })
  return E.map((byte: number): Line => ({
    _tag: 'Write',
    ...transfer,
    pattern: values.get('s') ?? byte,
    compressed: flags.has('c'),
    flush
  }))(parsePattern(values.get('P') ?? '0xcd'))
}

/** Parses `write`. */
export const parseWrite = onRange({
  optstring: 'bcCfnpP:qs:uz',
  name: 'write',
  vector: false,
  asynchronous: false,
  conflict: writeConflict,
  line: writeLine
})

/** Parses `writev`. */
export const parseWritev = onRange({
  optstring: 'CfqP:',
  name: 'writev',
  vector: true,
  asynchronous: false,
  conflict: noConflict,
  line: writeLine
})

/** Parses `aio_write`. */
export const parseAioWrite = onRange({
  optstring: 'CfP:quz',
  name: 'aio_write',
  vector: true,
  asynchronous: true,
  conflict: aioWriteConflict,
  line: writeLine
})

/** Parses `discard`. */
export const parseDiscard = onRange({
  optstring: 'Cq',
  name: 'discard',
  vector: false,
  asynchronous: false,
  conflict: noConflict,
  line: (_, transfer) => E.right({ _tag: 'Discard', ...transfer })
})
