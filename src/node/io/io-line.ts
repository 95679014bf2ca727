/** Lines of `qcow2 io` and what they ask for: the commands on a range of guest bytes. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import type { Preallocation } from '../../../spec/disk.js'
import type { Wanted } from '../text/image-opts.js'
import { bytesOf, optionsOf, type Parsed, patternOf, wrong, type Wrong } from './io-words.js'

/** Guest bytes, how their transfer is reported, and what qemu-io calls it when it fails. */
export interface Transfer {
  readonly at: number
  readonly length: number
  readonly quiet: boolean
  /** Whether the report is for programs. */
  readonly terse: boolean
  readonly name: string
  /** Whether the line succeeds whatever becomes of it. */
  readonly asynchronous: boolean
  /** Whether the bytes are of the VM state behind the disk. */
  readonly vmState: boolean
}

/** Bytes that are all to have one value, within those that are read. */
export interface Expected {
  readonly byte: number
  /** Counted from the first byte read. */
  readonly at: number
  readonly length: number
}

/** What a line asks for. */
export type IoLine =
  | (Transfer & { readonly _tag: 'Read'; readonly expected?: Expected; readonly dump: boolean })
  | (Transfer & {
      readonly _tag: 'Write'
      /** The value of every byte, or the name of the file whose bytes are repeated. */
      readonly pattern: number | string
      readonly compressed: boolean
      readonly flush: boolean
    })
  | (Transfer & {
      readonly _tag: 'WriteZeroes'
      readonly unmap: boolean
      /** Whether it must cost no more than metadata. */
      readonly fast: boolean
      readonly flush: boolean
    })
  | (Transfer & { readonly _tag: 'Discard' })
  | { readonly _tag: 'Alloc'; readonly at: number; readonly length: number }
  | { readonly _tag: 'Truncate'; readonly size: number; readonly preallocation: Preallocation }
  | { readonly _tag: 'Sleep'; readonly milliseconds: number }
  | { readonly _tag: 'Help'; readonly topic: string | undefined }
  | { readonly _tag: 'Flush' | 'Info' | 'Length' | 'Map' | 'Nothing' }
  | { readonly _tag: 'Open'; readonly wanted: Partial<Wanted> }
  | { readonly _tag: 'Reopen'; readonly wanted: Partial<Wanted> }
  | { readonly _tag: 'Close' | 'Quit' }
  /** The program gets a signal: the number of one, or what a crash is. */
  | { readonly _tag: 'Signal'; readonly signal: number | 'crash' }

/** What a line asks for that is not about the guest bytes of an open file. */
export type FileLine = Extract<
  IoLine,
  { readonly _tag: 'Open' | 'Reopen' | 'Close' | 'Quit' | 'Help' | 'Sleep' | 'Signal' }
>

export type Line = E.Either<Wrong, IoLine>

/** A command: its other name, how many arguments it takes, and what it makes of them. */
export interface Verb {
  readonly name: string
  readonly other?: string
  readonly least: number
  readonly most?: number
  /** What it is given, and what it is for. */
  readonly usage: string
  readonly does: string
  readonly line: (args: readonly string[], verb: Verb) => Line
  /** What must be open for it: nothing, any file, or one that may be written. */
  readonly needs?: 'nothing' | 'writing'
}

/** Most bytes of one transfer. */
const mostBytes = 2 ** 31 - sectorSize

/** The line with which qemu-io describes a command. */
export const usageOf = ({ name, usage, does }: Pick<Verb, 'name' | 'usage' | 'does'>): string =>
  `${name} ${usage}${usage === '' ? '' : ' '}-- ${does}`

interface Range {
  readonly at: number
  readonly length: number
}

const sectors = ({ at, length }: Range): E.Either<Wrong, void> => {
  if (at % sectorSize !== 0) return wrong(`${at} is not a sector-aligned value for 'offset'`)
  return length % sectorSize === 0 ? E.right(undefined) : wrong(`${length} is not a sector-aligned value for 'count'`)
}

/** The lengths of a vector, one behind the other. */
const total = (words: readonly string[]): E.Either<Wrong, number> => {
  let sum = 0
  for (const word of words) {
    const length = bytesOf(word)
    if (E.isLeft(length)) return length
    if (length.right > mostBytes) return wrong(`Argument '${word}' exceeds maximum size ${mostBytes}`)
    sum += length.right
    if (sum > mostBytes) return wrong(`The total number of bytes exceed the maximum size ${mostBytes}`)
  }
  return E.right(sum)
}

const one = (word: string, unbounded: boolean, hint: string): E.Either<Wrong, number> => {
  const length = bytesOf(word)
  return E.isRight(length) && length.right > mostBytes && !unbounded
    ? wrong(`length cannot exceed ${mostBytes}${hint}, given ${word}`)
    : length
}

/** How a command on a range is read. */
interface Kind {
  readonly options: string
  /** What qemu-io calls it when it fails. */
  readonly fails: string
  readonly vector: boolean
  readonly asynchronous: boolean
  /** What of its options is wrong, before its numbers are looked at. */
  readonly early: (parsed: Parsed) => string | undefined
  readonly make: (parsed: Parsed, transfer: Transfer) => Line
}

const onRange = (kind: Kind): Verb['line'] => {
  const lengthOf = (parsed: Parsed, words: readonly string[]): E.Either<Wrong, number> => {
    if (kind.vector && !parsed.flags.has('z')) return total(words)
    return one(words[0] ?? '', parsed.flags.has('n'), kind.options.includes('n') ? ' without -n' : '')
  }
  return (args, verb) => {
    const usage = `${usageOf(verb)}\n`
    const parsed = optionsOf(args, kind.options)
    if (E.isLeft(parsed)) return E.left({ out: usage, error: `${verb.name}: ${parsed.left}` })
    const { flags, values, rest } = parsed.right
    const pattern = values.get('P')
    const byte = pattern === undefined ? E.right(0) : patternOf(pattern)
    if (E.isLeft(byte)) return byte
    const [first = '', ...lengths] = rest
    if (lengths.length < 1 || (lengths.length > 1 && !kind.vector)) return E.left({ out: usage })
    const early = kind.early(parsed.right)
    if (early !== undefined) return wrong(early)
    const at = bytesOf(first)
    if (E.isLeft(at)) return at
    const length = lengthOf(parsed.right, lengths)
    if (E.isLeft(length)) return length
    const range = { at: at.right, length: length.right }
    return kind.make(parsed.right, {
      ...range,
      quiet: flags.has('q'),
      terse: flags.has('C'),
      name: kind.fails,
      asynchronous: kind.asynchronous,
      vmState: flags.has('b')
    })
  }
}

const nothingEarly = (): undefined => undefined

const expectedOf = ({ values }: Parsed, length: number): E.Either<Wrong, Expected | undefined> => {
  const pattern = values.get('P')
  if (pattern === undefined) return E.right(undefined)
  const [byte, at] = [patternOf(pattern), bytesOf(values.get('s') ?? '0')]
  if (E.isLeft(byte)) return byte
  if (E.isLeft(at)) return at
  const given = values.get('l')
  const size = given === undefined ? E.right(length - at.right) : bytesOf(given)
  if (E.isLeft(size)) return size
  return size.right < 0 || at.right + size.right > length
    ? wrong('pattern verification range exceeds end of read data')
    : E.right({ byte: byte.right, at: at.right, length: size.right })
}

/** Reads. */
export const read =
  (vector: boolean, asynchronous: boolean): Verb['line'] =>
  (args, verb) => {
    const line = onRange({
      options: vector ? 'CP:qv' : 'bCl:pP:qs:v',
      fails: vector ? 'readv' : 'read',
      vector,
      asynchronous,
      early: ({ values }) => (values.has('P') || !(values.has('s') || values.has('l')) ? undefined : usageOf(verb)),
      make: (parsed, transfer) => {
        const checked = transfer.vmState ? sectors(transfer) : E.right(undefined)
        if (E.isLeft(checked)) return checked
        return E.map((expected: Expected | undefined): IoLine => ({
          _tag: 'Read',
          ...transfer,
          ...(expected === undefined ? {} : { expected }),
          dump: parsed.flags.has('v')
        }))(expectedOf(parsed, transfer.length))
      }
    })
    return line(args, verb)
  }

const earlyWrite = ({ flags, values }: Parsed): string | undefined => {
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

const earlyVector = ({ flags, rest }: Parsed): string | undefined => {
  if (flags.has('z') && rest.length > 2) return '-z supports only a single length parameter'
  return flags.has('u') && !flags.has('z') ? '-u requires -z to be specified' : undefined
}

const makeWrite = ({ flags, values }: Parsed, transfer: Transfer): Line => {
  const checked = flags.has('b') || flags.has('c') ? sectors(transfer) : E.right(undefined)
  if (E.isLeft(checked)) return checked
  const flush = flags.has('f')
  if (flags.has('z'))
    return E.right({ _tag: 'WriteZeroes', ...transfer, unmap: flags.has('u'), fast: flags.has('n'), flush })
  const byte = patternOf(values.get('P') ?? '0xcd')
  return E.map((pattern: number): IoLine => ({
    _tag: 'Write',
    ...transfer,
    pattern: values.get('s') ?? pattern,
    compressed: flags.has('c'),
    flush
  }))(byte)
}

/** A write of one piece. */
export const write = onRange({
  options: 'bcCfnpP:qs:uz',
  fails: 'write',
  vector: false,
  asynchronous: false,
  early: earlyWrite,
  make: makeWrite
})

/** Writes of several pieces, one behind the other. */
export const writev = (asynchronous: boolean): Verb['line'] =>
  onRange({
    options: asynchronous ? 'CfP:quz' : 'CfqP:',
    fails: asynchronous ? 'aio_write' : 'writev',
    vector: true,
    asynchronous,
    early: asynchronous ? earlyVector : nothingEarly,
    make: makeWrite
  })

/** Discards. */
export const discard = onRange({
  options: 'Cq',
  fails: 'discard',
  vector: false,
  asynchronous: false,
  early: nothingEarly,
  make: (_, transfer) => E.right({ _tag: 'Discard', ...transfer })
})
