/** The commands of `qcow2 io`, and the reading of their lines. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../format/limits.js'
import { discard, type IoLine, type Line, read, usageOf, type Verb, write, writev } from './io-line.js'
import { bytesOf, integerOf, optionsOf, wordsOf, wrong } from './io-words.js'
import { isPreallocation } from './options.js'

const alloc: Verb['line'] = ([first = '', second]) => {
  const at = bytesOf(first)
  if (E.isLeft(at)) return at
  return E.map((length: number): IoLine => ({ _tag: 'Alloc', at: at.right, length }))(
    second === undefined ? E.right(sectorSize) : bytesOf(second)
  )
}

const sleep: Verb['line'] = ([text = '']) => {
  const milliseconds = integerOf(text)
  return milliseconds === undefined ? wrong(`${text} is not a valid number`) : E.right({ _tag: 'Sleep', milliseconds })
}

const truncate: Verb['line'] = (args, verb) => {
  const parsed = optionsOf(args, 'm:')
  if (E.isLeft(parsed)) return E.left({ out: `${usageOf(verb)}\n`, error: `${verb.name}: ${parsed.left}` })
  const { values, rest } = parsed.right
  const mode = values.get('m') ?? 'off'
  if (!isPreallocation(mode)) return E.left({ error: `Invalid preallocation mode '${mode}'` })
  return E.map((size: number): IoLine => ({ _tag: 'Truncate', size, preallocation: mode }))(bytesOf(rest[0] ?? ''))
}

const plain =
  (_tag: 'Flush' | 'Length' | 'Map' | 'Quit'): Verb['line'] =>
  () =>
    E.right({ _tag })

const vector = '[-P pattern] off len [len..]'

/** The commands, in the order in which they are listed. */
export const verbs: readonly Verb[] = [
  {
    name: 'aio_flush',
    least: 0,
    most: 0,
    usage: '',
    does: 'completes all outstanding aio requests',
    line: () => E.right({ _tag: 'Nothing' })
  },
  {
    name: 'aio_read',
    least: 2,
    usage: `[-Cqv] ${vector}`,
    does: 'asynchronously reads a number of bytes',
    line: read(true, true)
  },
  {
    name: 'aio_write',
    least: 2,
    usage: `[-Cfquz] ${vector}`,
    does: 'asynchronously writes a number of bytes',
    line: writev(true)
  },
  {
    name: 'alloc',
    other: 'a',
    least: 1,
    most: 2,
    usage: 'offset [count]',
    does: 'checks if offset is allocated in the file',
    line: alloc
  },
  {
    name: 'discard',
    other: 'd',
    least: 2,
    usage: '[-Cq] off len',
    does: 'discards a number of bytes at a specified offset',
    line: discard
  },
  {
    name: 'flush',
    other: 'f',
    least: 0,
    most: 0,
    usage: '',
    does: 'flush all in-core file state to disk',
    line: plain('Flush')
  },
  {
    name: 'help',
    other: '?',
    least: 0,
    most: 1,
    usage: '[command]',
    does: 'help for one or all commands',
    line: ([topic]) => E.right({ _tag: 'Help', topic })
  },
  {
    name: 'length',
    other: 'l',
    least: 0,
    most: 0,
    usage: '',
    does: 'gets the length of the current file',
    line: plain('Length')
  },
  { name: 'map', least: 0, most: 0, usage: '', does: 'prints the allocated areas of a file', line: plain('Map') },
  { name: 'quit', other: 'q', least: 0, usage: '', does: 'exit the program', line: plain('Quit') },
  {
    name: 'read',
    other: 'r',
    least: 2,
    usage: '[-abCqv] [-P pattern [-s off] [-l len]] off len',
    does: 'reads a number of bytes at a specified offset',
    line: read(false, false)
  },
  {
    name: 'readv',
    least: 2,
    usage: `[-Cqv] ${vector}`,
    does: 'reads a number of bytes at a specified offset',
    line: read(true, false)
  },
  { name: 'sleep', least: 1, most: 1, usage: '', does: 'waits for the given value in milliseconds', line: sleep },
  {
    name: 'truncate',
    other: 't',
    least: 1,
    most: 3,
    usage: '[-m prealloc_mode] off',
    does: 'truncates the current file at the given offset',
    line: truncate
  },
  {
    name: 'write',
    other: 'w',
    least: 2,
    usage: '[-bcCfnquz] [-P pattern | -s source_file] off len',
    does: 'writes a number of bytes at a specified offset',
    line: write
  },
  {
    name: 'writev',
    least: 2,
    usage: `[-Cfq] ${vector}`,
    does: 'writes a number of bytes at a specified offset',
    line: writev(false)
  }
]

const countWanted = ({ least, most }: Verb): string => {
  if (most === undefined) return `at least ${least} arguments`
  return least === most ? `${least} arguments` : `between ${least} and ${most} arguments`
}

/** What a line asks for, or what qemu-io says is wrong with it. */
export const parseLine = (line: string): Line => {
  const [name, ...args] = wordsOf(line)
  if (name === undefined) return E.right({ _tag: 'Nothing' })
  const verb = verbs.find((v) => v.name === name || v.other === name)
  if (verb === undefined) return E.left({ error: `command "${name}" not found` })
  return args.length < verb.least || args.length > (verb.most ?? Infinity)
    ? E.left({ error: `bad argument count ${args.length} to ${name}, expected ${countWanted(verb)}` })
    : verb.line(args, verb)
}
