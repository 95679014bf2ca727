/** Hostile images: valid enough to be opened, with tables as large as they may be, or that lead back to themselves. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { viewOf } from '../../src/bytes/octets.js'
import * as limits from '../../src/format/limits.js'
import { noise } from '../../src/fuzz/noise.js'

/** Bytes at a place in a file; what lies between is a hole. */
interface Put {
  readonly at: number
  readonly bytes: Uint8Array
}

/** A file that is written piece by piece, and what to do with it. */
export interface Hostile {
  readonly name: string
  readonly length: number
  readonly puts: readonly Put[]
  /** Commands and their arguments behind the name of the image. */
  readonly commands: readonly (readonly string[])[]
}

interface Header {
  readonly version: number
  readonly clusterBits: number
  readonly size: bigint
  readonly l1Size: number
  readonly l1: number
  readonly table: number
  readonly tableClusters: number
  readonly snapshots: number
  readonly snapshotsAt: number
  readonly autoclear: bigint
  readonly refcountOrder: number
}

const usual: Header = {
  version: 3,
  clusterBits: 16,
  size: 2n ** 20n,
  l1Size: 1,
  l1: 3 * 2 ** 16,
  table: 2 ** 16,
  tableClusters: 1,
  snapshots: 0,
  snapshotsAt: 0,
  autoclear: 0n,
  refcountOrder: 4
}

const headerOf = (some: Partial<Header>): Put => {
  const h = { ...usual, ...some }
  const bytes = new Uint8Array(104)
  const view = viewOf(bytes)
  const words: readonly (readonly [number, number])[] = [
    [0, 0x5146_49fb],
    [4, h.version],
    [20, h.clusterBits],
    [36, h.l1Size],
    [56, h.tableClusters],
    [60, h.snapshots],
    [96, h.refcountOrder],
    [100, 104]
  ]
  for (const [at, value] of words) view.setUint32(at, value)
  view.setBigUint64(24, h.size)
  view.setBigUint64(40, BigInt(h.l1))
  view.setBigUint64(48, BigInt(h.table))
  view.setBigUint64(64, BigInt(h.snapshotsAt))
  view.setBigUint64(88, h.autoclear)
  return { at: 0, bytes }
}

/** Words, each from its index. */
const words = (n: number, word: (i: number) => bigint): Uint8Array => {
  const bytes = new Uint8Array(8 * n)
  const view = viewOf(bytes)
  for (let i = 0; i < n; i++) view.setBigUint64(8 * i, word(i))
  return bytes
}

const copied = 1n << 63n
const compressed = 1n << 62n

/** An extension record. */
const extension = (type: number, data: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(8 + Math.ceil(data.length / 8) * 8)
  viewOf(bytes).setUint32(0, type)
  viewOf(bytes).setUint32(4, data.length)
  bytes.set(data, 8)
  return bytes
}

const bitmapsExtension = (count: number, size: number, at: number): Put => {
  const data = new Uint8Array(24)
  viewOf(data).setUint32(0, count)
  viewOf(data).setBigUint64(8, BigInt(size))
  viewOf(data).setBigUint64(16, BigInt(at))
  return { at: 104, bytes: extension(0x2385_2875, data) }
}

/** Bitmap directory entries of 32 bytes, each with a name of its own. */
const directory = (n: number, table: number, entries: number, flags: number): Uint8Array => {
  const bytes = new Uint8Array(32 * n)
  const view = viewOf(bytes)
  for (let i = 0; i < n; i++) {
    view.setBigUint64(32 * i, BigInt(table))
    view.setUint32(32 * i + 8, entries)
    view.setUint32(32 * i + 12, flags)
    bytes.set([1, 9, 0, 8], 32 * i + 16)
    view.setBigUint64(32 * i + 24, BigInt(i))
  }
  return bytes
}

/** Snapshot table entries of 64 bytes, whose L1 tables are all the same one. */
const snapshotTable = (n: number, l1: number, l1Size: number): Uint8Array => {
  const bytes = new Uint8Array(64 * n)
  const view = viewOf(bytes)
  for (let i = 0; i < n; i++) {
    view.setBigUint64(64 * i, BigInt(l1))
    view.setUint32(64 * i + 8, l1Size)
    view.setUint32(64 * i + 36, 24)
  }
  return bytes
}

const mib = 2 ** 20
const check = ['check', '--output=json']
const map = ['map', '--output=json']
const info = ['info', '--output=json']

const l1At = 2 ** 21

const l1Tables: readonly Hostile[] = [
  {
    name: 'an L1 table of 32 MiB without an entry',
    length: 64 * mib,
    puts: [headerOf({ clusterBits: 9, table: 512, l1: l1At, l1Size: limits.maxL1Entries, size: 2n ** 37n })],
    commands: [info, check, map]
  },
  {
    name: 'an L1 table of 32 MiB that names one L2 table again and again',
    length: l1At + 32 * mib,
    puts: [
      headerOf({ clusterBits: 9, table: 512, l1: l1At, l1Size: limits.maxL1Entries, size: 2n ** 37n }),
      { at: l1At, bytes: words(limits.maxL1Entries, () => copied | 0x2000n) }
    ],
    commands: [info, check]
  },
  {
    name: 'an L1 table of 32 MiB of noise',
    length: l1At + 32 * mib,
    puts: [
      headerOf({ clusterBits: 16, l1: l1At, l1Size: limits.maxL1Entries }),
      { at: l1At, bytes: noise(1, 8 * limits.maxL1Entries) }
    ],
    commands: [info, check]
  },
  {
    name: 'L2 tables of 2 MiB that overlap each other in steps of a sector',
    length: 64 * mib,
    puts: [
      headerOf({ clusterBits: 21, table: l1At, l1: 2 * l1At, l1Size: 2 ** 17 }),
      { at: 2 * l1At, bytes: words(2 ** 17, (i) => BigInt(512 * i)) }
    ],
    commands: [info, check]
  },
  {
    name: 'an L1 table that names itself as its L2 tables, and they themselves as their data',
    length: 4 * 2 ** 16,
    puts: [
      headerOf({ l1Size: 2 ** 13, size: 2n ** 42n }),
      { at: usual.l1, bytes: words(2 ** 13, () => copied | BigInt(usual.l1)) }
    ],
    commands: [info, check]
  },
  {
    name: 'a disk of 2 EiB with an empty L1 table behind the end of the file',
    length: 2 ** 21,
    puts: [headerOf({ clusterBits: 21, table: 2 ** 21, l1: 2 ** 50, l1Size: limits.maxL1Entries, size: 2n ** 61n })],
    commands: [info, check, map]
  }
]

const tableClusters = limits.maxRefcountTable / 512

const refcounts: readonly Hostile[] = [
  {
    name: 'a refcount table of 8 MiB that names one block again and again',
    length: 32 * mib,
    puts: [
      headerOf({ clusterBits: 9, table: l1At, tableClusters, l1: 512, size: 512n }),
      { at: l1At, bytes: words(limits.maxRefcountTable / 8, () => 0x1000n) },
      { at: 0x1000, bytes: noise(2, 512) }
    ],
    commands: [info, check]
  },
  {
    name: 'a refcount table of 8 MiB that names blocks of 2 MiB, one sector after the other',
    length: 32 * mib,
    puts: [
      headerOf({ clusterBits: 21, table: l1At, tableClusters: 4, l1: 8 * l1At }),
      { at: l1At, bytes: words(limits.maxRefcountTable / 8, (i) => BigInt((i % 16) * l1At)) }
    ],
    commands: [info, check]
  },
  {
    name: 'a refcount table of 8 MiB whose counts of one bit belong to clusters all over',
    length: 32 * mib,
    puts: [
      headerOf({ clusterBits: 9, table: l1At, tableClusters, l1: 512, size: 512n, refcountOrder: 0 }),
      { at: l1At, bytes: words(limits.maxRefcountTable / 8, (i) => BigInt((i * 512) % (32 * mib))) },
      { at: 16 * mib, bytes: noise(3, 16 * mib) }
    ],
    commands: [info, check]
  },
  {
    name: 'a refcount table of 8 MiB of noise',
    length: 32 * mib,
    puts: [
      headerOf({ clusterBits: 9, table: l1At, tableClusters, l1: 512, size: 512n }),
      { at: l1At, bytes: noise(4, limits.maxRefcountTable) }
    ],
    commands: [info, check]
  }
]

const snapshots: readonly Hostile[] = [
  {
    name: '65536 snapshots of zeros',
    length: 8 * mib,
    puts: [headerOf({ snapshots: limits.maxSnapshots, snapshotsAt: mib })],
    commands: [info, check, map]
  },
  {
    name: '65536 snapshots that share one L1 table of 32 MiB',
    length: 64 * mib,
    puts: [
      headerOf({ snapshots: limits.maxSnapshots, snapshotsAt: mib }),
      { at: mib, bytes: snapshotTable(limits.maxSnapshots, 16 * mib, limits.maxL1Entries) },
      { at: 16 * mib, bytes: words(limits.maxL1Entries, (i) => BigInt(2 ** 16 * (i % 1024))) }
    ],
    commands: [info, check]
  },
  {
    name: 'a snapshot whose strings and extra data are as long as they can be said to be',
    length: mib,
    puts: [
      headerOf({ snapshots: 1, snapshotsAt: 0x40000 }),
      { at: 0x40000 + 12, bytes: Uint8Array.of(255, 255, 255, 255) },
      { at: 0x40000 + 36, bytes: Uint8Array.of(255, 255, 255, 255) }
    ],
    commands: [info, check]
  }
]

const directoryAt = 16 * mib

const bitmaps: readonly Hostile[] = [
  {
    name: '65535 bitmaps that share one table',
    length: 64 * mib,
    puts: [
      headerOf({ clusterBits: 9, table: 512, l1: 1024, l1Size: 2 ** 22, size: 2n ** 37n, autoclear: 1n }),
      bitmapsExtension(limits.maxBitmaps, 32 * limits.maxBitmaps, directoryAt),
      { at: directoryAt, bytes: directory(limits.maxBitmaps, 32 * mib, 2 ** 16, 0) }
    ],
    commands: [info, check]
  },
  {
    name: 'a bitmap directory of 64 MiB for one bitmap',
    length: 80 * mib,
    puts: [
      headerOf({ autoclear: 1n }),
      bitmapsExtension(1, limits.maxBitmapDirectory, directoryAt),
      { at: directoryAt, bytes: directory(1, mib, 1, 1) }
    ],
    commands: [info, check]
  },
  {
    name: 'a bitmap in use with a table of 1 GiB',
    length: 1100 * mib,
    puts: [
      headerOf({ autoclear: 1n }),
      bitmapsExtension(1, 32, directoryAt),
      { at: directoryAt, bytes: directory(1, 32 * mib, limits.maxBitmapTable, 1) }
    ],
    commands: [info, check]
  }
]

/** A stream that decodes to 64 MiB of zeros. */
const bomb = deflateRawSync(new Uint8Array(64 * mib))

const others: readonly Hostile[] = [
  {
    name: 'eight million compressed entries, in one L2 table of 2 MiB that 32 L1 entries name',
    length: 5 * l1At,
    puts: [
      headerOf({ clusterBits: 21, table: l1At, l1: 2 * l1At, l1Size: 32, size: 2n ** 44n }),
      { at: 2 * l1At, bytes: words(32, () => BigInt(3 * l1At)) },
      { at: 3 * l1At, bytes: words(2 ** 18, (i) => compressed | BigInt(4 * l1At + (i % 2 ** 20))) }
    ],
    commands: [check, map]
  },
  {
    name: 'a first cluster of 2 MiB full of empty extensions',
    length: 4 * l1At,
    puts: [
      headerOf({ clusterBits: 21, table: l1At, l1: 3 * l1At }),
      { at: 104, bytes: words((2 ** 21 - 104) / 8, () => 0x1234_5678n << 32n) }
    ],
    commands: [info, check]
  },
  {
    name: 'a feature name table of 2 MiB',
    length: 4 * l1At,
    puts: [
      headerOf({ clusterBits: 21, table: l1At, l1: 3 * l1At }),
      { at: 104, bytes: extension(0x6803_f857, noise(5, 2 ** 21 - 200)) }
    ],
    commands: [info, check]
  },
  {
    name: 'compressed clusters that all decode to more than a cluster',
    length: 4 * mib,
    puts: [
      headerOf({ size: 2n ** 26n }),
      { at: usual.l1, bytes: words(1, () => copied | 0x40000n) },
      { at: 0x40000, bytes: words(2 ** 13, () => compressed | (255n << 54n) | BigInt(mib)) },
      { at: mib, bytes: bomb }
    ],
    commands: [info, check, map, ['read', '0', '64M']]
  }
]

/** Every hostile image. */
export const hostile: readonly Hostile[] = [...l1Tables, ...refcounts, ...snapshots, ...bitmaps, ...others]

/** Writes the file of a hostile image. */
export const writeHostile = (path: string, { length, puts }: Hostile): void => {
  const fd = openSync(path, 'w')
  ftruncateSync(fd, length)
  for (const { at, bytes } of puts) writeSync(fd, bytes, 0, bytes.length, at)
  closeSync(fd)
}
