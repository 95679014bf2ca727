/** Sketches: small images in every geometry, drawn before they have bytes. A sketch by itself breaks no rule. */
import { clusterSize, type Geometry, l1Coverage, l2Entries } from '../format/geometry.js'
import { type Choices } from './choices.js'

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

const sizes = [9, 9, 9, 9, 9, 9, 9, 10, 11, 12] as const

const drawnGeometry = (c: Choices): Geometry => {
  const clusterBits = c.of(sizes)
  switch (c.below(24)) {
    case 15:
    case 16:
    case 17:
      return { ...version3(clusterBits), version: 2 }
    case 18:
    case 19:
    case 20:
    case 21:
      return version3(clusterBits, { refcountOrder: c.of([4, 0, 1, 2, 3, 5, 6]) })
    case 22:
      return version3(clusterBits, { externalDataFile: true })
    case 23:
      return c.rarely(3) ? version3(16) : version3(14, { extendedL2: true, externalDataFile: c.rarely(4) })
    default:
      return version3(clusterBits)
  }
}

const kinds = ['normal', 'normal', 'zero', 'zeroAllocated', 'compressed'] as const
const versionKinds = ['normal', 'normal', 'compressed'] as const
const dataFileKinds = ['normal', 'normal', 'zero'] as const

const half = (c: Choices): number => c.of([0, 0xffff_ffff, 1, 0x8000_0000, 0x00ff_ff00, 0x5555_5555])

/** L2 entries of different indices, each with a data cluster of its own, from `data` on. */
const drawnTable = (c: Choices, g: Geometry, data: number, most: number): readonly Slot[] => {
  const slots = new Map<number, Slot>()
  for (let n = c.below(7); n > 0; n--) {
    const index = c.rarely(6) ? most - 1 : c.below(Math.min(most, 12))
    const kind = g.version === 2 ? c.of(versionKinds) : g.externalDataFile ? c.of(dataFileKinds) : c.of(kinds)
    const offset = kind === 'compressed' && c.rarely(3) ? 8 * c.below(32) : 0
    const [allocated, zeros] = g.extendedL2 ? [half(c), half(c)] : [0, 0]
    slots.set(index, { index, kind, data: data + slots.size, offset, allocated, zeros: (zeros & ~allocated) >>> 0 })
  }
  return [...slots.values()].map((slot, i) => ({ ...slot, data: data + i }))
}

/** Guest bytes from which on a disk takes long to read: a disk of larger clusters has one L2 table. */
const coverage = 2 ** 18

/** The sketch of choices. */
export const sketchOf = (c: Choices): Sketch => {
  const g = drawnGeometry(c)
  const isLarge = l1Coverage(g) > coverage
  const last = isLarge ? 16 : l2Entries(g)
  const entries = isLarge ? 1 : 1 + c.below(3)
  const tables: (readonly Slot[])[] = []
  const l1: (number | undefined)[] = []
  let data = 0
  for (let i = 0; i < entries; i++) {
    if (c.rarely(4)) {
      l1.push(undefined)
      continue
    }
    const table = drawnTable(c, g, data, i === entries - 1 ? last : l2Entries(g))
    data += table.length
    l1.push(tables.length)
    tables.push(table)
  }
  const whole = (entries - 1) * l1Coverage(g) + last * clusterSize(g)
  return {
    g,
    zstd: g.version === 3 && c.rarely(8),
    l1,
    tables,
    data: data + Number(c.rarely(6)),
    snapshots: g.externalDataFile || g.refcountOrder < 2 ? 0 : c.of([0, 0, 0, 0, 1, 2]),
    hasBitmap: g.version === 3 && c.rarely(6),
    hasBacking: c.rarely(4),
    size: whole - 512 * (c.rarely(3) ? 1 + c.below(Math.min(64, last - 1)) : 0)
  }
}
