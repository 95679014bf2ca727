/** Benchmarks of the library's reader: an open disk, compared with reads of the file that its image was made of. */
import { openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { orFail, type Plan, type Read, runSync } from '../../src/bytes/plan.js'
import type { Chain } from '../../src/image/guest/chain.js'
import { activeDisk } from '../../src/image/guest/extents.js'
import { openDisk, type OpenDisk } from '../../src/image/guest/open-disk.js'
import { readMetadata } from '../../src/image/metadata.js'
import { native } from '../../src/node/compression/native.js'
import { mebi, qemu, realData, scratch, type Sides } from './bench-processes.js'

/** MiB of the disk. */
const megabytes = 64
const size = megabytes * mebi

/** An open disk, and reads of it. */
interface Opened {
  readonly disk: OpenDisk
  /** Reads into memory. */
  readonly read: (at: number, into: Uint8Array) => void
}

/** What answers from an open file. */
const worldOf = (fd: number) => ({
  read: ({ at, length, into = new Uint8Array(length) }: Read): Uint8Array => {
    const done = readSync(fd, into, 0, length, at)
    return done < length ? into.fill(0, done) : into
  }
})

function* chainOf(): Plan<Chain> {
  const m = yield* orFail(yield* readMetadata())
  if (m.geometry === undefined) throw new Error('no geometry')
  return [{ _tag: 'Image', disk: activeDisk(m, m.geometry) }]
}

/** An image of real data, made with these options; the reason where it cannot be made. */
const opened = (decompressor: typeof native, ...options: readonly string[]): Opened | string => {
  const image = join(scratch, `${['disk', ...options].join('')}.qcow2`)
  if (qemu('convert', '-f', 'raw', '-O', 'qcow2', ...options, realData(megabytes), image) !== 0) return 'no qemu-img'
  const world = worldOf(openSync(image, 'r'))
  const chain = runSync(chainOf(), world)
  if (E.isLeft(chain)) return 'no disk'
  const disk = openDisk(chain.right, decompressor)
  return {
    disk,
    read: (at, into) => {
      if (E.isLeft(disk.readSync(world, at, into.length, into))) throw new Error(`bytes at ${at} cannot be read`)
    }
  }
}

/** Offsets of blocks of 4 KiB, scattered over the disk. */
const scattered = Array.from({ length: 20_000 }, (_, i) => ((i * 167_777) % (size / 4096)) * 4096)

/** Reads 4 KiB at scattered offsets, warm. */
export const scatteredReads = (clusterSize: string) => (): Sides | string => {
  const ours = opened(native, '-o', `cluster_size=${clusterSize}`)
  if (typeof ours === 'string') return ours
  const fd = openSync(realData(megabytes), 'r')
  const into = new Uint8Array(4096)
  const all = (read: (at: number) => void) => (): number => {
    for (const at of scattered) read(at)
    return into[0] ?? 0
  }
  return { ours: all((at) => ours.read(at, into)), theirs: all((at) => readSync(fd, into, 0, into.length, at)) }
}

/** Reads the disk front to back in reads of 512 bytes, and in reads of 64 KiB. */
export const smallReads = (): Sides | string => {
  const disk = opened(native)
  if (typeof disk === 'string') return disk
  const inReadsOf = (length: number) => {
    const into = new Uint8Array(length)
    return (): number => {
      for (let at = 0; at < size; at += length) disk.read(at, into)
      return into[0] ?? 0
    }
  }
  return { ours: inReadsOf(512), theirs: inReadsOf(2 ** 16) }
}

/** Reads a compressed disk in reads of 64 KiB, and decodes the same payloads with nothing around it. */
export const compressedReads = (): Sides | string => {
  const payloads: Uint8Array[] = []
  const keeping = opened({ ...native, deflate: (p, n) => (payloads.push(p.slice()), native.deflate(p, n)) }, '-c')
  const ours = opened(native, '-c')
  if (typeof keeping === 'string' || typeof ours === 'string') return 'no qemu-img'
  const into = new Uint8Array(2 ** 16)
  const all = (read: Opened['read']) => (): number => {
    for (let at = 0; at < size; at += into.length) read(at, into)
    return into.length
  }
  all(keeping.read)()
  return {
    ours: all(ours.read),
    theirs: () => {
      for (const payload of payloads)
        inflateRawSync(payload, { chunkSize: into.length + 1, maxOutputLength: into.length })
      return into.length
    }
  }
}
