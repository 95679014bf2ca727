/** The commands of lines, and the parser of a line. */
import * as E from 'fp-ts/lib/Either.js'
import { either, get } from '../command-error.js'
import { sectorSize } from '../../format/limits.js'
import { isPreallocation } from '../text/values.js'
import { failedOnOutput, failedWith, type Line, type Outcome, type Parsed, readOnly, success } from './line.js'
import { parseAioWrite, parseDiscard, parseRead, parseReadv, parseWrite, parseWritev } from './range-verbs.js'
import { parseOpen, parseReopen, parseSigraise, parseSleep } from './session-verbs.js'
import { type Parse, parseWords, usageLine, type VerbName } from './verb.js'
import { keepExact, parseSize, wordsOf } from './words.js'

const parseAlloc: Parse = either(function* ([offset = '', count = `${sectorSize}`]) {
  const [at, length] = [yield* get(parseSize(offset)), yield* get(parseSize(count))]
  yield* get(keepExact(at, length))
  return { _tag: 'Alloc', at, length }
})

const parseTruncate: Parse = either(function* (args, name) {
  const { values, operands } = yield* get(parseWords(args, 'm:', name))
  const preallocation = values.get('m') ?? 'off'
  if (!isPreallocation(preallocation))
    return yield* get(E.left(failedWith(`Invalid preallocation mode '${preallocation}'`)))
  return { _tag: 'Truncate', size: yield* get(parseSize(operands[0] ?? '')), preallocation }
})

/** A command of lines. */
interface Verb {
  readonly alias?: string
  /** Fewest and most arguments. */
  readonly least: number
  readonly most?: number
  /** What must be open for it; any file unless given. */
  readonly needs?: 'nothing' | 'writing'
  readonly parse: Parse
}

/** A command that takes no arguments. */
const plain = (line: Line): Verb => ({ least: 0, most: 0, parse: () => E.right(line) })

const verbs: Readonly<Record<VerbName, Verb>> = {
  abort: { ...plain({ _tag: 'Signal', signal: 'crash' }), needs: 'nothing' },
  aio_flush: plain({ _tag: 'Nothing' }),
  aio_read: { least: 2, parse: parseReadv(true) },
  aio_write: { least: 2, needs: 'writing', parse: parseAioWrite },
  alloc: { alias: 'a', least: 1, most: 2, parse: parseAlloc },
  close: { alias: 'c', ...plain({ _tag: 'Close' }) },
  discard: { alias: 'd', least: 2, needs: 'writing', parse: parseDiscard },
  flush: { alias: 'f', ...plain({ _tag: 'Flush' }) },
  help: { alias: '?', least: 0, most: 1, needs: 'nothing', parse: ([topic]) => E.right({ _tag: 'Help', topic }) },
  info: { alias: 'i', ...plain({ _tag: 'Info' }) },
  length: { alias: 'l', ...plain({ _tag: 'Length' }) },
  map: plain({ _tag: 'Map' }),
  open: { alias: 'o', least: 1, needs: 'nothing', parse: parseOpen },
  quit: { alias: 'q', least: 0, needs: 'nothing', parse: () => E.right({ _tag: 'Quit' }) },
  read: { alias: 'r', least: 2, parse: parseRead },
  readv: { least: 2, parse: parseReadv(false) },
  reopen: { least: 0, parse: parseReopen },
  sigraise: { least: 1, most: 1, needs: 'nothing', parse: parseSigraise },
  sleep: { least: 1, most: 1, needs: 'nothing', parse: parseSleep },
  truncate: { alias: 't', least: 1, most: 3, needs: 'writing', parse: parseTruncate },
  write: { alias: 'w', least: 2, needs: 'writing', parse: parseWrite },
  writev: { least: 2, needs: 'writing', parse: parseWritev }
}

const names = Object.keys(verbs).filter((name): name is VerbName => name in verbs)

const isNamed = (name: VerbName, word: string): boolean => name === word || verbs[name].alias === word

/** How many arguments a command takes. */
const argumentCount = ({ least, most }: Verb): string => {
  if (most === undefined) return `at least ${least} arguments`
  return least === most ? `${least} arguments` : `between ${least} and ${most} arguments`
}

/** What is open: no file, one for reading, or one for writing. */
export type Access = 'none' | 'reading' | 'writing'

/** Parses a line, given what is open. qemu-io reports that no file is open first, and that one is read-only last. */
export const parseLine = (line: string, access: Access): Parsed<Line> => {
  const [word, ...args] = wordsOf(line)
  if (word === undefined) return E.right({ _tag: 'Nothing' })
  const name = names.find((each) => isNamed(each, word))
  if (name === undefined) return E.left(failedWith(`command "${word}" not found`))
  const verb = verbs[name]
  if (access === 'none' && verb.needs !== 'nothing') return E.left(failedWith("no file open, try 'help open'"))
  if (args.length < verb.least || args.length > (verb.most ?? Infinity))
    return E.left(failedWith(`bad argument count ${args.length} to ${word}, expected ${argumentCount(verb)}`))
  return access === 'reading' && verb.needs === 'writing' ? E.left(readOnly) : verb.parse(args, name)
}

/** Describes one command, or all of them. */
export const describeVerbs = (topic: string | undefined): Outcome => {
  const about = names.filter((name) => topic === undefined || isNamed(name, topic))
  return about.length === 0
    ? failedOnOutput(`command ${topic ?? ''} not found`)
    : success(about.map((name) => `${usageLine(name)}\n`).join(''))
}
