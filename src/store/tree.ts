/** Arrays of sectors that never change: a tree of 32 slots a node, in which a new array shares what it has in common with the old one. */
import { sameSector, type Sector } from './sector.js'

/** Slots of a node. */
const fan = 32

interface Leaf {
  readonly _tag: 'Leaf'
  readonly slots: readonly Sector[]
}

interface Branch {
  readonly _tag: 'Branch'
  /** Sectors below each slot: a power of 32. */
  readonly width: number
  readonly slots: readonly (Tree | undefined)[]
}

/** The sectors of a file by their numbers, from 0 on; `undefined` where there is none. */
export type Tree = Leaf | Branch

const noSectors: readonly Sector[] = Array.from({ length: fan }, () => undefined)
const noTrees: readonly (Tree | undefined)[] = Array.from({ length: fan }, () => undefined)

const widthOf = (tree: Tree): number => (tree._tag === 'Leaf' ? 1 : tree.width)

/** The width of a node from which `count` sectors can be reached, and no less than `width`. */
const widthFor = (count: number, width: number): number => (width * fan < count ? widthFor(count, width * fan) : width)

/** The same sectors below a node of this width, which is that of the tree or more. */
const raised = (tree: Tree | undefined, width: number): Tree | undefined => {
  let top = tree
  while (top !== undefined && widthOf(top) < width)
    top = { _tag: 'Branch', width: widthOf(top) * fan, slots: noTrees.with(0, top) }
  return top
}

/** The sector with this number, a whole number from 0 on. */
export const sectorAt = (tree: Tree | undefined, index: number): Sector => {
  let here = tree
  let rest = index
  while (here?._tag === 'Branch') {
    const slot = Math.floor(rest / here.width)
    rest -= slot * here.width
    here = here.slots[slot]
  }
  return here?.slots[rest]
}

/** Puts `sectors[from .. to - 1]` into a node of the given width, from its sector `first` on. */
const put = (
  tree: Tree | undefined,
  width: number,
  first: number,
  sectors: readonly Sector[],
  from: number,
  to: number
): Tree => {
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

/** The sectors, with these in place of those from number `first` on. */
export const withSectors = (tree: Tree | undefined, first: number, sectors: readonly Sector[]): Tree => {
  const width = widthFor(first + sectors.length, tree === undefined ? 1 : widthOf(tree))
  return put(raised(tree, width), width, first, sectors, 0, sectors.length)
}

/** The sectors without those numbered `from` to `to - 1`. The same tree if it has none of them. */
export const withoutSectors = (tree: Tree | undefined, from: number, to: number): Tree | undefined => {
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
  a: Tree | undefined,
  b: Tree | undefined,
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
 * Whether `stop` says so of the number of some sector that differs. It is asked in ascending order. Parts the two trees
 * share are skipped.
 */
export const someSectorDiffers = (
  a: Tree | undefined,
  b: Tree | undefined,
  stop: (index: number) => boolean
): boolean => {
  const width = Math.max(a === undefined ? 1 : widthOf(a), b === undefined ? 1 : widthOf(b))
  return someDiffers(raised(a, width), raised(b, width), width, 0, stop)
}
