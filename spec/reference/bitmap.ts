/** The reference bitmaps: which guest bytes a dirty bitmap marks, one bit after the other. */
import type { Bitmap } from '../disk.js'
import { bytesAt, extensionOf, type Image, isSet, number, offsetIn, word } from './image.js'

/** A stretch of the guest disk that is dirty throughout, or clean. */
export interface DirtyRange {
  readonly start: number
  readonly length: number
  readonly dirty: boolean
}

/** Where the directory entry of each bitmap begins. @see BMP-01, BMP-02 and BMP-11 */
export const directoryOf = (image: Image): ReadonlyMap<string, number> => {
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

const granularityOf = ({ file }: Image, entry: number): number => 2 ** number(file, entry + 17, 1)

/** Whether a granule is dirty, by the bitmap of this directory entry. @see BMP-05, BMP-06 and BMP-08 */
const isDirty = ({ file, clusterSize }: Image, entry: number, granule: number): boolean => {
  const byte = Math.floor(granule / 8)
  const cluster = word(file, number(file, entry, 8) + 8 * Math.floor(byte / clusterSize))
  const host = offsetIn(cluster)
  return host === 0 ? isSet(cluster, 0) : isSet(BigInt(number(file, host + (byte % clusterSize), 1)), granule % 8)
}

/** What the bitmap of this directory entry says of the whole disk. */
export const dirtyRanges = (image: Image, entry: number): readonly DirtyRange[] => {
  const granularity = granularityOf(image, entry)
  const ranges: DirtyRange[] = []
  for (let granule = 0; granule * granularity < image.size; granule++) {
    const start = granule * granularity
    const dirty = isDirty(image, entry, granule)
    const length = Math.min(granularity, image.size - start)
    const last = ranges.at(-1)
    if (last?.dirty === dirty) ranges[ranges.length - 1] = { ...last, length: last.length + length }
    else ranges.push({ start, length, dirty })
  }
  return ranges
}

/** The bitmaps that can be trusted, in the order of their directory. @see BMP-09 and BMP-10 */
export const bitmapsOf = (image: Image): readonly Bitmap[] =>
  [...directoryOf(image)].flatMap(([name, entry]) => {
    const flags = number(image.file, entry + 12, 4)
    if ((flags & 1) !== 0) return []
    const granularity = granularityOf(image, entry)
    const granules = Array.from({ length: Math.ceil(image.size / granularity) }, (_, i) => i)
    const dirty = new Set(granules.filter((granule) => isDirty(image, entry, granule)))
    return [{ name, granularity, enabled: (flags & 2) === 2, dirty }]
  })
