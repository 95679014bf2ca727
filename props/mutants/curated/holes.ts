/** Mutants of what asks for holes of files. */
import type { Mutant } from '../mutant.js'

export const holeMutants: readonly Mutant[] = [
  {
    name: 'encrypted clusters in a hole read as zeros',
    file: 'image/guest/chain.ts',
    change: {
      in: 'layerExtents',
      find: '$layer.hasHoles !== true || $layer.disk.encrypted',
      to: '$layer.hasHoles !== true'
    },
    red: 'props/image/guest/holes.test.ts',
    rule: 'encrypted clusters are not zeros in a hole'
  },
  {
    name: 'holes of a raw file are read',
    file: 'image/guest/chain.ts',
    change: {
      in: 'layerExtents',
      find: '$layer.hasHoles === true',
      to: 'false'
    },
    red: 'props/image/guest/holes.test.ts',
    rule: 'a raw file is mapped as its stored parts and its holes, and its holes are not read'
  },
  {
    name: 'a tenth more clusters than have a place are preallocated ones',
    file: 'image/guest/holes.ts',
    change: { in: 'hasPreallocatedClusters', find: 'Math.floor(($stored * 10) / 9)', to: '$stored' },
    red: 'props/image/guest/holes.test.ts',
    rule: 'an image has preallocated clusters if its file takes up less than nine tenths of the clusters in use, and two less'
  },
  {
    name: 'the end of the file is not a hole but stored bytes',
    file: 'node/files/holes.ts',
    change: { in: 'storedFrom', find: '$from.left === noSuchByte', to: 'false' },
    red: 'props/node/holes.test.ts',
    rule: 'the holes of a raw backing file are zeros of that layer'
  },
  {
    name: 'a writer does not ask for the holes of backing files',
    file: 'node/images/image-files.ts',
    change: { in: 'ImageFiles.seekData', find: 'this.below.seekData', to: 'undefined' },
    red: 'props/node/holes.test.ts',
    rule: 'a partial zero write over a hole of the backing file makes a zero cluster'
  },
  {
    name: 'a raw file is written with holes of 4 KiB, whatever their size is to be',
    file: 'node/convert/to-raw.ts',
    change: { in: 'toRaw', find: '$options.sparse === grain', to: '$options.sparse > 0' },
    red: 'props/node/holes.test.ts',
    rule: 'convert -S takes up as many blocks, and maps alike, as with qemu-img',
    byQemu: true
  },
  {
    name: 'fewer zeros than are to be a hole are one',
    file: 'node/convert/clusters.ts',
    change: { in: 'ClusterRuns.dataRuns', find: '$next - $from >= this.sparse', to: 'true' },
    red: 'props/node/clusters.test.ts',
    rule: 'read zeros are a run without bytes from as many on as are given, at multiples of the power of two below'
  }
]
