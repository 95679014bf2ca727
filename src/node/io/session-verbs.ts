/** The parsers of commands that open, reopen or signal. */
import * as E from 'fp-ts/lib/Either.js'
import { imageOptsOf, type OpenRequest } from '../text/image-opts.js'
import { aios, caches, discards } from '../text/modes.js'
import { failedOnOutput, failedWith, type Line, type Parsed } from './line.js'
import { parseMilliseconds, parseSize } from './words.js'
import { parseWords, usageLine, type Verb } from './verb.js'

const refuse = (message: string): Parsed<never> => E.left(failedWith(message))

/** The message for an option whose value is none of its words. */
const badMode = (values: ReadonlyMap<string, string>): string | undefined => {
  const modes: readonly (readonly [name: string, mode: string | undefined, known: readonly string[]])[] = [
    ['cache', values.get('t') ?? values.get('c'), caches],
    ['discard', values.get('d'), discards],
    ['aio', values.get('i'), aios]
  ]
  const bad = modes.find(([, mode, known]) => mode !== undefined && !known.includes(mode))
  return bad === undefined ? undefined : `Invalid ${bad[0]} option: ${bad[1]}`
}

/** Parses `open`. */
export const parseOpen: Verb['parse'] = (args, verb) => {
  const words = parseWords(args, 'nro:ki:t:d:U', verb)
  if (E.isLeft(words)) return words
  const { flags, values, operands } = words.right
  const mode = badMode(values)
  if (mode !== undefined) return refuse(mode)
  const options = imageOptsOf(values.get('o') ?? '')
  if (E.isLeft(options)) return refuse(options.left)
  if (flags.has('U') && !flags.has('r')) return refuse('-U can only be used with -r')
  const [name, ...more] = operands
  if (more.length > 0 || (name === undefined && options.right.name === undefined))
    return E.left(failedOnOutput(usageLine(verb)))
  const request: Partial<OpenRequest> = {
    ...options.right,
    ...(name === undefined ? {} : { name }),
    ...(flags.has('r') ? { readOnly: true } : {})
  }
  return E.right({ _tag: 'Open', request })
}

/** Parses `reopen`. */
export const parseReopen: Verb['parse'] = (args, verb) => {
  const words = parseWords(args, 'rwc:o:', verb)
  if (E.isLeft(words)) return words
  const { flags, values, operands } = words.right
  if (operands.length > 0) return E.left(failedOnOutput(usageLine(verb)))
  const mode = badMode(values)
  if (mode !== undefined) return refuse(mode)
  if (flags.has('r') && flags.has('w')) return refuse('Only one -r/-w option may be given')
  const list = values.get('o') ?? ''
  const options = imageOptsOf(list)
  if (E.isLeft(options)) return refuse(options.left)
  const access = flags.has('r') || flags.has('w')
  if (access && options.right.readOnly !== undefined) return refuse("Cannot set both -r/-w and 'read-only'")
  if (values.has('c') && /(^|,)cache\./.test(list)) return refuse('Cannot set both -c and the cache options')
  return E.right({
    _tag: 'Reopen',
    request: access ? { ...options.right, readOnly: flags.has('r') } : options.right
  })
}

/** Parses `sleep`. */
export const parseSleep: Verb['parse'] = ([text = '']) =>
  E.map((milliseconds: number): Line => ({ _tag: 'Sleep', milliseconds }))(parseMilliseconds(text))

/** Parses `sigraise`. */
export const parseSigraise: Verb['parse'] = ([text = '']) => {
  const signal = parseSize(text)
  if (E.isLeft(signal)) return signal
  return signal.right > 64
    ? E.left(failedOnOutput(`signal argument '${text}' is too large to be a valid signal`))
    : E.right({ _tag: 'Signal', signal: signal.right })
}
