/** Generated images: small ones in every geometry, whose tables point where they should, or anywhere. */
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { viewOf } from '../../src/bytes/octets.js'
import { availableBytes, compressedBits } from '../../src/format/compressed.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from '../../src/format/feature.js'
import {
  blockEntries,
  clusterSize,
  type Geometry,
  l1Coverage,
  l2Entries,
  l2EntrySize
} from '../../src/format/geometry.js'
import { header, magic, v2Defaults } from '../../src/format/header.js'
import { maxRefcount, setRefcount } from '../../src/format/refcount.js'
import { snapshotEntry } from '../../src/format/snapshot.js'
import { fromText } from '../../src/bytes/octets.js'
import { noise } from '../../src/fuzz/noise.js'
import type { Subject } from './verdict.js'

/** Where an entry points: the `pick`-th cluster of the right sort or of any, or one behind the file; perhaps not to its start. */
interface Aim {
  readonly at: 'own' | 'any' | 'behind'
  readonly pick: number
  readonly off: number
}

interface Pointer {
  readonly aim: Aim
  readonly none: boolean
  /** Whether COPIED says the opposite of what it should. */
  readonly lies: boolean
  /** A bit that is flipped in the end; none from 64 on. */
  readonly stray: number
}

interface Slot extends Pointer {
  readonly index: number
  readonly kind: 'normal' | 'zero' | 'zeroAllocated' | 'compressed'
  readonly sectors: number
  readonly allocated: number
  readonly zeros: number
}

/** What an image is made from. */
export interface Sketch {
  readonly g: Geometry
  readonly l1: readonly Pointer[]
  readonly snapshots: readonly { readonly l1: readonly Pointer[]; readonly extra: 0 | 16 | 24 }[]
  readonly tables: readonly (readonly Slot[])[]
  readonly data: number
  readonly counts: readonly { readonly cluster: number; readonly count: number }[]
  readonly shorter: number
  readonly cut: number
  readonly backing: number
}

const often = <A>(usual: A, ...rare: readonly fc.Arbitrary<A>[]): fc.Arbitrary<A> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, ...rare.map((arbitrary) => ({ weight: 1, arbitrary })))

const aims = fc.record({
  at: often<Aim['at']>('own', fc.constantFrom('any', 'behind')),
  pick: fc.nat({ max: 63 }),
  off: often(0, fc.constantFrom(0.5, 0.25, 0.125))
})

const pointer = {
  aim: aims,
  none: fc.boolean(),
  lies: often(false, fc.constant(true)),
  stray: often(64, fc.nat({ max: 63 }))
}

const pointers = fc.array(fc.record(pointer), { minLength: 1, maxLength: 5 })

const half = fc.oneof(fc.constantFrom(0, 0xffff_ffff, 1, 0x8000_0000), fc.nat({ max: 0xffff_ffff }))

const slots = fc.array(
  fc.record({
    ...pointer,
    index: fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: 0xffff })),
    kind: fc.constantFrom<Slot['kind'][]>('normal', 'normal', 'zero', 'zeroAllocated', 'compressed'),
    sectors: fc.nat({ max: 9 }),
    allocated: half,
    zeros: half
  }),
  { maxLength: 8 }
)

const geometries: fc.Arbitrary<Geometry> = fc.oneof(
  fc.record({
    version: fc.constant(2),
    clusterBits: fc.constantFrom(9, 12),
    extendedL2: fc.constant(false),
    externalDataFile: fc.constant(false),
    refcountOrder: fc.constant(4)
  }),
  fc.record({
    version: fc.constant(3),
    clusterBits: fc.constantFrom(9, 9, 10, 12),
    extendedL2: fc.constant(false),
    externalDataFile: often(false, fc.constant(true)),
    refcountOrder: fc.nat({ max: 6 })
  }),
  fc.record({
    version: fc.constant(3),
    clusterBits: fc.constant(14),
    extendedL2: fc.constant(true),
    externalDataFile: often(false, fc.constant(true)),
    refcountOrder: fc.nat({ max: 6 })
  })
)

/** What images are made from. */
export const sketches: fc.Arbitrary<Sketch> = fc.record({
  g: geometries,
  l1: pointers,
  snapshots: fc.array(fc.record({ l1: pointers, extra: often<0 | 16 | 24>(24, fc.constantFrom(0, 16)) }), {
    maxLength: 2
  }),
  tables: fc.array(slots, { minLength: 1, maxLength: 3 }),
  data: fc.integer({ min: 1, max: 6 }),
  counts: fc.oneof(
    fc.constant([]),
    fc.array(fc.record({ cluster: fc.nat({ max: 40 }), count: fc.nat({ max: 4 }) }), { maxLength: 3 })
  ),
  shorter: often(0, fc.nat({ max: 40_000 })),
  cut: often(0, fc.nat({ max: 3000 })),
  backing: fc.oneof(fc.constant(0), fc.nat({ max: 40_000 }))
})

/** Clusters in the order they stand in: header, refcount table and block, L1, snapshot table, snapshot L1s, L2 tables, data. */
interface Layout {
  readonly snapshotL1: (i: number) => number
  readonly table: (i: number) => number
  readonly data: (i: number) => number
  readonly length: number
}

const layoutOf = (s: Sketch): Layout => {
  const tables = 5 + s.snapshots.length
  const data = tables + s.tables.length
  return { snapshotL1: (i) => 5 + i, table: (i) => tables + i, data: (i) => data + i, length: data + s.data }
}

/** The host offset an aim stands for; `own` are the clusters it should be among. */
const hostOf = (s: Sketch, { at, pick, off }: Aim, first: number, count: number): number => {
  const size = clusterSize(s.g)
  const cluster =
    at === 'own' ? first + (pick % count) : at === 'any' ? pick % layoutOf(s).length : layoutOf(s).length + (pick % 4)
  return (cluster + off) * size
}

const tableHost = (s: Sketch, p: Pointer): number => hostOf(s, p.aim, layoutOf(s).table(0), s.tables.length)
const dataHost = (s: Sketch, p: Pointer): number => hostOf(s, p.aim, layoutOf(s).data(0), s.data)

const compressedOf = (s: Sketch, slot: Slot) => ({
  hostOffset: BigInt(dataHost(s, slot)),
  additionalSectors: Math.min(slot.sectors, 2 ** (s.g.clusterBits - 8) - 1)
})

/** Host bytes that a slot refers to. */
const rangeOf = (s: Sketch, slot: Slot): { readonly at: number; readonly size: number } => {
  if (slot.none || slot.kind === 'zero') return { at: 0, size: 0 }
  if (slot.kind === 'compressed') return { at: dataHost(s, slot), size: availableBytes(compressedOf(s, slot)) }
  return { at: dataHost(s, slot), size: s.g.externalDataFile ? 0 : clusterSize(s.g) }
}

/** How often each cluster is referred to, as long as no pointer is stray. */
const countsOf = (s: Sketch): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  const size = clusterSize(s.g)
  const refer = (at: number, length: number): void => {
    for (let c = Math.floor(at / size); c * size < at + length; c++) counts.set(c, (counts.get(c) ?? 0) + 1)
  }
  for (const c of [0, 1, 2, 3, ...(s.snapshots.length > 0 ? [4] : []), ...s.snapshots.map((_, i) => 5 + i)])
    refer(c * size, size)
  for (const p of [...s.l1, ...s.snapshots.flatMap(({ l1 }) => l1)].filter(({ none }) => !none)) {
    const at = tableHost(s, p)
    refer(at, size)
    for (const slot of s.tables[at / size - layoutOf(s).table(0)] ?? [])
      refer(rangeOf(s, slot).at, rangeOf(s, slot).size)
  }
  return counts
}

const flipped = (word: bigint, stray: number): bigint => (stray < 64 ? word ^ (1n << BigInt(stray)) : word)

const copiedBit = (count: number | undefined, lies: boolean): bigint => ((count === 1) !== lies ? 1n << 63n : 0n)

const descriptor = (s: Sketch, slot: Slot, counts: ReadonlyMap<number, number>): bigint => {
  if (slot.none) return 0n
  if (slot.kind === 'zero') return 1n
  if (slot.kind === 'compressed')
    return compressedBits(s.g.clusterBits).toWord({
      ...compressedOf(s, slot),
      compressed: true,
      copied: slot.lies,
      reserved: 0n
    })
  const host = dataHost(s, slot)
  const count = s.g.externalDataFile ? 1 : counts.get(Math.floor(host / clusterSize(s.g)))
  return BigInt(host) | copiedBit(count, slot.lies) | (slot.kind === 'zeroAllocated' && !s.g.extendedL2 ? 1n : 0n)
}

const l1Bytes = (s: Sketch, l1: readonly Pointer[], counts: ReadonlyMap<number, number>): Uint8Array => {
  const bytes = new Uint8Array(8 * l1.length)
  l1.forEach((p, i) => {
    const host = tableHost(s, p)
    const word = BigInt(host) | copiedBit(counts.get(Math.floor(host / clusterSize(s.g))), p.lies)
    viewOf(bytes).setBigUint64(8 * i, p.none ? 0n : flipped(word, p.stray))
  })
  return bytes
}

const l2Bytes = (s: Sketch, table: readonly Slot[], counts: ReadonlyMap<number, number>): Uint8Array => {
  const bytes = new Uint8Array(clusterSize(s.g))
  for (const slot of table) {
    const at = (slot.index % l2Entries(s.g)) * l2EntrySize(s.g)
    viewOf(bytes).setBigUint64(at, flipped(descriptor(s, slot, counts), slot.stray))
    if (!s.g.extendedL2 || slot.kind === 'compressed') continue
    const allocated = slot.none || slot.kind !== 'normal' ? 0 : slot.allocated
    viewOf(bytes).setUint32(at + 8, slot.lies ? slot.zeros : slot.zeros & ~allocated)
    viewOf(bytes).setUint32(at + 12, allocated)
  }
  return bytes
}

const blockBytes = (s: Sketch, counts: ReadonlyMap<number, number>): Uint8Array => {
  const bytes = new Uint8Array(clusterSize(s.g))
  const max = maxRefcount(s.g.refcountOrder)
  const all = new Map([...counts, ...s.counts.map(({ cluster, count }) => [cluster, count] as const)])
  for (const [cluster, count] of all)
    if (cluster < blockEntries(s.g))
      setRefcount(viewOf(bytes), s.g.refcountOrder, cluster, BigInt(count) > max ? max : BigInt(count))
  return bytes
}

const nothing = new Uint8Array(0)

const snapshotBytes = (s: Sketch): readonly Uint8Array[] =>
  s.snapshots.map(({ l1, extra }, i) => {
    const known = { vmStateSize: 0n, diskSize: BigInt(l1Coverage(s.g) * l1.length), icount: 0n }
    const { icount: _, ...short } = known
    return snapshotEntry.encode({
      l1TableOffset: BigInt(layoutOf(s).snapshotL1(i) * clusterSize(s.g)),
      l1Size: l1.length,
      dateSec: 0,
      dateNsec: 0,
      vmClockNsec: 0n,
      vmStateSize: 0,
      extra: { ...(extra === 24 ? known : extra === 16 ? short : {}), rest: nothing },
      id: fromText(String(i + 1)),
      name: nothing,
      padding: new Uint8Array(7)
    })
  })

const backingName = fromText('base.raw')

const headerBytes = (s: Sketch): Uint8Array => {
  const size = clusterSize(s.g)
  const features = {
    ...v2Defaults,
    incompatibleFeatures: {
      ...incompatibleFeatures.ofWord(0n),
      externalDataFile: s.g.externalDataFile,
      extendedL2: s.g.extendedL2
    },
    compatibleFeatures: compatibleFeatures.ofWord(0n),
    autoclearFeatures: autoclearFeatures.ofWord(0n),
    refcountOrder: s.g.refcountOrder,
    headerLength: 104
  }
  return header.encode({
    magic,
    version: s.g.version,
    backingFileOffset: BigInt(s.backing === 0 ? 0 : size - backingName.length),
    backingFileSize: backingName.length,
    clusterBits: s.g.clusterBits,
    size: BigInt(Math.max(0, l1Coverage(s.g) * s.l1.length - s.shorter)),
    cryptMethod: 0,
    l1Size: s.l1.length,
    l1TableOffset: BigInt(3 * size),
    refcountTableOffset: BigInt(size),
    refcountTableClusters: 1,
    nbSnapshots: s.snapshots.length,
    snapshotsOffset: BigInt(4 * size),
    ...(s.g.version === 2 ? v2Defaults : features),
    additional: { rest: nothing }
  })
}

/** Names of the data file and the format of the backing file. */
const extensionBytes = (s: Sketch): Uint8Array => {
  const record = (type: number, text: string): readonly number[] => {
    const data = fromText(text)
    return [
      ...new Uint8Array(Uint32Array.of(data.length, type).buffer).reverse(),
      ...data,
      ...new Uint8Array(-data.length & 7)
    ]
  }
  return Uint8Array.from([
    ...(s.backing === 0 ? [] : record(0xe279_2aca, 'raw')),
    ...(s.g.externalDataFile ? record(0x4441_5441, 'img.raw') : []),
    ...new Uint8Array(8)
  ])
}

/** Data that names its cluster; every other one starts with a deflate stream of a whole cluster. */
const dataBytes = (s: Sketch, i: number): Uint8Array => {
  const size = clusterSize(s.g)
  const bytes = noise(i, size)
  if (i % 2 === 0) bytes.set(deflateRawSync(new Uint8Array(size).fill(i + 1)).subarray(0, size))
  return bytes
}

/** The image of a sketch, with its companions. */
export const imageOf = (s: Sketch): Subject => {
  const size = clusterSize(s.g)
  const layout = layoutOf(s)
  const counts = countsOf(s)
  const image = new Uint8Array(layout.length * size)
  const put = (bytes: Uint8Array, at: number): void => image.set(bytes, at)
  put(headerBytes(s), 0)
  put(extensionBytes(s), s.g.version === 2 ? 72 : 104)
  if (s.backing > 0) put(backingName, size - backingName.length)
  viewOf(image).setBigUint64(size, BigInt(2 * size))
  put(blockBytes(s, counts), 2 * size)
  put(l1Bytes(s, s.l1, counts), 3 * size)
  snapshotBytes(s).reduce(
    (at, bytes) => (put(bytes.subarray(0, -7), at), at + Math.ceil((bytes.length - 7) / 8) * 8),
    4 * size
  )
  s.snapshots.forEach(({ l1 }, i) => put(l1Bytes(s, l1, counts), layout.snapshotL1(i) * size))
  s.tables.forEach((table, i) => put(l2Bytes(s, table, counts), layout.table(i) * size))
  Array.from({ length: s.data }, (_, i) => put(dataBytes(s, i), layout.data(i) * size))
  const cut = image.subarray(0, Math.max(5 * size, image.length - s.cut))
  const raw = noise(1, s.backing)
  return {
    image: cut,
    files: new Map([
      ['img.qcow2', cut],
      ...(s.backing === 0 ? [] : [['base.raw', raw] as const]),
      ...(s.g.externalDataFile ? [['img.raw', noise(2, 4096)] as const] : [])
    ]),
    expect: { info: { stdout: null }, guest: { snapshots: s.snapshots.map((_, i) => ({ id: String(i + 1) })) } }
  }
}
