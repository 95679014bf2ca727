/** The parsers of commands that open, reopen or signal. */
import * as E from 'fp-ts/lib/Either.js'
import { either, get, keepRules } from '../command-error.js'
import { carriesOut } from '../images/format-options.js'
import type { NodeOptions } from '../images/image-node.js'
import { imageNode, optionsOfImage } from '../images/node-options.js'
import { aios, caches, discards, writesThrough } from '../text/values.js'
import { failedOnOutput, orError, type Parsed } from './line.js'
import { parseMilliseconds, parseSize } from './words.js'
import { type Parse, parseWords, usageLine } from './verb.js'

/** Fails for an option whose value is none of its words. */
const keepModes = (values: ReadonlyMap<string, string>): Parsed<void> => {
  const modes: readonly (readonly [name: string, mode: string | undefined, known: readonly string[]])[] = [
    ['cache', values.get('t') ?? values.get('c'), caches],
    ['discard', values.get('d'), discards],
    ['aio', values.get('i'), aios]
  ]
  return orError(
    keepRules(
      modes.map(([name, mode = '', known]) => [mode !== '' && !known.includes(mode), `Invalid ${name} option: ${mode}`])
    )
  )
}

/** What the mode of a cache says of an image. */
const cacheOptions = (mode: string | undefined): NodeOptions =>
  mode === undefined ? {} : { writeThrough: writesThrough(mode) }

/** Parses `open`. */
export const parseOpen: Parse = either(function* (args, verb) {
  const { flags, values, operands } = yield* get(parseWords(args, 'nrsCo:ki:t:d:U', verb))
  yield* get(keepModes(values))
  const options = yield* get(orError(optionsOfImage(values.get('o') ?? '')))
  yield* get(orError(keepRules([[flags.has('U') && !flags.has('r'), '-U can only be used with -r']])))
  const [name, ...more] = operands
  if (more.length > 0 || (name === undefined && options.file === undefined))
    yield* get(E.left(failedOnOutput(usageLine(verb))))
  const discard = values.get('d')
  yield* get(orError(keepRules([[name !== undefined && options.file !== undefined, 'The file is named twice']])))
  const named = name === undefined ? {} : yield* get(orError(imageNode({ words: name, byOptions: false })))
  const request: NodeOptions = {
    ...named,
    ...options,
    ...(flags.has('r') ? { readOnly: true } : {}),
    ...(flags.has('s') ? { temporary: true } : {}),
    ...(flags.has('C') ? { copyOnRead: true } : {}),
    ...(flags.has('U') ? { forceShare: true } : {}),
    ...cacheOptions(values.get('t')),
    ...(discard === undefined ? {} : { discards: carriesOut(discard) })
  }
  return { _tag: 'Open', request }
})

/** Parses `reopen`. */
export const parseReopen: Parse = either(function* (args, verb) {
  const { flags, values, operands } = yield* get(parseWords(args, 'rwc:o:', verb))
  if (operands.length > 0) yield* get(E.left(failedOnOutput(usageLine(verb))))
  yield* get(keepModes(values))
  const list = values.get('o') ?? ''
  const access = flags.has('r') || flags.has('w')
  yield* get(orError(keepRules([[flags.has('r') && flags.has('w'), 'Only one -r/-w option may be given']])))
  const options = yield* get(orError(optionsOfImage(list)))
  const kept = keepRules([
    [access && options.readOnly !== undefined, "Cannot set both -r/-w and 'read-only'"],
    [values.has('c') && /(^|,)cache\./.test(list), 'Cannot set both -c and the cache options']
  ])
  yield* get(orError(kept))
  const cached = { ...options, ...cacheOptions(values.get('c')) }
  return { _tag: 'Reopen', request: access ? { ...cached, readOnly: flags.has('r') } : cached }
})

/** Parses `sleep`. */
export const parseSleep: Parse = either(function* ([text = '']) {
  return { _tag: 'Sleep', milliseconds: yield* get(parseMilliseconds(text)) }
})

/** Parses `sigraise`. */
export const parseSigraise: Parse = either(function* ([text = '']) {
  const signal = yield* get(parseSize(text))
  if (signal > 64) yield* get(E.left(failedOnOutput(`signal argument '${text}' is too large to be a valid signal`)))
  return { _tag: 'Signal', signal }
})
