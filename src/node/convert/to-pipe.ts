/** The ways into a pipe: a raw disk front to back; an image is made in a temporary file first. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { sectorSize } from '../../format/limits.js'
import { actOnEach, type CommandError, get, system, task, wait } from '../command-error.js'
import { readFully } from '../files/file.js'
import { openPipe, type Pipe } from '../files/pipe.js'
import { grain } from '../files/sparse.js'
import { copiedSize, copyDisks, type Done, type Sink, type Way } from './conversion.js'

const zeros = new Uint8Array(2 ** 16)

function* pieces(length: number): Generator<number> {
  for (let done = 0; done < length; done += zeros.length) yield Math.min(zeros.length, length - done)
}

const putZeros = ({ put }: Pipe, length: number): Done =>
  actOnEach(pieces(length), (size) => put(zeros.subarray(0, size)))

/** Writes a raw disk into a pipe, in whole sectors. */
export const rawToPipe: Way = task(async function* (inputs, { file: { name } }, options) {
  const size = copiedSize(inputs, options)
  const pipe = yield* get(openPipe(name))
  const sink: Sink = {
    unit: sectorSize,
    sparse: options.sparse === 0 ? 0 : grain,
    overBacking: false,
    put: ({ bytes, length }) => (bytes === undefined ? putZeros(pipe, length) : pipe.put(bytes)),
    end: () => putZeros(pipe, Math.ceil(size / sectorSize) * sectorSize - size)
  }
  try {
    yield* wait(copyDisks(inputs, sink, options))
  } finally {
    pipe.close()
  }
})

/** Makes a file with `make`, and writes its bytes into a pipe. A failure to make it writes nothing. */
export const fileToPipe = task(async function* (name: string, make: (path: string) => TaskEither<CommandError, void>) {
  const path = join(tmpdir(), `qcow2-${randomBytes(6).toString('hex')}.spool`)
  const pipe = yield* get(openPipe(name))
  try {
    yield* wait(make(path))
    const fd = yield* get(system('open', path, () => openSync(path, 'r')))
    const { size } = yield* get(system('open', path, () => statSync(path)))
    yield* get(system('write', name, () => rmSync(path)))
    const buffer = new Uint8Array(2 ** 20)
    try {
      for (let at = 0; at < size; at += buffer.length) {
        const part = buffer.subarray(0, Math.min(buffer.length, size - at))
        yield* get(system('read', name, () => readFully(fd, at, part)))
        yield* get(pipe.put(part))
      }
    } finally {
      closeSync(fd)
    }
  } finally {
    rmSync(path, { force: true })
    pipe.close()
  }
})
