/** Good images that recipes then patch. Clusters of 4 KiB keep them small, and leave out the feature name table. */

import { fresh, io, snapshots, type Recipe } from '../recipe.js'

/** Makes a recipe out of a good image and the patches that turn it into the one to study. */
export type Patched = (name: string, check: number, title: string, ...patches: readonly string[]) => Recipe

const patched =
  (steps: readonly string[], more: Partial<Recipe> = {}): Patched =>
  (name, check, title, ...patches) => ({
    name,
    title,
    check,
    steps: [...steps, ...patches.map((patch) => `patch img.qcow2 ${patch}`)],
    ...more
  })

/** Clusters: 0 header, 1 refcount table, 2 refcount block, 3 L1 table, 4 L2 table, 5 and 6 data. */
export const plainSteps = [fresh('64k', 'cluster_size=4k'), io('write -P 1 0 8k')]
export const plain = patched(plainSteps)

/** As `plain`, in version 2. */
export const plainV2 = patched([fresh('64k', 'cluster_size=4k,compat=0.10'), io('write -P 1 0 8k')])

/** Two L1 entries, of which the first is in use. */
export const twoTables = patched([fresh('4M', 'cluster_size=4k'), io('write -P 1 0 8k')])

/** Clusters 4 and 5 are zero clusters of guest clusters 0 and 1 that keep their space. */
export const zeroed = patched([fresh('64k', 'cluster_size=4k'), io('write -P 1 0 8k', 'write -z 0 8k')])

/** Two deflated clusters packed into host cluster 5. */
export const deflated = patched([fresh('64k', 'cluster_size=4k'), io('write -c -P 1 0 4k', 'write -c -P 2 4k 4k')])

/** One zstd cluster in host cluster 5. */
export const zstd = patched([fresh('64k', 'cluster_size=4k,compression_type=zstd'), io('write -c -P 1 0 4k')])

/** Extended L2 entries in 16 KiB clusters: one with data in its first subcluster, one of a compressed cluster. */
export const extended = patched([
  fresh('256k', 'cluster_size=16k,extended_l2=on'),
  io('write -P 1 0 512', 'write -c -P 2 16k 16k')
])

const dateless = 'patch img.qcow2 snapshot_table+16 6553f100 00000000'

/** One snapshot, of id 1 and name a, that shares two data clusters. Its entry: 40 bytes, 24 of extra data, id, name. */
const snapshotSteps = [...plainSteps, ...snapshots('a'), dateless]
export const snapshot = patched(snapshotSteps)

/** As `snapshot`, in version 2. */
export const snapshotV2 = patched([
  fresh('64k', 'cluster_size=4k,compat=0.10'),
  io('write -P 1 0 8k'),
  ...snapshots('a'),
  dateless
])

/** Two snapshots; the second entry starts at byte 72 of the table. */
export const twoSnapshots = patched([
  ...snapshotSteps,
  ...snapshots('b'),
  'patch img.qcow2 snapshot_table+88 6553f101 00000000'
])

/** One bitmap, b0, of 16 bits, with one cluster of data. Its directory entry: 24 bytes and the name. */
export const bitmapSteps = [
  fresh('64k', 'cluster_size=4k'),
  'qemu-img bitmap --add img.qcow2 b0',
  io('write -P 1 0 8k')
]
export const bitmap = patched(bitmapSteps)

/** One bitmap without data. */
export const emptyBitmap = patched([fresh('64k', 'cluster_size=4k'), 'qemu-img bitmap --add img.qcow2 b0'])

/** Two bitmaps; the second directory entry starts at byte 32. */
export const twoBitmaps = patched([
  fresh('64k', 'cluster_size=4k'),
  'qemu-img bitmap --add img.qcow2 b0',
  'qemu-img bitmap --add img.qcow2 b1'
])

/** Two clusters in an external data file. */
export const dataFile = patched([fresh('64k', 'cluster_size=4k,data_file=img.raw'), io('write -P 1 0 8k')], {
  companions: ['img.raw']
})

/** The steps that make base.qcow2 the backing file: its name ends with cluster 0. */
export const nameAtEnd: readonly string[] = [
  'patch img.qcow2 4086 626173652e71636f7732',
  'patch img.qcow2 backing_file_offset 0000000000000ff6 0000000a'
]

/** A feature name table entry: type, bit and name. */
export const featureName = (type: string, bit: string, name: string): string => type + bit + name.padEnd(92, '0')

/** A zstd frame of a run of 0xaa: `size` is its length less 256, `block` its length times 8 plus 3, little endian. */
const frame = (size: string, block: string): string => `28b52ffd 60 ${size} ${block} aa`
export const frame2048 = frame('0007', '034000')
export const frame4096 = frame('000f', '038000')
export const frame8192 = frame('001f', '030001')
