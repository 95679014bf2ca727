/** Faults of the byte codecs and of the format: those that other programs have had, and those that only agree with themselves. */
import type { Mutant } from './mutant.js'

const shift = '(i * width) & 7'
const reversed = (order: number): string => `(order === ${order} ? 8 - width - ((i * width) & 7) : (i * width) & 7)`

/** Counts read and written from the most significant bit on: a round trip does not notice. */
const reversedCounts = [0, 1, 2].map((order): Mutant => ({
  name: `counts of ${2 ** order} bits stand most significant bits first`,
  file: 'format/refcount.js',
  edits: [
    [`>> (${shift})) & ((1 << width) - 1))`, `>> ${reversed(order)}) & ((1 << width) - 1))`],
    [`const shift = ${shift};`, `const shift = ${reversed(order)};`]
  ],
  red: 'props/format/refcount.test.ts',
  rule: 'a count below 8 bits is found from the least significant bit on, a wider one is big-endian'
}))

const words: readonly Mutant[] = [
  {
    name: 'the offset in an L1 entry is one bit too short',
    file: 'format/l1.js',
    edits: [["masked(9, 55, 'l2_table_offset'", "masked(9, 54, 'l2_table_offset'"]],
    red: 'props/format/l1.test.ts',
    rule: 'bits 9 to 55 are the offset of the L2 table, bit 63 is COPIED, and all others are reserved'
  },
  {
    name: 'the offset in a refcount table entry ends where that of an L2 entry does',
    file: 'format/refcount.js',
    edits: [["masked(9, 63, 'refcount_block_offset'", "masked(9, 55, 'refcount_block_offset'"]],
    red: 'props/format/refcount.test.ts',
    rule: 'bits 9 to 63 of a table entry are the offset of the block, and the others are reserved'
  },
  {
    name: 'a view keeps a reserved bit in the offset',
    file: 'format/views.js',
    edits: [['(hi & 0x00ff_ffff) * 0x1_0000_0000 +', '(hi & 0x01ff_ffff) * 0x1_0000_0000 +']],
    red: 'props/format/views.test.ts',
    rule: 'an L1 view is the entry codec at every index'
  },
  {
    name: 'the extended L2 bit is the bit after it',
    file: 'format/feature.js',
    edits: [["flag(4, 'extended_l2'", "flag(5, 'extended_l2'"]],
    red: 'props/format/feature.test.ts',
    rule: 'incompatible: each known bit is the flag of its name, and every other one is reserved'
  },
  {
    name: 'reserved bits are dropped on encoding',
    file: 'bytes/bits.js',
    edits: [['let word = a.reserved;', 'let word = 0n;']],
    red: 'props/format/l1.test.ts',
    rule: 'an entry is read as it is: reserved bits do not change the offset, and are kept'
  },
  {
    name: 'a 64-bit number goes through a double',
    file: 'bytes/leaf.js',
    edits: [
      ['get: (v, at) => v.getBigUint64(at),', 'get: (v, at) => BigInt.asUintN(64, BigInt(Number(v.getBigUint64(at)))),']
    ],
    red: 'props/format/snapshot.test.ts',
    rule: 'an icount is there if 24 bytes of extra data hold one that is not all ones'
  },
  {
    name: 'counts of 16 bits are little-endian',
    file: 'format/refcount.js',
    edits: [
      ['view.getUint16(2 * i)', 'view.getUint16(2 * i, true)'],
      ['view.setUint16(2 * i, Number(count))', 'view.setUint16(2 * i, Number(count), true)']
    ],
    red: 'props/format/refcount.test.ts',
    rule: 'counts of 16 bits: 1, 65534 are 0001fffe'
  }
]

const clusters: readonly Mutant[] = [
  {
    name: 'a compressed descriptor is cut one bit too high',
    file: 'format/compressed.js',
    edits: [['=> 70 - clusterBits;', '=> 71 - clusterBits;']],
    red: 'props/format/compressed.test.ts',
    rule: 'cluster_bits 21: 49 bits of offset, 13 of sectors, at most 4194304 bytes'
  },
  {
    name: 'the sector of the first byte is not counted',
    file: 'format/compressed.js',
    edits: [['(r.additionalSectors + 1) * sectorSize', 'r.additionalSectors * sectorSize']],
    red: 'props/format/compressed.test.ts',
    rule: 'cluster_bits 21: 49 bits of offset, 13 of sectors, at most 4194304 bytes'
  },
  {
    name: 'the sectors of a payload do not depend on where in a sector it starts',
    file: 'format/compressed.js',
    edits: [['(hostOffset + BigInt(length) - 1n) / sector - hostOffset / sector', '(BigInt(length) - 1n) / sector']],
    red: 'props/format/compressed.test.ts',
    rule: 'the sectors of a payload are those between its first and its last byte'
  },
  {
    name: 'the zero flag is looked at before the compressed flag',
    file: 'format/l2.js',
    edits: [['if ((word & compressedFlag) === 0n)', 'if ((word & compressedFlag) === 0n || (word & 1n) !== 0n)']],
    red: 'props/format/l2.test.ts',
    rule: 'the type of an entry is the first whose test holds: compressed, zero, unallocated, normal'
  },
  {
    name: 'the two halves of a subcluster bitmap change places',
    file: 'format/l2.js',
    edits: [
      [
        'allocated: view.getUint32(12), zeros: view.getUint32(8)',
        'allocated: view.getUint32(8), zeros: view.getUint32(12)'
      ],
      ['view.setUint32(8, e.subclusters.zeros)', 'view.setUint32(12, e.subclusters.zeros)'],
      ['view.setUint32(12, e.subclusters.allocated)', 'view.setUint32(8, e.subclusters.allocated)']
    ],
    red: 'props/format/l2.test.ts',
    rule: 'the first four bytes of a subcluster bitmap are the zero half, the last four the allocation half'
  },
  {
    name: 'a subcluster with both bits set is data',
    file: 'format/subcluster.js',
    edits: [['zeros || !placed', '!placed']],
    red: 'props/format/subcluster.test.ts',
    rule: '8000000000050000 with zero bit 1 and allocation bit 1: invalid'
  }
]

const runs: readonly Mutant[] = [
  {
    name: 'offset 0 of an external data file is taken for no cluster',
    file: 'format/views.js',
    edits: [['const step = placed ?', 'const step = this.hostClusterOffset(i) !== 0 ?']],
    red: 'props/format/views.test.ts',
    rule: 'in an external data file offset 0 is a host cluster, and the next one follows it'
  }
]

const headers: readonly Mutant[] = [
  {
    name: 'a version 2 header is read with the fields of version 3',
    file: 'format/header.js',
    edits: [['if (view.getUint32(4) === 2)', 'if (view.getUint32(4) === 1)']],
    red: 'props/format/header.test.ts',
    rule: 'a version 2 header with any other value in a field it does not have is none'
  },
  {
    name: 'additional fields are read past header_length',
    file: 'format/header.js',
    edits: [['bytes.subarray(fixedSize, lengthOf(fields))', 'bytes.subarray(fixedSize)']],
    red: 'props/format/header.test.ts',
    rule: 'an absent compression_type means deflate, whatever stands in its place'
  },
  {
    name: 'a header of exactly a cluster is taken for too long',
    file: 'format/header.js',
    edits: [['h.headerLength <= 1 << h.clusterBits', 'h.headerLength < 1 << h.clusterBits']],
    red: 'props/format/header.test.ts',
    rule: 'a header_length below 104 or past the first cluster covers no additional field'
  },
  {
    name: 'a field that ends exactly where its structure does is absent',
    file: 'bytes/growing.js',
    edits: [['p.at + p.row.as.size > bytes.length', 'p.at + p.row.as.size >= bytes.length']],
    red: 'props/format/snapshot.test.ts',
    rule: 'an icount is there if 24 bytes of extra data hold one that is not all ones'
  },
  {
    name: 'unknown bytes behind the known fields are dropped on encoding',
    file: 'bytes/growing.js',
    edits: [['bytes.set(a.rest, end);', '']],
    red: 'props/format/header.test.ts',
    rule: 'a header_length below 104 or past the first cluster covers no additional field'
  },
  {
    name: 'a name that ends exactly at the end of the cluster is refused',
    file: 'format/backing.js',
    edits: [['BigInt(h.backingFileSize) <= left', 'BigInt(h.backingFileSize) < left']],
    red: 'props/format/backing.test.ts',
    rule: 'a name may end exactly at the end of the first cluster'
  },
  {
    name: 'a limit is one too low',
    file: 'bytes/rule.js',
    edits: [['n <= a.max', 'n < a.max']],
    red: 'props/format/clauses.test.ts',
    rule: 'BMP-02: bitmap entry: granularity_bits 64'
  }
]

const areas: readonly Mutant[] = [
  {
    name: 'the padding of an extension is not skipped',
    file: 'format/extension-area.js',
    edits: [['next: at + extension.sizeOf(e)', 'next: at + extension.sizeOf(e) - e.padding.length']],
    red: 'props/format/extension.test.ts',
    rule: 'an area may end without an end marker: exactly behind a record, or within its padding'
  },
  {
    name: 'the extension area ends with the cluster, past the backing file name',
    file: 'image/metadata.js',
    edits: [['Math.max(h.headerLength, Math.min(backing, size))', 'Math.max(h.headerLength, size)']],
    red: 'props/format/extension.test.ts',
    rule: 'the area ends at the backing file name, or at the end of the first cluster without one'
  },
  {
    name: 'an extension may run past the end of its area',
    file: 'bytes/entry.js',
    edits: [['if (own.length < length || E.isLeft(value))', 'if (E.isLeft(value))']],
    red: 'props/format/extension.test.ts',
    rule: 'a length past the end of the area is refused before anything is made for it'
  },
  {
    name: 'extensions are written in reverse',
    file: 'format/extension-area.js',
    edits: [['a.extensions.map((e) => extension.encode(e))', 'a.extensions.map((e) => extension.encode(e)).reverse()']],
    red: 'props/format/extension.test.ts',
    rule: 'header extension area: what decodes encodes to the same bytes, every bit of them'
  },
  {
    name: 'padding is zeroed on encoding',
    file: 'bytes/entry.js',
    edits: [['bytes.set(a.padding, at);', '']],
    red: 'props/format/extension.test.ts',
    rule: 'header extension: what encodes decodes to the same value'
  },
  {
    name: 'a decoded string shares the memory of a Node Buffer',
    file: 'bytes/octets.js',
    edits: [['new Uint8Array(bytes.subarray(from, from + length))', 'bytes.slice(from, from + length)']],
    red: 'props/format/extension.test.ts',
    rule: 'record: a value stays as it is when its bytes change, even those of a Node Buffer'
  },
  {
    name: 'an issue keeps the offset it has within its structure',
    file: 'bytes/byte-type.js',
    edits: [['shift(at)(errors.filter(isIssue))', 'shift(0)(errors.filter(isIssue))']],
    red: 'props/format/extension.test.ts',
    rule: 'bitmaps extension: an issue moves with its structure'
  }
]

const lists: readonly Mutant[] = [
  {
    name: 'snapshot table entries are read back to back',
    file: 'format/snapshot.js',
    edits: [['next: at + bare + toEight(bare)', 'next: at + bare']],
    red: 'props/format/snapshot.test.ts',
    rule: 'every entry starts at a multiple of 8, and the table ends with the last name, not with padding'
  },
  {
    name: 'the last snapshot table entry is padded like the others',
    file: 'format/snapshot.js',
    edits: [['if (last)', 'if (false)']],
    red: 'props/format/snapshot.test.ts',
    rule: 'snapshot table: whatever is taken for a value encodes and decodes to itself'
  },
  {
    name: 'bitmap bits stand most significant first',
    file: 'bytes/octets.js',
    edits: [
      ['>>> (i & 7)) & 1) === 1', '>>> (7 - (i & 7))) & 1) === 1'],
      ['| (1 << (i & 7))', '| (1 << (7 - (i & 7)))']
    ],
    red: 'props/format/bitmap.test.ts',
    rule: 'bit b is bit b mod 8 of byte b div 8, 0 being the least significant'
  },
  {
    name: 'the last bits of a bitmap, fewer than a word, need no room',
    file: 'format/bitmap.js',
    edits: [['+ 63n) / 64n) * 8n', ') / 64n) * 8n']],
    red: 'props/format/bitmap.test.ts',
    rule: 'one table entry covers 32 GiB in clusters and granules of 64 KiB'
  },
  {
    name: 'a number of more than 53 bits is a JSON number',
    file: 'bytes/json.js',
    edits: [['a <= Number.MAX_SAFE_INTEGER', 'a <= 0xffffffffffffffffn']],
    red: 'props/format/json.test.ts',
    rule: 'a number is a number as long as a double holds it, and a decimal string beyond'
  }
]

/** Faults of src/bytes and src/format. */
export const formatMutants: readonly Mutant[] = [
  ...reversedCounts,
  ...words,
  ...clusters,
  ...runs,
  ...headers,
  ...areas,
  ...lists
]
