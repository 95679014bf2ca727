/** Violations of the format in other readers, each shown by a conformance vector. */
import type { ClauseId } from './clauses/index.js'

/** Programs by their names in `qcow2 conform --reader`. */
export type Program = '7z' | 'libqcow' | 'nbdkit' | 'xen-orchestra'

/** What a reader does that the format forbids, and the image that shows it. */
export interface Violation {
  readonly program: Program
  readonly title: string
  readonly clause: ClauseId
  /** The id of the vector. */
  readonly vector: string
  /** Bytes of the image that decide: where, which in hexadecimal, and what they say. */
  readonly bytes: readonly (readonly [at: number, hex: string, says: string])[]
  /** The command line that shows it, where that of `qcow2 conform --reader` does not. */
  readonly command?: string
}

const unknownBit = [72, '0000000000000020', 'incompatible bit 5, which no version of the format defines.'] as const
const dataFileBit = [72, '0000000000000004', 'incompatible bit 2: guest data lies in the external data file.'] as const
const unknownMethod = [32, '00000003', 'crypt_method 3, where 0, 1 and 2 are defined.'] as const
const wideRefcounts = [96, '00000007', 'refcount_order 7, refcounts of 128 bits, where 6 is the largest.'] as const
const zeroOverData = [2048, '8000000000000a01', 'an L2 entry with the zero flag and the host offset 2560.'] as const
const secondCluster = [2056, '8000000000000c00', 'the next one, without the flag.'] as const

/** The violations, by program. */
export const violations: readonly Violation[] = [
  {
    program: '7z',
    title: 'An unknown incompatible feature is accepted',
    clause: 'FEAT-01',
    vector: 'incompatible-bit-5',
    bytes: [unknownBit]
  },
  {
    program: '7z',
    title: 'Metadata is read as guest data where the data is in another file',
    clause: 'DATA-01',
    vector: 'case-37-data-file',
    bytes: [
      dataFileBit,
      [262168, '8000000000030000', 'the L2 entry of guest byte 196608, whose data is at byte 196608 of img.raw.'],
      [196608, '8000000000040000', 'the L1 table, which is at that offset of the image itself.']
    ]
  },
  {
    program: '7z',
    title: 'Data is read as zeros beside an entry that has COPIED alone',
    clause: 'L2-06',
    vector: 'broken-l2-copied-alone',
    bytes: [
      [16384, '8000000000005000', 'the L2 entry of guest byte 0, whose data is at byte 20480.'],
      [20480, '0101010101010101', 'that data.'],
      [16400, '8000000000000000', 'the L2 entry of guest byte 8192: COPIED, and offset 0, so that it is unallocated.']
    ]
  },
  {
    program: '7z',
    title: 'An L1 table that does not cover the disk is accepted',
    clause: 'OPEN-22',
    vector: 'l1-size-1',
    bytes: [
      [24, '0000000000020000', 'a disk of 131072 bytes.'],
      [36, '00000001', 'one L1 entry, for 32768 bytes at clusters of 512 bytes.']
    ]
  },
  {
    program: '7z',
    title: 'An unaligned L1 table is accepted',
    clause: 'OPEN-20',
    vector: 'l1-unaligned',
    bytes: [[40, '0000000000000608', 'l1_table_offset 1544, in clusters of 512 bytes.']]
  },
  {
    program: '7z',
    title: 'Refcounts of 128 bits are accepted',
    clause: 'OPEN-12',
    vector: 'refcount-order-7',
    bytes: [wideRefcounts]
  },
  {
    program: 'libqcow',
    title: 'The zero flag is ignored',
    clause: 'L2-03',
    vector: 'zero-flag-over-data',
    bytes: [zeroOverData, secondCluster]
  },
  {
    program: 'libqcow',
    title: 'An unknown compression type is accepted',
    clause: 'OPEN-07',
    vector: 'compression-type-2',
    bytes: [[104, '02', 'compression_type 2, where 0 and 1 are defined.']]
  },
  {
    program: 'libqcow',
    title: 'An unknown encryption method is accepted',
    clause: 'OPEN-23',
    vector: 'crypt-method-3',
    bytes: [unknownMethod]
  },
  {
    program: 'libqcow',
    title: 'An unaligned L2 table is read',
    clause: 'L1-05',
    vector: 'l2-table-unaligned',
    bytes: [[12288, '8000000000004200', 'an L1 entry with the L2 table at byte 16896, in clusters of 4096 bytes.']]
  },
  {
    program: 'libqcow',
    title: 'Refcounts of 128 bits are accepted',
    clause: 'OPEN-12',
    vector: 'refcount-order-7',
    bytes: [wideRefcounts]
  },
  {
    program: 'nbdkit',
    title: 'The server aborts when a client asks which ranges are allocated',
    clause: 'RD-09',
    vector: 'clusters-65536',
    bytes: [[262144, '8000000000050000', 'the first L2 entry: a normal cluster at byte 327680 of a sound image.']],
    command: `nbdkit -r -U nbd.sock --filter=qcow2dec file {image} --run 'qemu-img convert -f raw -O raw "$uri" {out}'`
  },
  {
    program: 'xen-orchestra',
    title: 'Payloads of compressed clusters are read as guest data',
    clause: 'CMP-07',
    vector: 'deflate-64k',
    bytes: [[262144, '46c0000000050000', 'an L2 entry with the compressed flag, bit 62, and a payload at byte 327680.']]
  },
  {
    program: 'xen-orchestra',
    title: 'The zero flag is ignored',
    clause: 'L2-03',
    vector: 'zero-flag-over-data',
    bytes: [zeroOverData, secondCluster]
  },
  {
    program: 'xen-orchestra',
    title: 'The external data file is ignored',
    clause: 'DATA-01',
    vector: 'data-file',
    bytes: [dataFileBit]
  },
  {
    program: 'xen-orchestra',
    title: 'An unknown incompatible feature is accepted',
    clause: 'FEAT-01',
    vector: 'incompatible-bit-5',
    bytes: [unknownBit]
  },
  {
    program: 'xen-orchestra',
    title: 'An unknown encryption method is accepted',
    clause: 'OPEN-23',
    vector: 'crypt-method-3',
    bytes: [unknownMethod]
  },
  {
    program: 'xen-orchestra',
    title: 'A file without the magic is accepted',
    clause: 'OPEN-01',
    vector: 'magic',
    bytes: [[0, '514649fa', 'where every qcow2 image has 514649fb.']]
  },
  {
    program: 'xen-orchestra',
    title: 'An unknown version is accepted',
    clause: 'OPEN-02',
    vector: 'version-4',
    bytes: [[4, '00000004', 'version 4, where 2 and 3 are defined.']]
  }
]
