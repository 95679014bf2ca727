/** Reads, writes and discards of guest bytes, and their reports in the words of qemu-io. */
import { closeSync, openSync, readSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { digits } from '../../bytes/exact.js'
import type { Issue } from '../../bytes/issue.js'
import { type Chain, chainSize } from '../../image/guest/chain.js'
import { readPadded } from '../../image/guest/read.js'
import { activeVmState } from '../../image/guest/vm-state.js'
import type { AnyCommand } from '../../transition/command.js'
import { native } from '../compression/native.js'
import {
  type Cause,
  commandError,
  either,
  type Failed,
  failure,
  get,
  isError,
  reason,
  showCause
} from '../command-error.js'
import { ioSize, twoDigits } from '../text/numbers.js'
import { zeroesFast } from './allocation.js'
import { copyOnRead } from './copy-on-read.js'
import type { IoFile } from './io-file.js'
import { failedBy, type Outcome, readOnly, type ReadLine, success, type Transfer, type WriteLine } from './line.js'

const hundredths = (seconds: number): string => seconds.toFixed(2).padStart(5, '0')

/** The report of a transfer; `what` is the verb it begins with. */
const transferred = (what: string, { at, length, terse }: Transfer, seconds: number): string => {
  const [bytes, ops] = [length / seconds, 1 / seconds]
  const clock = `${Math.floor(seconds / 3600)}:${twoDigits((seconds / 60) % 60)}:${hundredths(seconds % 60)}`
  if (terse) return `${length},1,${clock},${bytes.toFixed(3)},${ops.toFixed(3)}\n`
  const time = seconds < 60 ? `${hundredths(seconds)} sec` : clock
  return (
    `${what} ${length}/${length} bytes at offset ${digits(at)}\n` +
    `${ioSize(length)}, 1 ops; ${time} (${ioSize(bytes)}/sec and ${ops.toFixed(4)} ops/sec)\n`
  )
}

const width = 16

/** A dump of bytes in lines of sixteen: guest offset, bytes, and their letters and digits. @param at guest offset */
const dumped = (at: number, bytes: Uint8Array): string => {
  const lines: string[] = []
  for (let i = 0; i < bytes.length; i += width) {
    const row = [...bytes.subarray(i, i + width)]
    const text = row.map((b) => String.fromCharCode(b)).map((c) => (/[0-9A-Za-z]/.test(c) ? c : '.'))
    const numbers = row.map((b) => `${b.toString(16).padStart(2, '0')} `)
    lines.push(`${(at + i).toString(16).padStart(8, '0')}:  ${numbers.join('')} ${text.join('')}\n`)
  }
  return lines.join('')
}

/** The outcome of a transfer that failed. */
const transferFailed = (line: Transfer, why: string, cause?: Cause): Outcome => ({
  failed: !line.asynchronous,
  out: `${line.name} failed: ${why}\n`,
  ...(cause === undefined ? {} : { error: isError(cause) ? cause : commandError(showCause(cause)) })
})

/** The outcome of a command that is rejected, by the name that the system has for the reason; other issues are printed too. */
const rejected = (line: Transfer, issues: readonly Issue[]): Outcome => {
  const [first] = issues
  if (first?.clause === 'DATA-10' || first?.clause === 'LUKS-08') return transferFailed(line, 'Operation not supported')
  if (first?.clause === 'CW-01' && first.structure === 'image') return transferFailed(line, 'Invalid argument')
  return first?.clause === 'RD-01' || first?.clause === 'CW-01'
    ? transferFailed(line, 'Input/output error')
    : transferFailed(line, 'Input/output error', issues)
}

const isPastEnd = (file: IoFile, { at, length, vmState }: Transfer): boolean =>
  !vmState && at + length > chainSize(file.chain())

const secondsSince = (start: number): number => (performance.now() - start) / 1000

/** The VM state after the disk, in a chain of its own; a raw file has none. */
const vmStateChain = (chain: Chain): Chain | undefined => {
  const [top] = chain
  return top._tag === 'Raw' ? undefined : [{ _tag: 'Image', disk: activeVmState(top.disk.g, top.disk) }]
}

/** Reads guest bytes, and compares them with a pattern. */
export const read = (file: IoFile, line: ReadLine): Outcome => {
  const vmState = line.vmState ? vmStateChain(file.chain()) : undefined
  if (line.vmState && vmState === undefined) return transferFailed(line, 'Operation not supported')
  if (isPastEnd(file, line)) return transferFailed(line, 'Input/output error')
  const start = performance.now()
  const copied =
    file.request.copyOnRead === true && vmState === undefined
      ? copyOnRead(file, line.at, line.length)
      : E.right(undefined)
  if (E.isLeft(copied)) return transferFailed(line, 'Input/output error', copied.left)
  const bytes =
    vmState === undefined
      ? file.read(line.at, line.length)
      : file.run(() => readPadded(vmState, line.at, line.length, native))
  if (E.isLeft(bytes)) return transferFailed(line, 'Input/output error', bytes.left)
  const { pattern } = line
  const found = pattern === undefined ? undefined : bytes.right.subarray(pattern.at, pattern.at + pattern.length)
  const matches = found?.every((byte) => byte === pattern?.byte) ?? true
  const mismatch =
    pattern === undefined || matches
      ? ''
      : `Pattern verification failed at offset ${digits(line.at + pattern.at)}, ${pattern.length} bytes\n`
  const dump = line.dump && !line.quiet ? dumped(line.at, bytes.right) : ''
  const report = line.quiet ? '' : transferred('read', line, secondsSince(start))
  return { failed: !matches && !line.asynchronous, out: `${mismatch}${dump}${report}` }
}

/** The first bytes of a file, at most `length`. Throws what the system throws. */
const readStart = (name: string, length: number): Uint8Array => {
  const fd = openSync(name, 'r')
  try {
    const bytes = new Uint8Array(length)
    let filled = 0
    for (let read = -1; read !== 0 && filled < length; filled += read)
      read = readSync(fd, bytes, filled, length - filled, null)
    return bytes.subarray(0, filled)
  } finally {
    closeSync(fd)
  }
}

/** The first bytes of a file, repeated. */
const repeated = either(function* (name: string, length: number) {
  const read = E.tryCatch(
    () => readStart(name, length),
    (error) => commandError(`${name}: ${reason(error)}`)
  )
  const bytes = yield* get(read)
  if (bytes.length === 0) yield* get(failure(`${name}: file is empty`))
  return new Uint8Array(Buffer.alloc(length, bytes))
})

const commandOf = either(function* (line: WriteLine): Generator<Failed, AnyCommand> {
  const { at, length } = line
  if (line._tag === 'Discard') return { _tag: 'Discard', at, length }
  if (line._tag === 'WriteZeroes') return { _tag: 'WriteZeroes', at, length, unmap: line.unmap }
  const { pattern } = line
  const bytes =
    typeof pattern === 'string' ? yield* get(repeated(pattern, length)) : new Uint8Array(length).fill(pattern)
  return line.vmState
    ? { _tag: 'WriteVmState', position: at, bytes }
    : { _tag: line.compressed ? 'WriteCompressed' : 'Write', at, bytes }
})

/** Changes guest bytes; fails where a system call fails. */
export const write = either(function* (file: IoFile, line: WriteLine) {
  const { changes } = file
  if (changes === undefined) return readOnly
  if (isPastEnd(file, line)) return transferFailed(line, 'Input/output error')
  if (line._tag === 'WriteZeroes' && line.fast && !zeroesFast(file, line))
    return transferFailed(line, 'Operation not supported')
  const start = performance.now()
  const command = commandOf(line)
  if (E.isLeft(command)) return failedBy(command.left)
  const done = changes.command(command.right)
  if (E.isLeft(done)) return isError(done.left) ? yield* get(E.left(done.left)) : rejected(line, done.left)
  if (line._tag !== 'Discard' && (line.flush || file.request.writeThrough === true)) yield* get(changes.end())
  return success(
    line.quiet ? '' : transferred(line._tag === 'Discard' ? 'discard' : 'wrote', line, secondsSince(start))
  )
})
