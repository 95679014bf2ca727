/** The reference map: where the guest bytes of a disk are, as `qemu-img map` prints it. */
import * as E from 'fp-ts/lib/Either.js'
import { type Disk, sizeOf } from './image.js'
import { partsOf, type Read } from './reader.js'

/** An entry of a map, with qemu-img's keys. @see RD-09 */
export interface MapEntry {
  readonly start: number
  readonly length: number
  readonly depth: number
  readonly present: boolean
  readonly zero: boolean
  readonly data: boolean
  readonly offset?: number
}

const goesOn = (a: MapEntry, b: MapEntry): boolean =>
  (['depth', 'present', 'zero', 'data'] as const).every((key) => a[key] === b[key]) &&
  (a.offset === undefined ? b.offset === undefined : a.offset + a.length === b.offset)

/** Merges an entry with the previous one where it continues it. */
export const joined = (entries: readonly MapEntry[]): readonly MapEntry[] => {
  const out: MapEntry[] = []
  for (const entry of entries) {
    const last = out.at(-1)
    if (last === undefined || !goesOn(last, entry)) out.push(entry)
    else out[out.length - 1] = { ...last, length: last.length + entry.length }
  }
  return out
}

/** The map of guest bytes of a disk `depth` files down; not joined. */
const extents = (disk: Disk, from: number, to: number, depth: number): Read<readonly MapEntry[]> => {
  if (!('file' in disk)) {
    const end = Math.max(from, Math.min(to, disk.length))
    const file = { start: from, length: end - from, depth, present: true, zero: false, data: true, offset: from }
    const behind = { ...file, start: end, length: to - end, zero: true, data: false, offset: end }
    return E.right([file, behind].filter(({ length }) => length > 0))
  }
  const { backing, clusterSize, cryptMethod } = disk
  const out: MapEntry[] = []
  for (let cluster = Math.floor(from / clusterSize); cluster * clusterSize < to; cluster++) {
    const parts = partsOf(disk, disk.l1, cluster)
    if (E.isLeft(parts)) return parts
    for (const { kind, host, ...part } of parts.right) {
      let start = Math.max(from, part.start)
      const end = Math.min(to, part.start + part.length)
      if (kind === 'unallocated' && backing !== undefined && start < Math.min(end, sizeOf(backing))) {
        const below = extents(backing, start, Math.min(end, sizeOf(backing)), depth + 1)
        if (E.isLeft(below)) return below
        out.push(...below.right)
        start = Math.min(end, sizeOf(backing))
      }
      const data = kind === 'data' || kind === 'compressed'
      const isPlain = kind !== 'compressed' && cryptMethod === 0
      const offset = host !== undefined && isPlain ? { offset: host + start - part.start } : {}
      const length = end - start
      if (length > 0) out.push({ start, length, depth, present: kind !== 'unallocated', zero: !data, data, ...offset })
    }
  }
  return E.right(out)
}

/** The map of a disk. Without bytes it has one entry, without bytes. */
export const mapOf = (disk: Disk): Read<readonly MapEntry[]> =>
  sizeOf(disk) === 0
    ? E.right([{ start: 0, length: 0, depth: 0, present: false, zero: false, data: false }])
    : E.map(joined)(extents(disk, 0, sizeOf(disk), 0))
