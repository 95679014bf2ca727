/** The reference bitmaps: which guest bytes a dirty bitmap marks, one bit after the other. */
import { bytesAt, extensionOf, type Image, isSet, number, offsetIn, word } from './image.js'

/** A stretch of the guest disk that is dirty throughout, or clean. */
export interface DirtyRange {
  readonly start: number
  readonly length: number
  readonly dirty: boolean
}

/** Where the directory entry of each bitmap begins. @see BMP-02 */
export const bitmapsOf = (image: Image): ReadonlyMap<string, number> => {
  const { file, hasBitmaps } = image
  const extension = extensionOf(image, 0x2385_2875)
  const bitmaps = new Map<string, number>()
  if (!hasBitmaps || extension === undefined) return bitmaps
  const start = number(file, extension + 16, 8)
  for (let at = start; at < start + number(file, extension + 8, 8);) {
    const [nameSize, extraSize] = [number(file, at + 18, 2), number(file, at + 20, 4)]
    bitmaps.set(String.fromCharCode(...bytesAt(file, at + 24 + extraSize, nameSize)), at)
    at += Math.ceil((24 + nameSize + extraSize) / 8) * 8
  }
  return bitmaps
}

/** What the bitmap of this directory entry says of the whole disk. @see BMP-05 and BMP-06 */
export const dirtyRanges = ({ file, clusterSize, size }: Image, entry: number): readonly DirtyRange[] => {
  const table = number(file, entry, 8)
  const granularity = 2 ** number(file, entry + 17, 1)
  const ranges: DirtyRange[] = []
  for (let start = 0, bit = 0; start < size; start += granularity, bit++) {
    const byte = Math.floor(bit / 8)
    const cluster = word(file, table + 8 * Math.floor(byte / clusterSize))
    const dirty =
      offsetIn(cluster) === 0
        ? isSet(cluster, 0)
        : isSet(BigInt(number(file, offsetIn(cluster) + (byte % clusterSize), 1)), bit % 8)
    const length = Math.min(granularity, size - start)
    const last = ranges.at(-1)
    if (last?.dirty === dirty) ranges[ranges.length - 1] = { ...last, length: last.length + length }
    else ranges.push({ start, length, dirty })
  }
  return ranges
}
