/** What the file and the guest disk are made of. */

import { chapter } from './clause.js'

export const general = chapter('General', {
  'GEN-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The file is an array of host clusters of 2^cluster_bits bytes, and the guest disk an array of guest clusters ' +
      'of the same size. The cluster is the unit of every allocation, of data and of metadata.'
  },
  'GEN-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Cluster 0 holds the header. A contiguous refcount table points to refcount blocks of one cluster each, and a ' +
      'contiguous active L1 table to L2 tables of one cluster each, which point to data clusters. A snapshot table, ' +
      'snapshot L1 tables, a bitmap directory, bitmap tables, bitmap data and a LUKS area are optional.'
  },
  'GEN-03': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'The file length need not be a multiple of the cluster size: every structure is read as if zeros followed the ' +
      'end of the file. A fresh image of 1 GiB with 64 KiB clusters is 196624 bytes long, three clusters and the 16 ' +
      'bytes of its two L1 entries.',
    divergences: [
      {
        on: 'a table or a cluster inside which the file ends',
        format: 'refuses',
        qemu: 'accepts',
        erratum: {
          section: 'the introduction (General in qcow2.txt)',
          fault: 'The text does not say that the file may end inside a cluster. Files that QEMU writes do.',
          proposal:
            'The length of the image file need not be a multiple of the cluster size. Where a structure extends ' +
            'beyond the end of the file, the missing bytes are read as zeros.'
        }
      }
    ]
  },
  'GEN-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A new image has the header in cluster 0, a refcount table of one cluster in cluster 1, the first refcount ' +
      'block in cluster 2 and the L1 table from cluster 3 on; at size 0 there is no L1 table, and l1_table_offset ' +
      'and l1_size are 0. An L1 table that is larger than what a refcount table of one cluster covers enlarges the ' +
      'refcount table and moves it after the L1 table. Without a data file, preallocation falloc or full moves it ' +
      'there too, and makes cluster 1 the first L2 table.'
  },
  'GEN-05': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'An image that opens may have tables past the end of the file, and tables that overlap: QEMU tests neither at ' +
      'open. Its check reports a table that ends a cluster or more past the end of the file (CHK-02), and an overlap ' +
      'only with a refcount block (CHK-04) or where a refcount differs from the number of references. Before a write the ' +
      'overlap check (INT-20) finds an overlap of what is written.'
  },
  'GEN-06': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'All numbers are big-endian: the byte at the lowest offset is the most significant one.'
  }
})
