/** Commands drawn for an image that may be damaged: of every kind, about what it has. */
import { label } from '../../src/bytes/octets.js'
import type { AnyCommand } from '../../src/transition/command.js'
import type { WritableImage } from '../../src/transition/engine/command-state.js'
import { stamped } from '../arbitrary/script.js'
import type { Random } from '../../src/fuzz/random.js'

/** Most guest bytes that one command writes, and beyond which a disk is not touched. */
const mostBytes = 2 ** 15
const mostReach = 2 ** 24

/** A guest range of whole sectors, mostly at the start or the end of the disk. */
const rangeIn = (size: number, random: Random): { readonly at: number; readonly length: number } => {
  const end = Math.min(size, mostReach)
  const length = Math.min(end, 512 * (1 + random.below(mostBytes >> 9)))
  const free = Math.max(0, end - length)
  const at = [0, free, random.below(free + 1), Math.max(0, size - length)][random.below(4)] ?? 0
  return { at: at - (at % 512), length: random.below(8) === 0 ? Math.min(length, 1 + random.below(1024)) : length }
}

const refcountOrders = [0, 1, 2, 3, 4, 5, 6]
const preallocations = ['off', 'metadata', 'falloc', 'full'] as const

/** The kinds of commands: each from the image and a draw. */
const kinds: readonly ((image: WritableImage, random: Random) => AnyCommand)[] = [
  ...Array.from({ length: 3 }, () => ({ disk }: WritableImage, random: Random): AnyCommand => {
    const { at, length } = rangeIn(disk.size, random)
    return { _tag: 'Write', at, bytes: stamped(random.below(256), at, length) }
  }),
  ({ disk, g }, random) => {
    const size = 2 ** g.clusterBits
    const at = size * random.below(Math.max(1, Math.min(256, Math.ceil(disk.size / size))))
    const length = Math.min(size, Math.max(0, disk.size - at))
    const bytes = random.below(2) === 0 ? new Uint8Array(length).fill(random.below(256)) : stamped(1, at, length)
    return { _tag: 'WriteCompressed', at, bytes }
  },
  ({ disk }, random) => ({ _tag: 'WriteZeroes', ...rangeIn(disk.size, random), unmap: random.below(2) === 0 }),
  ({ disk }, random) => ({ _tag: 'Discard', ...rangeIn(disk.size, random) }),
  // What a raw external data file gains is preallocated, at the cost of its length.
  ({ disk, metadata: { header } }, random) => ({
    _tag: 'Resize',
    size:
      [512 * random.below(64), disk.size + 512 * random.below(256), disk.size * 2, 2 ** random.below(40)][
        random.below(header.autoclearFeatures.rawExternalData ? 2 : 4)
      ] ?? 0
  }),
  ({ disk }, random) => ({
    _tag: 'Resize',
    size: disk.size + 512 * random.below(64),
    preallocation: preallocations[random.below(4)] ?? 'off'
  }),
  (_, random) => ({ _tag: 'SnapshotCreate', name: `new ${random.below(4)}` }),
  ({ metadata: { snapshots } }, random) => ({ _tag: 'SnapshotApply', name: nameIn(snapshots, random) }),
  ({ metadata: { snapshots } }, random) => ({ _tag: 'SnapshotDelete', name: nameIn(snapshots, random) }),
  (_, random) => ({
    _tag: 'BitmapAdd',
    name: `new ${random.below(4)}`,
    granularity: 2 ** (9 + random.below(23)),
    enabled: random.below(2) === 0
  }),
  ({ metadata: { bitmaps } }, random) => ({ _tag: 'BitmapRemove', name: nameIn(bitmaps, random) }),
  ({ metadata: { bitmaps } }, random) => ({ _tag: 'BitmapClear', name: nameIn(bitmaps, random) }),
  ({ metadata: { bitmaps } }, random) => ({
    _tag: random.below(2) === 0 ? 'BitmapEnable' : 'BitmapDisable',
    name: nameIn(bitmaps, random)
  }),
  ({ metadata: { bitmaps } }, random) => ({
    _tag: 'BitmapMerge',
    from: nameIn(bitmaps, random),
    name: nameIn(bitmaps, random)
  }),
  ({ disk, metadata: { bitmaps } }, random) => {
    const { at, length } = rangeIn(disk.size, random)
    return { _tag: 'BitmapMark', name: nameIn(bitmaps, random), ranges: [[at, at + length]] }
  },
  (_, random) => ({ _tag: 'Amend', options: { version: random.below(2) === 0 ? 2 : 3 } }),
  (_, random) => ({ _tag: 'Amend', options: { refcountOrder: refcountOrders[random.below(7)] ?? 4 } }),
  (_, random) => ({ _tag: 'Amend', options: { lazyRefcounts: random.below(2) === 0 } }),
  (_, random) => ({
    _tag: 'Rebase',
    ...(random.below(2) === 0
      ? {}
      : { backing: { name: 'b'.repeat(1 + random.below(1024)), format: 'raw', layers: [] } })
  }),
  () => ({ _tag: 'MakeEmpty' }),
  (_, random) => ({
    _tag: 'WriteVmState',
    position: 512 * random.below(16),
    bytes: stamped(3, 0, 1 + random.below(4096))
  })
]

const nameIn = (all: readonly { readonly name: Uint8Array }[], random: Random): string => {
  const one = all[random.below(all.length)]
  return one === undefined ? 'none' : label(one.name)
}

export const drawnCommand = (image: WritableImage, random: Random): AnyCommand =>
  kinds[random.below(kinds.length)]?.(image, random) ?? { _tag: 'MakeEmpty' }
