/** Persistent arrays of sectors: trees with 32 slots a node, in which a new array shares nodes with the old one. */
import { sameSector, type Sector } from './sector.js'

/** Slots of a node. */
const fan = 32

interface SectorLeaf {
  readonly _tag: 'Leaf'
  readonly slots: readonly Sector[]
}

interface SectorBranch {
  readonly _tag: 'Branch'
  /** Sectors under each slot: a power of 32. */
  readonly width: number
  readonly slots: readonly (SectorTree | undefined)[]
}

/** The sectors of a file by number, from 0 on; `undefined` for zeros. */
export type SectorTree = SectorLeaf | SectorBranch

const noSectors: readonly Sector[] = Array.from({ length: fan }, () => undefined)
const noTrees: readonly (SectorTree | undefined)[] = Array.from({ length: fan }, () => undefined)

const widthOf = (tree: SectorTree): number => (tree._tag === 'Leaf' ? 1 : tree.width)

/** The width of a node that holds `count` sectors, at least `width`. */
const widthFor = (count: number, width: number): number => (width * fan < count ? widthFor(count, width * fan) : width)

/** The same sectors under a node of this width, which is at least that of the tree. */
const raised = (tree: SectorTree | undefined, width: number): SectorTree | undefined => {
  let top = tree
  while (top !== undefined && widthOf(top) < width)
    top = { _tag: 'Branch', width: widthOf(top) * fan, slots: noTrees.with(0, top) }
  return top
}

/** The sector with this number, a whole number from 0 on. */
export const sectorAt = (tree: SectorTree | undefined, index: number): Sector => {
  let here = tree
  let rest = index
  while (here?._tag === 'Branch') {
    const slot = Math.floor(rest / here.width)
    rest -= slot * here.width
    here = here.slots[slot]
  }
  return here?.slots[rest]
}

/** A node of the given width with `sectors[from .. to - 1]` from its sector `first` on. */
const put = (
  tree: SectorTree | undefined,
  width: number,
  first: number,
  sectors: readonly Sector[],
  from: number,
  to: number
): SectorTree => {
  if (width === 1) {
    const slots = (tree?._tag === 'Leaf' ? tree.slots : noSectors).slice()
    for (let i = from; i < to; i++) slots[first + i - from] = sectors[i]
    return { _tag: 'Leaf', slots }
  }
  const slots = (tree?._tag === 'Branch' ? tree.slots : noTrees).slice()
  for (let i = from; i < to;) {
    const slot = Math.floor((first + i - from) / width)
    const inSlot = first + i - from - slot * width
    const end = Math.min(to, i + width - inSlot)
    slots[slot] = put(slots[slot], width / fan, inSlot, sectors, i, end)
    i = end
  }
  return { _tag: 'Branch', width, slots }
}

/** The tree with these sectors from number `first` on. */
export const withSectors = (tree: SectorTree | undefined, first: number, sectors: readonly Sector[]): SectorTree => {
  const width = widthFor(first + sectors.length, tree === undefined ? 1 : widthOf(tree))
  return put(raised(tree, width), width, first, sectors, 0, sectors.length)
}

/** The tree without sectors `from` to `to - 1`; the same tree if it has none of them. */
export const withoutSectors = (tree: SectorTree | undefined, from: number, to: number): SectorTree | undefined => {
  if (tree === undefined || from >= to || to <= 0 || from >= widthOf(tree) * fan) return tree
  if (from <= 0 && to >= widthOf(tree) * fan) return undefined
  if (tree._tag === 'Leaf') {
    const slots = tree.slots.map((sector, i) => (i >= from && i < to ? undefined : sector))
    return slots.every((sector, i) => sector === tree.slots[i]) ? tree : { _tag: 'Leaf', slots }
  }
  const { width } = tree
  const slots = tree.slots.map((part, i) => withoutSectors(part, from - i * width, to - i * width))
  return slots.every((part, i) => part === tree.slots[i]) ? tree : { _tag: 'Branch', width, slots }
}

const someDiffers = (
  a: SectorTree | undefined,
  b: SectorTree | undefined,
  width: number,
  first: number,
  stop: (index: number) => boolean
): boolean => {
  if (a === b) return false
  if (width === 1) {
    const inA = a?._tag === 'Leaf' ? a.slots : noSectors
    const inB = b?._tag === 'Leaf' ? b.slots : noSectors
    for (let i = 0; i < fan; i++) if (!sameSector(inA[i], inB[i]) && stop(first + i)) return true
    return false
  }
  const inA = a?._tag === 'Branch' ? a.slots : noTrees
  const inB = b?._tag === 'Branch' ? b.slots : noTrees
  for (let i = 0; i < fan; i++) if (someDiffers(inA[i], inB[i], width / fan, first + i * width, stop)) return true
  return false
}

/**
 * Whether `stop` returns true for the number of a sector that differs. It is called in ascending order until then. Shared
 * nodes are skipped.
 */
export const someSectorDiffers = (
  a: SectorTree | undefined,
  b: SectorTree | undefined,
  stop: (index: number) => boolean
): boolean => {
  const width = Math.max(a === undefined ? 1 : widthOf(a), b === undefined ? 1 : widthOf(b))
  return someDiffers(raised(a, width), raised(b, width), width, 0, stop)
}
