/** Sketches: small images in every geometry, drawn before they have bytes. A sketch by itself breaks no rule. */
import { sum } from '../bytes/list.js'
import { clusterSize, type Geometry, l1Coverage, l2Entries } from '../format/geometry.js'
import { type Choices, weighted } from './choices.js'

/** An L2 entry. */
export interface Slot {
  readonly index: number
  readonly kind: 'normal' | 'zero' | 'zeroAllocated' | 'compressed'
  /** Its cluster among the data clusters. */
  readonly data: number
  /** Where the payload of a compressed cluster begins in its cluster: a multiple of 8 bytes. */
  readonly offset: number
  /** The halves of the bitmap of an extended entry. */
  readonly allocated: number
  readonly zeros: number
}

/** What an image is made from. */
export interface Sketch {
  readonly g: Geometry
  readonly zstd: boolean
  /** The L2 table of each L1 entry, of the active disk and of every snapshot. */
  readonly l1: readonly (number | undefined)[]
  readonly tables: readonly (readonly Slot[])[]
  /** How many data clusters there are. */
  readonly data: number
  readonly snapshots: number
  readonly hasBitmap: boolean
  readonly hasBacking: boolean
  /** Bytes of the guest disk. */
  readonly size: number
}

const version3 = (
  clusterBits: number,
  some: Partial<Pick<Geometry, 'extendedL2' | 'externalDataFile' | 'refcountOrder'>> = {}
): Geometry => ({
  version: 3,
  clusterBits,
  extendedL2: false,
  externalDataFile: false,
  refcountOrder: 4,
  ...some
})

const sizes = weighted([7, 9], [1, 10], [1, 11], [1, 12])

/** Draws of a geometry, of which only the last one leaves the drawn `cluster_bits` aside. */
const geometries = weighted<(c: Choices, clusterBits: number) => Geometry>(
  [15, (_, clusterBits) => version3(clusterBits)],
  [3, (_, clusterBits) => ({ ...version3(clusterBits), version: 2 })],
  [4, (c, clusterBits) => version3(clusterBits, { refcountOrder: c.of([4, 0, 1, 2, 3, 5, 6]) })],
  [1, (_, clusterBits) => version3(clusterBits, { externalDataFile: true })],
  [1, (c) => (c.rarely(3) ? version3(16) : version3(14, { extendedL2: true, externalDataFile: c.rarely(4) }))]
)

const drawnGeometry = (c: Choices): Geometry => {
  const clusterBits = c.of(sizes)
  return c.of(geometries)(c, clusterBits)
}

const kinds = ['normal', 'normal', 'zero', 'zeroAllocated', 'compressed'] as const
const version2Kinds = ['normal', 'normal', 'compressed'] as const
const dataFileKinds = ['normal', 'normal', 'zero'] as const

const half = (c: Choices): number => c.of([0, 0xffff_ffff, 1, 0x8000_0000, 0x00ff_ff00, 0x5555_5555])

/** An L2 entry without its cluster: of the first entries of a table of `entries`, or its last one. */
const drawnSlot = (c: Choices, g: Geometry, entries: number): Omit<Slot, 'data'> => {
  const index = c.rarely(6) ? entries - 1 : c.below(Math.min(entries, 12))
  const kind = g.version === 2 ? c.of(version2Kinds) : g.externalDataFile ? c.of(dataFileKinds) : c.of(kinds)
  const offset = kind === 'compressed' && c.rarely(3) ? 8 * c.below(32) : 0
  const [allocated, zeros] = g.extendedL2 ? [half(c), half(c)] : [0, 0]
  return { index, kind, offset, allocated, zeros: (zeros & ~allocated) >>> 0 }
}

/** L2 entries of different indices. */
const drawnTable = (c: Choices, g: Geometry, entries: number): readonly Omit<Slot, 'data'>[] => {
  const slots = Array.from({ length: c.below(7) }, () => drawnSlot(c, g, entries))
  return [...new Map(slots.map((slot) => [slot.index, slot])).values()]
}

/** Guest bytes from which on a disk takes long to read: a disk of larger clusters has one L2 table. */
const coverage = 2 ** 18

/** The sketch of choices. */
export const sketchOf = (c: Choices): Sketch => {
  const g = drawnGeometry(c)
  const isLarge = l1Coverage(g) > coverage
  const last = isLarge ? 16 : l2Entries(g)
  const entries = isLarge ? 1 : 1 + c.below(3)
  const drawn = Array.from({ length: entries }, (_, i) =>
    c.rarely(4) ? undefined : drawnTable(c, g, i === entries - 1 ? last : l2Entries(g))
  )
  const tables = drawn.filter((table) => table !== undefined)
  const used = (n: number): number => sum(tables.slice(0, n).map((table) => table.length))
  const whole = (entries - 1) * l1Coverage(g) + last * clusterSize(g)
  return {
    g,
    zstd: g.version === 3 && c.rarely(8),
    l1: drawn.map((table) => (table === undefined ? undefined : tables.indexOf(table))),
    tables: tables.map((table, n) => table.map((slot, i) => ({ ...slot, data: used(n) + i }))),
    data: used(tables.length) + Number(c.rarely(6)),
    snapshots: g.externalDataFile || g.refcountOrder < 2 ? 0 : c.of([0, 0, 0, 0, 1, 2]),
    hasBitmap: g.version === 3 && c.rarely(6),
    hasBacking: c.rarely(4),
    size: whole - 512 * (c.rarely(3) ? 1 + c.below(Math.min(64, last - 1)) : 0)
  }
}
