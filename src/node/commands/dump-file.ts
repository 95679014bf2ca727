/** Dump files: read as a whole while they are small, line by line when they are not. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type DumpFrame, dumpFrame, dumpRegions } from '../../image/dump/dump.js'
import {
  type CommandError,
  commandError,
  either,
  failure,
  get,
  inContext,
  orError,
  reason,
  system
} from '../command-error.js'
import { identityOf } from '../files/identity.js'

/** A dump that can be gone through more than once. */
export interface DumpFile {
  readonly frame: DumpFrame
  /** What distinguishes the file from all others. */
  readonly identity: string
  /** Every region, parsed, or the error of a line that is no JSON. */
  readonly regions: () => Iterable<E.Either<CommandError, unknown>>
}

/** Largest dump that is parsed as one document, in bytes; a larger one has one region a line, as `dump` prints it. */
const wholeSize = 2 ** 27

const parse = (text: string): E.Either<CommandError, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(text),
    (error) => commandError(reason(error))
  )

const parsed = either(function* (text: string) {
  const json = yield* get(parse(text))
  const frame = yield* get(orError(dumpFrame(json)))
  const regions = yield* get(orError(dumpRegions(json)))
  return { frame, regions: () => regions.map((r) => E.right(r)) }
})

/** The text of a file in pieces, up to the first failure. */
function* piecesOf(name: string): Generator<E.Either<CommandError, string>> {
  const fd = system('open', name, () => openSync(name, 'r'))
  if (E.isLeft(fd)) {
    yield fd
    return
  }
  const decoder = new TextDecoder()
  const piece = new Uint8Array(2 ** 20)
  const next = () => system('read', name, () => readSync(fd.right, piece))
  try {
    let n = next()
    for (; E.isRight(n) && n.right > 0; n = next())
      yield E.right(decoder.decode(piece.subarray(0, n.right), { stream: true }))
    if (E.isLeft(n)) yield n
  } finally {
    closeSync(fd.right)
  }
}

const tooLong = (name: string, what: string): E.Either<CommandError, never> =>
  failure(`Could not read the dump '${name}': ${what} has more than ${wholeSize} characters`, { file: name })

/** The lines of a file, without their ends, up to the first failure. */
function* linesOf(name: string): Generator<E.Either<CommandError, string>> {
  let rest = ''
  for (const piece of piecesOf(name)) {
    if (E.isLeft(piece)) {
      yield piece
      return
    }
    const [first = '', ...more] = piece.right.split('\n')
    rest += first
    for (const line of more) {
      yield E.right(rest)
      rest = line
    }
    if (rest.length > wholeSize) {
      yield tooLong(name, 'a line')
      return
    }
  }
  yield E.right(rest)
}

/** The text of a file that is parsed as one document; what has no end, as a device, is refused. */
const wholeText = either(function* (name: string) {
  let whole = ''
  for (const piece of piecesOf(name)) {
    whole += yield* get(piece)
    if (whole.length > wholeSize) yield* get(tooLong(name, 'what is no regular file'))
  }
  return whole
})

function* regionLines(name: string): Generator<E.Either<CommandError, unknown>> {
  for (const line of linesOf(name)) {
    if (E.isLeft(line)) yield line
    else if (line.right.startsWith('{"at":')) yield parse(line.right.replace(/,$/, ''))
  }
}

/** The frame of a dump that is read line by line: its first two lines. */
const frameOfLines = either(function* (name: string) {
  const lines: string[] = []
  for (const line of linesOf(name)) if (lines.push(yield* get(line)) === 2) break
  return yield* get(orError(dumpFrame(yield* get(parse(`${lines.join('').replace(/,$/, '')}}`)))))
})

/** Opens a dump. */
export const openDump = either(function* (name: string) {
  const decoded = E.mapLeft((error: CommandError) =>
    error.file === undefined ? inContext(`Could not read the dump '${name}'`)(error) : error
  )
  const stats = yield* get(system('open', name, () => statSync(name, { bigint: true })))
  const identity = identityOf(stats)
  if (stats.size > wholeSize)
    return { frame: yield* get(decoded(frameOfLines(name))), identity, regions: () => regionLines(name) }
  const whole = yield* get(decoded(parsed(yield* get(wholeText(name)))))
  return { ...whole, identity }
})
