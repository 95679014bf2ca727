/** The reference's bitmaps: which granules each one says are dirty. */
import type { Bitmap } from '../disk.js'
import { bytesAt, extensionOf, type Image, isSet, number, offsetIn, tableAt, word } from './image.js'

/** The dirty granules of a disk of `size` bytes, by the table at this offset. @see BMP-05, BMP-06 and BMP-08 */
const dirtyIn = ({ file, clusterSize, size }: Image, table: number, granularity: number): ReadonlySet<number> => {
  const dirty = new Set<number>()
  for (let granule = 0; granule * granularity < size; granule++) {
    const [byte, bit] = [Math.floor(granule / 8), granule % 8]
    const entry = word(file, table + 8 * Math.floor(byte / clusterSize))
    const host = offsetIn(entry)
    const isDirty = host === 0 ? isSet(entry, 0) : ((number(file, host + (byte % clusterSize), 1) >> bit) & 1) === 1
    if (isDirty) dirty.add(granule)
  }
  return dirty
}

/** The bitmaps that can be trusted, in the order of their directory. @see BMP-01, BMP-02, BMP-09 and BMP-11 */
export const bitmapsOf = (image: Image): readonly Bitmap[] => {
  const { file, clusterSize, hasBitmaps } = image
  const extension = extensionOf(image, 0x2385_2875)
  const bitmaps: Bitmap[] = []
  if (!hasBitmaps || extension === undefined) return bitmaps
  const end = number(file, extension + 8, 8) + number(file, extension + 16, 8)
  for (let at = number(file, extension + 16, 8); at < end;) {
    const table = tableAt(file, at, number(file, at + 8, 4), clusterSize)
    const [flags, nameSize, extraSize] = [number(file, at + 12, 4), number(file, at + 18, 2), number(file, at + 20, 4)]
    const granularity = 2 ** number(file, at + 17, 1)
    const name = String.fromCharCode(...bytesAt(file, at + 24 + extraSize, nameSize))
    if ((flags & 1) === 0)
      bitmaps.push({ name, granularity, enabled: (flags & 2) === 2, dirty: dirtyIn(image, table.offset, granularity) })
    at += Math.ceil((24 + nameSize + extraSize) / 8) * 8
  }
  return bitmaps
}
