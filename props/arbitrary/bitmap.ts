/** Dirty bitmaps: directory entries, directories, table entries and clusters of bits. */
import fc from 'fast-check'
import { fromText } from '../../src/bytes/octets.js'
import { type BitmapEntry, bitmapEntry } from '../../src/format/bitmap-directory.js'
import { bitmapCluster, type BitmapTableEntry, bitmapTableEntry } from '../../src/format/bitmap.js'
import type { Mode } from './leaf.js'
import { noise } from '../../src/fuzz/noise.js'
import { bitmapDirectoryFields, bitmapTableFields } from '../../src/fuzz/structures.js'
import { entry, entryValue, paddingOf, structure, type Structure, wordOf } from './structure.js'

const often = { extra: [8], name: [2, 1023, 1024] }

const drawn = entry(bitmapEntry, often)

/** The entry with another byte for each NUL in its name. */
const withoutNul = (b: BitmapEntry): BitmapEntry => ({ ...b, name: b.name.map((byte) => (byte === 0 ? 0x61 : byte)) })

/** Bitmap directory entries; of any values a few have a NUL in their name. */
export const bitmaps: Structure<BitmapEntry> = {
  ...drawn,
  wellFormed: drawn.wellFormed.map(withoutNul),
  anyValue: fc.oneof({ arbitrary: drawn.anyValue.map(withoutNul), weight: 7 }, { arbitrary: drawn.anyValue, weight: 1 })
}

/** The entry under the name of its place in the list. */
const named = (b: BitmapEntry, i: number): fc.Arbitrary<BitmapEntry> => {
  const renamed = { ...b, name: fromText(`bitmap-${i}`), padding: new Uint8Array(0) }
  return paddingOf(bitmapEntry.sizeOf(renamed), 'wellFormed').map((padding) => ({ ...renamed, padding }))
}

const entries = (mode: Mode): fc.Arbitrary<readonly BitmapEntry[]> => {
  const list = fc.array(entryValue(bitmapEntry, mode, often), { maxLength: 3 })
  return mode === 'any' ? list : list.chain((all) => fc.tuple(...all.map(named)))
}

/** Bitmap directories; names repeat in those of any values. */
export const bitmapDirectories: Structure<readonly BitmapEntry[]> = structure(
  'bitmap directory',
  bitmapDirectoryFields,
  entries
)

/** Bitmap table entries. */
export const bitmapTableEntries: Structure<BitmapTableEntry> = wordOf(bitmapTableEntry, bitmapTableFields)

/**
 * Clusters of bits: all clear, all set, one set, or noise.
 *
 * @example
 * import fc from 'fast-check'
 * import { bitmapClustersOf } from 'qcow2-spec/arbitraries'
 *
 * fc.assert(fc.property(bitmapClustersOf(9).anyValue, (bits) => bits.length === 4096))
 */
export const bitmapClustersOf = (clusterBits: number): Structure<readonly boolean[]> => {
  const length = 8 * 2 ** clusterBits
  const bits = fc.oneof(
    { withCrossShrink: true },
    fc.boolean().map((bit) => Array.from({ length }, () => bit)),
    fc.nat({ max: length - 1 }).map((one) => Array.from({ length }, (_, i) => i === one)),
    fc.integer().map((seed) => Array.from(noise(seed, length), (b) => (b & 1) === 1))
  )
  return structure(
    `bitmap data, cluster_bits ${clusterBits}`,
    { type: bitmapCluster(clusterBits), fields: () => [] },
    () => bits
  )
}
