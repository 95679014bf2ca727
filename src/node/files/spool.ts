/** Spools: what cannot be read at any place, a pipe or a compressed file, as a temporary file without a name. */
import { randomBytes } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { Decompress } from 'fzstd'
import { type CommandError, failure, get, onLeft, system, systemTask, task, wait } from '../command-error.js'
import { identityOf } from './identity.js'
import { addPartial, dropPartial } from './partial.js'
import type { OpenFile } from './source.js'
import { isStandardInput } from './stream.js'
import { dataParts, writeFully } from './sparse.js'
import { ZstdWindows } from './zstd-windows.js'

type Chunks = AsyncIterable<Uint8Array>

/** What is done to the bytes on their way into a spool. */
type Decoder = (chunks: Chunks) => Chunks

/** Bytes of a spool unless a limit is given. */
export const defaultSpoolLimit = 2 ** 36

/** Compressed bytes that are decoded at a time: of blocks of one value each, they are 16 MiB. */
const step = 512

/** The first bytes of a zstd file: a frame, or a skippable one, with which pzstd begins. */
const zstdMagic = /^(28b52ffd|5.2a4d18)/

/** Largest window of a zstd frame, as in `zstd -d`. */
const maxWindow = 2 ** 27

/** Decodes zstd frames, up to one with too large a window, of which it reports why it goes no further. */
const fromZstd = (refuse: (why: string) => void): Decoder =>
  async function* (chunks) {
    const out: Uint8Array[] = []
    const windows = new ZstdWindows()
    const decoder = new Decompress((chunk) => {
      out.push(chunk)
    })
    for await (const chunk of chunks)
      for (let at = 0; at < chunk.length; at += step) {
        const bytes = chunk.subarray(at, at + step)
        windows.push(bytes)
        if (windows.largest > maxWindow) {
          refuse(`its window has more than ${maxWindow} bytes`)
          return
        }
        decoder.push(bytes)
        yield* out.splice(0)
      }
    decoder.push(new Uint8Array(0), true)
    yield* out.splice(0)
  }

/** Makes a temporary file of the bytes that `fill` emits, up to `limit` of them. */
const spoolOf = task(async function* (
  name: string,
  limit: number,
  fill: (into: (chunks: Chunks) => Promise<void>) => Promise<void>
) {
  const path = join(tmpdir(), `qcow2-${randomBytes(6).toString('hex')}.spool`)
  addPartial(path)
  const fd = yield* get(system('create', path, () => openSync(path, 'wx+', 0o600)))
  rmSync(path, { force: true })
  dropPartial(path)
  let length = 0
  const into = async (chunks: Chunks): Promise<void> => {
    for await (const chunk of chunks) {
      length += chunk.length
      if (length > limit) return
      for (const [part, at] of dataParts(chunk, length - chunk.length)) writeFully(fd, part, at)
    }
    ftruncateSync(fd, length)
  }
  const orClose = onLeft(() => {
    closeSync(fd)
  })
  const filled = await systemTask('open', name, () => fill(into))()
  if (length > limit)
    yield* get(
      orClose(failure(`Could not open '${name}': it has more than the ${limit} bytes of --spool-limit`, { file: name }))
    )
  yield* get(orClose(filled))
  const stat = yield* get(orClose(system('open', name, () => fstatSync(fd, { bigint: true }))))
  return { fd, identity: identityOf(stat), length, actualSize: Number(stat.blocks) * 512 }
})

/** Reads standard input, or a pipe, to its end. */
export const spooled = task(async function* (name: string, limit: number) {
  if (isStandardInput(name) && process.stdin.isTTY)
    yield* get(failure(`Could not open '${name}': standard input is a terminal`, { file: name }))
  const input = isStandardInput(name) ? process.stdin : createReadStream(name)
  return yield* wait(spoolOf(name, limit, (into) => pipeline(input, into)))
})

/** A file that is open, decompressed where it is a gzip or a zstd file; the one that was open is closed then. */
export const decompressed = task(async function* (name: string, file: OpenFile, limit: number) {
  const { fd } = file
  const orClose = onLeft(() => {
    closeSync(fd)
  })
  const head = new Uint8Array(4)
  yield* get(orClose(system('read', name, () => readSync(fd, head, 0, head.length, 0))))
  const magic = Buffer.from(head).toString('hex')
  const input = () => createReadStream('', { fd, start: 0, autoClose: false })
  let refused: E.Either<CommandError, void> = E.right(undefined)
  const unzstd = fromZstd((why) => {
    refused = failure(`Could not open '${name}': ${why}`, { file: name })
  })
  const unpack = (): ((into: (chunks: Chunks) => Promise<void>) => Promise<void>) | undefined => {
    if (magic.startsWith('1f8b')) return (into) => pipeline(input(), createGunzip(), into)
    return zstdMagic.test(magic) ? (into) => pipeline(input(), unzstd, into) : undefined
  }
  const fill = unpack()
  if (fill === undefined) return file
  const result: E.Either<CommandError, OpenFile> = await spoolOf(name, limit, fill)()
  closeSync(fd)
  if (E.isLeft(refused) && E.isRight(result)) closeSync(result.right.fd)
  yield* get(refused)
  return yield* get(result)
})
