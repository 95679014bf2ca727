/** Bit diagrams: the named bits of a word in the file, with their values. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { type BitRow, type BitsLeaf, maskOf } from '../bytes/bits.js'
import { hex, viewOf } from '../bytes/octets.js'
import { bitmapFlags } from '../format/bitmap-directory.js'
import { bitmapTableEntry } from '../format/bitmap.js'
import { compressedBits } from '../format/compressed.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from '../format/feature.js'
import type { Geometry } from '../format/geometry.js'
import { l1Entry } from '../format/l1.js'
import { descriptorBits, standardBits, subclusterBits } from '../format/l2.js'
import { refcountTableEntry } from '../format/refcount.js'

/** A named range of bits and what it holds. */
export interface BitRange extends Pick<BitRow, 'lo' | 'hi' | 'name' | 'doc'> {
  readonly clause: ClauseId
  readonly value: string
  /** The host offset that the bits hold, where they hold one that is not 0. */
  readonly target?: number
}

/** A word of the file, cut into its ranges. */
export interface BitDiagram {
  readonly name: string
  /** Byte offset in the file. */
  readonly at: number
  /** Bits. */
  readonly width: 32 | 64
  /** The word in hexadecimal. */
  readonly word: string
  /** From the highest bits to the lowest. */
  readonly ranges: readonly BitRange[]
  /** The bits that have no name and are set. */
  readonly reserved: string
}

/** As much of a bit field as a diagram takes. */
type Leaf = Pick<BitsLeaf<unknown>, 'name' | 'size' | 'reservedMask'> & { readonly rows: object }

const isOffset = ({ name }: BitRow): boolean => name.endsWith('offset')

const rangeOf = (row: BitRow, word: bigint): BitRange => {
  const bits = word & maskOf(row)
  const { lo, hi, name, doc, clause } = row
  const value = row._tag === 'Masked' ? hex(bits) : String(bits >> BigInt(lo))
  const isTarget = isOffset(row) && bits !== 0n && bits <= BigInt(Number.MAX_SAFE_INTEGER)
  return { lo, hi, name, doc, clause, value, ...(isTarget ? { target: Number(bits) } : {}) }
}

const diagram = (leaf: Leaf, bytes: Uint8Array, at: number): BitDiagram => {
  const word = leaf.size === 8 ? viewOf(bytes).getBigUint64(0) : BigInt(viewOf(bytes).getUint32(0))
  const rows: readonly BitRow[] = Object.values(leaf.rows)
  return {
    name: leaf.name,
    at,
    width: leaf.size === 8 ? 64 : 32,
    word: `0x${word.toString(16).padStart(2 * leaf.size, '0')}`,
    ranges: rows.map((row) => rangeOf(row, word)).sort((a, b) => b.hi - a.hi),
    reserved: hex(word & leaf.reservedMask)
  }
}

const compressedFlag = 0x40

/** The bit fields of an L2 entry: its descriptor, and with extended L2 its subcluster bitmap. */
const l2Leaves = (g: Geometry, bytes: Uint8Array): readonly Leaf[] => {
  const isCompressed = ((bytes[0] ?? 0) & compressedFlag) !== 0
  if (isCompressed) return [compressedBits(g.clusterBits), ...(g.extendedL2 ? [subclusterBits] : [])]
  return g.extendedL2 ? [descriptorBits, subclusterBits] : [standardBits]
}

const leavesOf = (structure: string, part: string, g: Geometry, bytes: Uint8Array): readonly Leaf[] => {
  switch (structure) {
    case 'header':
      return [incompatibleFeatures, compatibleFeatures, autoclearFeatures].filter(
        ({ name }) => part === name.replace(' ', '_')
      )
    case 'L1 table':
      return [l1Entry.leaf]
    case 'L2 table':
      return l2Leaves(g, bytes)
    case 'refcount table':
      return [refcountTableEntry.leaf]
    case 'bitmap table':
      return [bitmapTableEntry.leaf]
    case 'bitmap directory':
      return part.endsWith(': flags') ? [bitmapFlags] : []
    default:
      return []
  }
}

/** The diagrams of a part of a structure: one for each word that is a bit field. `bytes` are those of the part. */
export const diagramsOf = (
  structure: string,
  part: string,
  g: Geometry,
  bytes: Uint8Array,
  at: number
): readonly BitDiagram[] => {
  const leaves = leavesOf(structure, part, g, bytes)
  const starts = leaves.map((_, i) => leaves.slice(0, i).reduce((n, { size }) => n + size, 0))
  return leaves.flatMap((leaf, i) => {
    const start = starts[i] ?? 0
    const own = bytes.subarray(start, start + leaf.size)
    return own.length < leaf.size ? [] : [diagram(leaf, own, at + start)]
  })
}
