/** Dump files: read as a whole while they are small, line by line when they are not. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type DumpFrame, dumpFrame, dumpRegions } from '../../image/dump/dump.js'
import { reason } from '../files/file.js'

/** A dump that can be gone through more than once. */
export interface DumpFile {
  readonly frame: DumpFrame
  /** Every region, parsed; a string is the reason why a line cannot be. */
  readonly regions: () => Iterable<E.Either<string, unknown>>
}

/** Largest dump that is parsed as one document, in bytes; a larger one has one region a line, as `dump` prints it. */
const wholeSize = 2 ** 27

const parse = (text: string): E.Either<string, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(text),
    (error) => reason(error)
  )

const parsed = (text: string): E.Either<string, DumpFile> => {
  const u = parse(text)
  if (E.isLeft(u)) return u
  const frame = dumpFrame(u.right)
  const list = dumpRegions(u.right)
  if (E.isLeft(frame)) return frame
  return E.map((regions: readonly unknown[]): DumpFile => ({
    frame: frame.right,
    regions: () => regions.map((r) => E.right(r))
  }))(list)
}

/** The lines of a file, without their ends. */
function* linesOf(name: string): Generator<string> {
  const fd = openSync(name, 'r')
  const decoder = new TextDecoder()
  const piece = new Uint8Array(2 ** 20)
  let rest = ''
  try {
    for (let n = readSync(fd, piece); n > 0; n = readSync(fd, piece)) {
      const [first = '', ...more] = decoder.decode(piece.subarray(0, n), { stream: true }).split('\n')
      rest += first
      for (const next of more) {
        yield rest
        rest = next
      }
    }
    yield rest
  } finally {
    closeSync(fd)
  }
}

function* regionLines(name: string): Generator<E.Either<string, unknown>> {
  for (const line of linesOf(name)) if (line.startsWith('{"at":')) yield parse(line.replace(/,$/, ''))
}

/** The frame of a dump that is read line by line: its first two lines. */
const frameOfLines = (name: string): E.Either<string, DumpFrame> => {
  const lines = linesOf(name)
  const [first, second] = [lines.next(), lines.next()].map((line) => String(line.value))
  lines.return(undefined)
  return E.chain(dumpFrame)(parse(`${first ?? ''}${(second ?? '').replace(/,$/, '')}}`))
}

/** Opens a dump; the reason when it is none. */
export const openDump = (name: string): E.Either<string, DumpFile> =>
  E.flatten(
    E.tryCatch(
      () =>
        statSync(name).size <= wholeSize
          ? parsed(readFileSync(name, 'utf8'))
          : E.map((frame: DumpFrame): DumpFile => ({ frame, regions: () => regionLines(name) }))(frameOfLines(name)),
      (error) => reason(error)
    )
  )
