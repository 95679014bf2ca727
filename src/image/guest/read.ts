/** Reading guest bytes through a chain. */
import * as E from 'fp-ts/lib/Either.js'
import { issue } from '../../bytes/issue.js'
import { empty, padded } from '../../bytes/octets.js'
import { failWith, type FileRef, Memory, type Plan, readAt, readOver, onEmit } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { decodeCluster, type Decompressor } from '../../compression/decompress.js'
import { type Chain, chainSize, fileOf, isZeroExtent, type LocatedExtent, locations } from './chain.js'
import type { Decryption, GuestDisk } from './extents.js'

/** Why bytes cannot be read. @see CMP-14 */
const failure = (
  e: LocatedExtent,
  why: { readonly clause: 'LUKS-08' | 'CMP-09' | 'CMP-10'; readonly found: string; readonly expected: string }
): Plan<never> =>
  failWith([
    issue({
      ...why,
      phase: 'inconsistent',
      source: 'both',
      structure: `${e.kind} cluster`,
      field: '',
      at: e.host ?? 0,
      size: e.available ?? e.length
    })
  ])

/** Why encrypted data cannot be read without their key. */
const opaque = { clause: 'LUKS-08', found: 'encrypted data', expected: 'data that can be read without a key' } as const

function* decompressed(disk: GuestDisk, e: LocatedExtent, decompressor: Decompressor): Plan<Uint8Array> {
  const payload = yield* readAt(e.host ?? 0, e.available ?? 0, { part: 'image', depth: e.depth })
  const done = decodeCluster(decompressor, disk.compressionType, payload, clusterSize(disk.g))
  return E.isRight(done) ? done.right : yield* failure(e, done.left)
}

/** The plain bytes `[from, to)` of an encrypted data extent: of whole sectors, which are decrypted by their numbers. */
function* decrypted(
  { decrypt, numberedBy }: Decryption,
  disk: GuestDisk,
  e: LocatedExtent,
  from: number,
  to: number,
  file: FileRef
): Plan<Uint8Array> {
  const first = Math.floor(from / sectorSize) * sectorSize
  const end = Math.ceil(to / sectorSize) * sectorSize
  const at = (e.host ?? 0) + first - e.start
  const sectors = yield* readAt(at, end - first, file)
  const number = (numberedBy === 'host' ? at : first + (disk.from ?? 0)) / sectorSize
  return decrypt(sectors, number).subarray(from - first, to - first)
}

/** The bytes of one extent within `[from, to)`; `undefined` for zeros. They may be put into `into`, if it is given, which has their length. */
export function* extentBytes(
  chain: Chain,
  e: LocatedExtent,
  from: number,
  to: number,
  decompressor: Decompressor,
  into?: Uint8Array
): Plan<Uint8Array | undefined> {
  const layer = chain[e.depth]
  if (isZeroExtent(e)) return undefined
  const disk = layer?._tag === 'Image' ? layer.disk : undefined
  const decryption = disk?.decryption
  if (disk?.encrypted === true && decryption === undefined) return yield* failure(e, opaque)
  if (e.kind === 'data') {
    const at = (e.host ?? 0) + from - e.start
    const file = fileOf(layer, e.depth)
    if (disk !== undefined && decryption !== undefined) return yield* decrypted(decryption, disk, e, from, to, file)
    return yield* readOver(into ?? new Uint8Array(to - from), at, file)
  }
  if (disk === undefined) return undefined
  const first = e.start - (e.skipped ?? 0)
  return (yield* decompressed(disk, e, decompressor)).subarray(from - first, to - first)
}

/**
 * Guest bytes `[at, at + length)` of a chain; the range lies within the disk. Fails where an entry or a payload cannot be
 * followed, by clause and byte offset.
 *
 * @param memory what the bytes are in, until more are read into it
 * @see RD-01 and RD-08
 * @example
 * import { fromMemory, portable, readGuest, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const world = { read: fromMemory(Uint8Array.of(1, 2, 3)), emit: () => undefined }
 * const read = runSync(readGuest([{ _tag: 'Raw', size: 3 }], 1, 4, portable), world)
 * assert.deepEqual(read._tag === 'Right' && read.right, Uint8Array.of(2, 3, 0, 0))
 */
export function* readGuest(
  chain: Chain,
  at: number,
  length: number,
  decompressor: Decompressor,
  memory: Memory = new Memory()
): Plan<Uint8Array> {
  const out = memory.take(length)
  yield* onEmit(locations(chain, at, at + length), function* (e): Plan<void> {
    const from = Math.max(at, e.start)
    const to = Math.min(at + length, e.start + e.length)
    const place = out.subarray(from - at, to - at)
    const bytes = yield* extentBytes(chain, e, from, to, decompressor, place)
    if (bytes === undefined) place.fill(0)
    else if (bytes !== place) place.set(bytes)
  })
  return out
}

/** Guest bytes `[at, at + length)` of a chain, and zeros past the end of its disk. */
export function* readPadded(
  chain: Chain,
  at: number,
  length: number,
  decompressor: Decompressor,
  memory?: Memory
): Plan<Uint8Array> {
  const there = Math.max(0, Math.min(length, chainSize(chain) - at))
  const bytes = there === 0 ? empty : yield* readGuest(chain, at, there, decompressor, memory)
  return there === length ? bytes : padded(bytes, length)
}
