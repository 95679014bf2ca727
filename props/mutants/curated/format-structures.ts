/** Mutants of src/format: headers, extensions, snapshot tables and bitmaps. */
import type { Mutant } from '../mutant.js'

export const structureMutants: readonly Mutant[] = [
  {
    name: 'a bitmap name may hold a NUL byte',
    file: 'format/bitmap-directory.ts',
    change: { in: 'bitmapRules', find: '$b.name.includes(0)', to: 'false' },
    red: 'props/format/clauses.test.ts',
    rule: 'BMP-17: bitmap entry: a NUL byte in the name'
  },
  {
    name: 'a bitmap in use may have a table of any size',
    file: 'format/bitmap-directory.ts',
    change: { in: 'bitmapRules', find: '$b.bitmapTableSize * 2 ** $clusterBits > maxBitmapData', to: 'false' },
    red: 'props/format/clauses.test.ts',
    rule: 'BMP-12: bitmap entry: a table of 8193 clusters of 64 KiB'
  },
  {
    name: 'a version 2 header is decoded with the fields of version 3',
    file: 'format/header.ts',
    change: { in: 'header', find: 'version === 2', to: 'version === 1' },
    red: 'props/format/header.test.ts',
    rule: 'a version 2 header with any other value in a field it does not have is none'
  },
  {
    name: 'additional header fields are decoded past header_length',
    file: 'format/header.ts',
    change: { in: 'header', find: '$bytes.subarray(fixedSize, lengthOf($fields))', to: '$bytes.subarray(fixedSize)' },
    red: 'props/format/header.test.ts',
    rule: 'an absent compression_type means deflate, whatever bytes are in its place'
  },
  {
    name: 'a header of exactly one cluster is too long',
    file: 'format/header.ts',
    change: { in: 'fitsCluster', find: '$h.headerLength <= 2 ** $h.clusterBits', operator: 'boundary' },
    red: 'props/format/header.test.ts',
    rule: 'a header_length below 104 or past the first cluster covers no additional field'
  },
  {
    name: 'a backing file name that ends exactly at the end of the first cluster is rejected',
    file: 'format/backing.ts',
    change: { in: 'backingRules', find: 'BigInt($h.backingFileSize) > room($h)', operator: 'boundary' },
    red: 'props/format/backing.test.ts',
    rule: 'a name may end exactly at the end of the first cluster'
  },
  {
    name: 'the decoder does not skip the padding of an extension',
    file: 'format/extension-area.ts',
    change: {
      in: 'extensionAt',
      find: '$at + extension.sizeOf($e)',
      to: '$at + extension.sizeOf($e) - $e.padding.length'
    },
    red: 'props/format/extension.test.ts',
    rule: 'an area may end without an end marker: right after a record, or within its padding'
  },
  {
    name: 'the encoder reverses the header extensions',
    file: 'format/extension-area.ts',
    change: {
      in: 'extensionArea',
      find: '$a.extensions.map(($e) => extension.encode($e))',
      to: '$a.extensions.map(($e) => extension.encode($e)).reverse()'
    },
    red: 'props/format/extension.test.ts',
    rule: 'header extension area: what decodes encodes to the same bytes, every bit of them'
  },
  {
    name: 'snapshot table entries are decoded without their alignment',
    file: 'format/snapshot.ts',
    change: { in: 'entryAt', find: '$at + $bare + $size', to: '$at + $bare' },
    red: 'props/format/snapshot.test.ts',
    rule: 'every entry starts at a multiple of 8, and the table ends with the last name, not with padding'
  },
  {
    name: 'the last snapshot table entry is padded to 8 bytes',
    file: 'format/snapshot.ts',
    change: { in: 'entryAt', find: 'if (last) $then', operator: 'condition-false' },
    red: 'props/format/snapshot.test.ts',
    rule: 'snapshot table: whatever is taken for a value encodes and decodes to itself'
  },
  {
    name: 'the size of bitmap data is rounded down to 64 bits',
    file: 'format/bitmap.ts',
    change: { in: 'bitmapTableEntries', find: '$bits + 63n', to: '$bits' },
    red: 'props/format/bitmap.test.ts',
    rule: 'one table entry covers 32 GiB in clusters and granules of 64 KiB'
  }
]
