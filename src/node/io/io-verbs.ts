/** The commands of `qcow2 io`, and the reading of their lines. */
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import { discard, type IoLine, type Line, read, usageOf, type Verb, write, writev } from './io-line.js'
import { bytesOf, millisecondsOf, optionsOf, wordsOf, wrong } from './io-words.js'
import { imageOptsOf, type Wanted } from '../text/image-opts.js'
import { aios, caches, discards, isPreallocation } from '../text/modes.js'

const alloc: Verb['line'] = ([first = '', second]) => {
  const at = bytesOf(first)
  if (E.isLeft(at)) return at
  return E.map((length: number): IoLine => ({ _tag: 'Alloc', at: at.right, length }))(
    second === undefined ? E.right(sectorSize) : bytesOf(second)
  )
}

const sleep: Verb['line'] = ([text = '']) =>
  E.map((milliseconds: number): IoLine => ({ _tag: 'Sleep', milliseconds }))(millisecondsOf(text))

const truncate: Verb['line'] = (args, verb) => {
  const parsed = optionsOf(args, 'm:')
  if (E.isLeft(parsed)) return E.left({ out: `${usageOf(verb)}\n`, error: `${verb.name}: ${parsed.left}` })
  const { values, rest } = parsed.right
  const mode = values.get('m') ?? 'off'
  if (!isPreallocation(mode)) return E.left({ error: `Invalid preallocation mode '${mode}'` })
  return E.map((size: number): IoLine => ({ _tag: 'Truncate', size, preallocation: mode }))(bytesOf(rest[0] ?? ''))
}

const plain =
  (_tag: 'Close' | 'Flush' | 'Info' | 'Length' | 'Map' | 'Quit'): Verb['line'] =>
  () =>
    E.right({ _tag })

/** What is said of an option with a word that is none of its own. */
const wordless = (values: ReadonlyMap<string, string>): string | undefined => {
  const kinds: readonly (readonly [name: string, word: string | undefined, words: readonly string[]])[] = [
    ['cache', values.get('t') ?? values.get('c'), caches],
    ['discard', values.get('d'), discards],
    ['aio', values.get('i'), aios]
  ]
  const wrong = kinds.find(([, word, words]) => word !== undefined && !words.includes(word))
  return wrong === undefined ? undefined : `Invalid ${wrong[0]} option: ${wrong[1]}`
}

const open: Verb['line'] = (args, verb) => {
  const parsed = optionsOf(args, 'nro:ki:t:d:U')
  if (E.isLeft(parsed)) return E.left({ out: `${usageOf(verb)}\n`, error: `${verb.name}: ${parsed.left}` })
  const { flags, values, rest } = parsed.right
  const mode = wordless(values)
  if (mode !== undefined) return E.left({ error: mode })
  const options = imageOptsOf(values.get('o') ?? '')
  if (E.isLeft(options)) return E.left({ error: options.left })
  if (flags.has('U') && !flags.has('r')) return E.left({ error: '-U can only be used with -r' })
  const [name, ...more] = rest
  if (more.length > 0 || (name === undefined && options.right.name === undefined))
    return E.left({ out: `${usageOf(verb)}\n` })
  const wanted: Partial<Wanted> = { ...options.right, ...(name === undefined ? {} : { name }) }
  return E.right({ _tag: 'Open', wanted: flags.has('r') ? { ...wanted, readOnly: true } : wanted })
}

const reopen: Verb['line'] = (args, verb) => {
  const parsed = optionsOf(args, 'rwc:o:')
  if (E.isLeft(parsed)) return E.left({ out: `${usageOf(verb)}\n`, error: `${verb.name}: ${parsed.left}` })
  const { flags, values, rest } = parsed.right
  if (rest.length > 0) return E.left({ out: `${usageOf(verb)}\n` })
  const mode = wordless(values)
  if (mode !== undefined) return E.left({ error: mode })
  if (flags.has('r') && flags.has('w')) return E.left({ error: 'Only one -r/-w option may be given' })
  const list = values.get('o') ?? ''
  const options = imageOptsOf(list)
  if (E.isLeft(options)) return E.left({ error: options.left })
  const access = flags.has('r') || flags.has('w')
  if (access && options.right.readOnly !== undefined) return E.left({ error: "Cannot set both -r/-w and 'read-only'" })
  if (values.has('c') && /(^|,)cache\./.test(list)) return E.left({ error: 'Cannot set both -c and the cache options' })
  return E.right({ _tag: 'Reopen', wanted: access ? { ...options.right, readOnly: flags.has('r') } : options.right })
}

const sigraise: Verb['line'] = ([text = '']) => {
  const signal = bytesOf(text)
  if (E.isLeft(signal)) return signal
  return signal.right > 64
    ? wrong(`signal argument '${text}' is too large to be a valid signal`)
    : E.right({ _tag: 'Signal', signal: signal.right })
}

const vector = '[-P pattern] off len [len..]'

/** The commands, in the order in which they are listed. */
const verbs: readonly Verb[] = [
  {
    name: 'abort',
    least: 0,
    most: 0,
    usage: '',
    does: 'simulate a program crash using abort(3)',
    needs: 'nothing',
    line: () => E.right({ _tag: 'Signal', signal: 'crash' })
  },
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
    needs: 'writing',
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
    name: 'close',
    other: 'c',
    least: 0,
    most: 0,
    usage: '',
    does: 'close the current open file',
    line: plain('Close')
  },
  {
    name: 'discard',
    other: 'd',
    least: 2,
    usage: '[-Cq] off len',
    does: 'discards a number of bytes at a specified offset',
    needs: 'writing',
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
    needs: 'nothing',
    line: ([topic]) => E.right({ _tag: 'Help', topic })
  },
  {
    name: 'info',
    other: 'i',
    least: 0,
    most: 0,
    usage: '',
    does: 'prints information about the current file',
    line: plain('Info')
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
  {
    name: 'open',
    other: 'o',
    least: 1,
    usage: '[-nkrU] [-t cache] [-d discard] [-i aio] [-o options] [path]',
    does: 'open the file specified by path',
    needs: 'nothing',
    line: open
  },
  { name: 'quit', other: 'q', least: 0, usage: '', does: 'exit the program', needs: 'nothing', line: plain('Quit') },
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
  {
    name: 'reopen',
    least: 0,
    usage: '[(-r|-w)] [-c cache] [-o options]',
    does: 'reopens the file with new options',
    line: reopen
  },
  {
    name: 'sigraise',
    least: 1,
    most: 1,
    usage: 'signal',
    does: 'raises a signal',
    needs: 'nothing',
    line: sigraise
  },
  {
    name: 'sleep',
    least: 1,
    most: 1,
    usage: '',
    does: 'waits for the given value in milliseconds',
    needs: 'nothing',
    line: sleep
  },
  {
    name: 'truncate',
    other: 't',
    least: 1,
    most: 3,
    usage: '[-m prealloc_mode] off',
    does: 'truncates the current file at the given offset',
    needs: 'writing',
    line: truncate
  },
  {
    name: 'write',
    other: 'w',
    least: 2,
    usage: '[-bcCfnquz] [-P pattern | -s source_file] off len',
    does: 'writes a number of bytes at a specified offset',
    needs: 'writing',
    line: write
  },
  {
    name: 'writev',
    least: 2,
    usage: `[-Cfq] ${vector}`,
    does: 'writes a number of bytes at a specified offset',
    needs: 'writing',
    line: writev(false)
  }
]

const countWanted = ({ least, most }: Verb): string => {
  if (most === undefined) return `at least ${least} arguments`
  return least === most ? `${least} arguments` : `between ${least} and ${most} arguments`
}

/** What stands in the way of a command, given what is open. */
const notNow = ({ needs }: Verb, open: 'nothing' | 'reading' | 'writing'): string | undefined => {
  if (open === 'nothing' && needs !== 'nothing') return "no file open, try 'help open'"
  return open === 'reading' && needs === 'writing' ? 'Block node is read-only' : undefined
}

/** What a line asks for, or what qemu-io says is wrong with it, given what is open. */
export const parseLine = (line: string, open: 'nothing' | 'reading' | 'writing'): Line => {
  const [name, ...args] = wordsOf(line)
  if (name === undefined) return E.right({ _tag: 'Nothing' })
  const verb = verbs.find((v) => v.name === name || v.other === name)
  if (verb === undefined) return E.left({ error: `command "${name}" not found` })
  const why = notNow(verb, open)
  if (why !== undefined && open === 'nothing') return E.left({ error: why })
  if (args.length < verb.least || args.length > (verb.most ?? Infinity))
    return E.left({ error: `bad argument count ${args.length} to ${name}, expected ${countWanted(verb)}` })
  return why === undefined ? verb.line(args, verb) : E.left({ error: why })
}

/** Describes one command or all of them; tells whether there are any. */
export const helpOn = (topic: string | undefined, print: (text: string) => void): boolean => {
  const about = verbs.filter((verb) => topic === undefined || verb.name === topic || verb.other === topic)
  print(about.length === 0 ? `command ${topic ?? ''} not found\n` : about.map((verb) => `${usageOf(verb)}\n`).join(''))
  return about.length > 0
}
