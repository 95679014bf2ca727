/** Every cluster size with every refcount width, both codecs, plain and extended L2 entries, and version 2. */

import { fresh, io, snapshots, type Recipe } from '../recipe.js'

interface Geometry {
  readonly clusterBits: number
  readonly width: number
  readonly version: 'v2' | 'v3'
  readonly codec: 'zlib' | 'zstd'
  readonly extended: boolean
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

const size = (bytes: number): string => {
  if (bytes === 0) return '0'
  if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20}M`
  return bytes % 2 ** 10 === 0 ? `${bytes / 2 ** 10}k` : `${bytes}`
}

/** Clusters of every type, at most eight, and a snapshot: of the data, or before it where no cluster can be shared. */
const recipe = ({ clusterBits, width, version, codec, extended }: Geometry): Recipe => {
  const cluster = 2 ** clusterBits
  const options = [
    `cluster_size=${size(cluster)}`,
    ...(version === 'v2' ? ['compat=0.10'] : [`refcount_bits=${width},compression_type=${codec}`]),
    ...(extended ? ['extended_l2=on'] : [])
  ]
  const lastLength = (clusterBits + width) % 2 === 0 && cluster > 512 ? 0.5 : 1
  const at = (index: number, length = 1): string => `${size(index * cluster)} ${size(length * cluster)}`
  // Two compressed clusters share a host cluster. With a snapshot of both it would count 4, more than 2 bits hold.
  const packed = `write -c -P 3 ${at(3)}`
  const data = io(
    `write -P 1 ${at(0)}`,
    `write -P 2 ${at(1.25, 0.5)}`,
    `write -c -s text ${at(2)}`,
    ...(width === 2 ? [] : [packed]),
    `write -P 4 ${at(5)}`,
    `write -z -u ${at(5)}`,
    `write -P 5 ${at(7, lastLength)}`,
    `write -z ${at(7, lastLength)}`
  )
  // The date a snapshot carries is set to a fixed moment, so that the image is the same whenever it is made.
  const snapshot = [...snapshots('before'), 'patch img.qcow2 snapshot_table+16 6553f100 00000000']
  const later = io(
    `write -P 6 ${at(0.5, 0.25)}`,
    ...(extended ? [`write -z ${at(1.5, 1 / 32)}`] : []),
    width === 2 ? packed : `write -P 7 ${at(3, 0.5)}`
  )
  return {
    name: ['matrix', size(cluster).toLowerCase(), `w${width}`, version, codec, ...(extended ? ['ext'] : [])].join('-'),
    title: [
      `clusters of ${cluster} bytes`,
      `refcounts of ${width} bits`,
      codec === 'zlib' ? 'deflate' : codec,
      `${extended ? 'extended ' : ''}L2 entries`,
      `version ${version.slice(1)}`
    ].join(', '),
    check: 0,
    steps: [
      fresh(size((7 + lastLength) * cluster), options.join(',')),
      `text text ${size(Math.min(cluster, 8192))}`,
      `truncate text ${size(cluster)}`,
      ...(width === 1 ? [...snapshot, data] : [data, ...snapshot]),
      later
    ]
  }
}

export const matrix: readonly Recipe[] = range(9, 21).flatMap((clusterBits) => [
  recipe({ clusterBits, width: 16, version: 'v2', codec: 'zlib', extended: false }),
  ...range(0, 6).flatMap((order) =>
    (['zlib', 'zstd'] as const).flatMap((codec) =>
      (clusterBits < 14 ? [false] : [false, true]).map((extended) =>
        recipe({ clusterBits, width: 2 ** order, version: 'v3', codec, extended })
      )
    )
  )
])
