/** The commands of lines in the order of `help`, and the parser of a line. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import { isPreallocation } from '../text/modes.js'
import { failedOnOutput, failedWith, type Line, type Outcome, type Parsed, readOnly, success } from './line.js'
import { parseAioWrite, parseDiscard, parseRead, parseReadv, parseWrite, parseWritev } from './range-verbs.js'
import { parseOpen, parseReopen, parseSigraise, parseSleep } from './session-verbs.js'
import { argumentCount, parseWords, plain, usageLine, type Verb } from './verb.js'
import { parseSize, wordsOf } from './words.js'

const parseAlloc: Verb['parse'] = ([first = '', second]) => {
  const at = parseSize(first)
  if (E.isLeft(at)) return at
  return E.map((length: number): Line => ({ _tag: 'Alloc', at: at.right, length }))(
    second === undefined ? E.right(sectorSize) : parseSize(second)
  )
}

const parseTruncate: Verb['parse'] = (args, verb) => {
  const words = parseWords(args, 'm:', verb)
  if (E.isLeft(words)) return words
  const { values, operands } = words.right
  const mode = values.get('m') ?? 'off'
  if (!isPreallocation(mode)) return E.left(failedWith(`Invalid preallocation mode '${mode}'`))
  return E.map((size: number): Line => ({ _tag: 'Truncate', size, preallocation: mode }))(parseSize(operands[0] ?? ''))
}

const vector = '[-P pattern] off len [len..]'

const verbs: readonly Verb[] = [
  {
    ...plain('abort', undefined, { _tag: 'Signal', signal: 'crash' }, 'simulate a program crash using abort(3)'),
    needs: 'nothing'
  },
  plain('aio_flush', undefined, { _tag: 'Nothing' }, 'completes all outstanding aio requests'),
  {
    name: 'aio_read',
    least: 2,
    usage: `[-Cqv] ${vector}`,
    about: 'asynchronously reads a number of bytes',
    parse: parseReadv(true)
  },
  {
    name: 'aio_write',
    least: 2,
    usage: `[-Cfquz] ${vector}`,
    about: 'asynchronously writes a number of bytes',
    needs: 'writing',
    parse: parseAioWrite
  },
  {
    name: 'alloc',
    alias: 'a',
    least: 1,
    most: 2,
    usage: 'offset [count]',
    about: 'checks if offset is allocated in the file',
    parse: parseAlloc
  },
  plain('close', 'c', { _tag: 'Close' }, 'close the current open file'),
  {
    name: 'discard',
    alias: 'd',
    least: 2,
    usage: '[-Cq] off len',
    about: 'discards a number of bytes at a specified offset',
    needs: 'writing',
    parse: parseDiscard
  },
  plain('flush', 'f', { _tag: 'Flush' }, 'flush all in-core file state to disk'),
  {
    name: 'help',
    alias: '?',
    least: 0,
    most: 1,
    usage: '[command]',
    about: 'help for one or all commands',
    needs: 'nothing',
    parse: ([topic]) => E.right({ _tag: 'Help', topic })
  },
  plain('info', 'i', { _tag: 'Info' }, 'prints information about the current file'),
  plain('length', 'l', { _tag: 'Length' }, 'gets the length of the current file'),
  plain('map', undefined, { _tag: 'Map' }, 'prints the allocated areas of a file'),
  {
    name: 'open',
    alias: 'o',
    least: 1,
    usage: '[-nkrU] [-t cache] [-d discard] [-i aio] [-o options] [path]',
    about: 'open the file specified by path',
    needs: 'nothing',
    parse: parseOpen
  },
  {
    name: 'quit',
    alias: 'q',
    least: 0,
    usage: '',
    about: 'exit the program',
    needs: 'nothing',
    parse: () => E.right({ _tag: 'Quit' })
  },
  {
    name: 'read',
    alias: 'r',
    least: 2,
    usage: '[-abCqv] [-P pattern [-s off] [-l len]] off len',
    about: 'reads a number of bytes at a specified offset',
    parse: parseRead
  },
  {
    name: 'readv',
    least: 2,
    usage: `[-Cqv] ${vector}`,
    about: 'reads a number of bytes at a specified offset',
    parse: parseReadv(false)
  },
  {
    name: 'reopen',
    least: 0,
    usage: '[(-r|-w)] [-c cache] [-o options]',
    about: 'reopens the file with new options',
    parse: parseReopen
  },
  {
    name: 'sigraise',
    least: 1,
    most: 1,
    usage: 'signal',
    about: 'raises a signal',
    needs: 'nothing',
    parse: parseSigraise
  },
  {
    name: 'sleep',
    least: 1,
    most: 1,
    usage: '',
    about: 'waits for the given value in milliseconds',
    needs: 'nothing',
    parse: parseSleep
  },
  {
    name: 'truncate',
    alias: 't',
    least: 1,
    most: 3,
    usage: '[-m prealloc_mode] off',
    about: 'truncates the current file at the given offset',
    needs: 'writing',
    parse: parseTruncate
  },
  {
    name: 'write',
    alias: 'w',
    least: 2,
    usage: '[-bcCfnquz] [-P pattern | -s source_file] off len',
    about: 'writes a number of bytes at a specified offset',
    needs: 'writing',
    parse: parseWrite
  },
  {
    name: 'writev',
    least: 2,
    usage: `[-Cfq] ${vector}`,
    about: 'writes a number of bytes at a specified offset',
    needs: 'writing',
    parse: parseWritev
  }
]

/** What is open: no file, one for reading, or one for writing. */
export type Access = 'none' | 'reading' | 'writing'

/** Parses a line, given what is open. qemu-io reports that no file is open first, and that one is read-only last. */
export const parseLine = (line: string, access: Access): Parsed<Line> => {
  const [name, ...args] = wordsOf(line)
  if (name === undefined) return E.right({ _tag: 'Nothing' })
  const verb = verbs.find((v) => v.name === name || v.alias === name)
  if (verb === undefined) return E.left(failedWith(`command "${name}" not found`))
  if (access === 'none' && verb.needs !== 'nothing') return E.left(failedWith("no file open, try 'help open'"))
  if (args.length < verb.least || args.length > (verb.most ?? Infinity))
    return E.left(failedWith(`bad argument count ${args.length} to ${name}, expected ${argumentCount(verb)}`))
  return access === 'reading' && verb.needs === 'writing' ? E.left(readOnly) : verb.parse(args, verb)
}

/** Describes one command, or all of them. */
export const describeVerbs = (topic: string | undefined): Outcome => {
  const about = verbs.filter((verb) => topic === undefined || verb.name === topic || verb.alias === topic)
  return about.length === 0
    ? failedOnOutput(`command ${topic ?? ''} not found`)
    : success(about.map((verb) => `${usageLine(verb)}\n`).join(''))
}
