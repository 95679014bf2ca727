/** From a guest offset to its bytes. */

import { chapter } from './clause.js'

export const read = chapter('Reading', {
  'RD-01': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'A guest offset at or beyond size is out of range. l1_index is guest offset / (l2_entries * cluster size); if ' +
      'it is l1_size or more, or if the L1 entry & 0x00fffffffffffe00 is 0, the range is unallocated, else that is ' +
      'the offset of the L2 table.'
  },
  'RD-02': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'l2_index is (guest offset >> cluster_bits) mod l2_entries. The L2 entry is at table + 8 * l2_index, or at ' +
      'table + 16 * l2_index with extended L2 entries, its bitmap 8 bytes later.'
  },
  'RD-03': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'The bytes of a normal cluster are at (entry & 0x00fffffffffffe00) + (guest offset mod cluster size), in the ' +
      'image file or in the data file.'
  },
  'RD-04': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'L1 and L2 offsets are masked with 0x00fffffffffffe00, refcount table offsets with 0xfffffffffffffe00, bitmap ' +
      'table offsets with 0x00fffffffffffe00. The reserved bits are 0x7f000000000001ff in L1, 0x3f000000000001fe in ' +
      'standard L2, 0x1ff in refcount table and 0xff000000000001fe in bitmap table entries.'
  },
  'RD-05': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'A zero cluster reads as zeros. An unallocated one reads from the backing file at the same guest offset, or as ' +
      'zeros without a backing file.'
  },
  'RD-06': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'With extended L2 entries the subcluster (guest offset mod cluster size) / (cluster size / 32) decides, by ' +
      'SUB-03.'
  },
  'RD-07': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'Bytes beyond the end of a backing file that is shorter than the image read as zeros. A raw backing file of ' +
      '100000 bytes is presented as 100352 bytes, its last sector padded with zeros.'
  },
  'RD-08': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The last guest cluster may be partial: its host cluster is whole, unless the file ends in it, and then the ' +
      'missing bytes read as zeros (GEN-03). No guest read reaches the bytes of that cluster past the end of the ' +
      'disk, which after a shrink may hold old data.'
  },
  'RD-09': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A map reports present, zero, data and an offset per range, and from QEMU 10 on compressed. Data clusters are ' +
      'present and data, with an offset unless compressed, and zero too in a hole of a file in which at least 2, and ' +
      'a ninth, more clusters have a refcount than it has space for; zero clusters are present and zero, with an ' +
      'offset if they keep a host cluster; unallocated ranges without a backing file are zero and not present, with ' +
      'an offset only if the cluster has one. In an encrypted image no range has an offset. Ranges of a backing ' +
      'file have a depth of 1 or more and the offset in that file.'
  }
})
