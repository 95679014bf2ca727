/** The descriptor of a compressed cluster, and what its payload may be. */

import { chapter } from './clause.js'

export const compressed = chapter('Compressed clusters', {
  'CMP-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'A compressed descriptor has bit 62 set and bit 63 clear. With x = 70 - cluster_bits, bits 0 to x - 1 are the ' +
      'host offset in bytes, not aligned, and bits x to 61 the number of additional 512-byte sectors after the one ' +
      'that holds the offset. If x is above 56, the offset bits from 56 on are 0.'
  },
  'CMP-02': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'With e the entry, the offset is e & (2^x - 1), the sector count n = (e >> x) & (2^(cluster_bits - 8) - 1), ' +
      'and the payload starts at the offset and has at most (n + 1) * 512 - (offset & 511) bytes. So n is at most ' +
      '2^(cluster_bits - 8) - 1, the payload at most twice the cluster size, and the offset below 2^min(x, 56).'
  },
  'CMP-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'For a payload of 1 to cluster size - 1 bytes, n = (offset + length - 1) / 512 - offset / 512 in integer ' +
      'division.'
  },
  'CMP-04': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'The payload may end anywhere in its last sector, and the rest of that sector may belong to the next ' +
      'compressed cluster. Decompression stops when it has produced a cluster.'
  },
  'CMP-05': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'A payload may cross from one host cluster into the next, which then follows it in the file. Its last sector ' +
      'may reach beyond the end of the file, and the missing bytes are zeros.'
  },
  'CMP-06': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'A compressed cluster adds 1 to the refcount of every host cluster that its byte range, the offset and the ' +
      'available bytes of CMP-02, intersects. As cluster boundaries are sector boundaries, the exact payload touches ' +
      'the same clusters. Many compressed clusters may add to the refcount of one host cluster.'
  },
  'CMP-07': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'With compression_type 0 the payload is a raw deflate stream (RFC 1951), without a zlib or gzip wrapper; QEMU ' +
      'fails on a zlib header.'
  },
  'CMP-08': {
    level: 'should',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU deflates at the default level with window bits 12, a window of 4 KiB, and memory level 9, one finished ' +
      'stream per cluster. It also reads streams made with a 32 KiB window. A writer keeps distances to 4096, and a ' +
      'reader accepts a window of 32 KiB.'
  },
  'CMP-09': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'Inflating succeeds if and only if it yields exactly a cluster and ends at the end of the stream or out of ' +
      'output. So bytes after the final block are accepted, as is a stream that would yield more; less than a cluster ' +
      'and invalid data are EIO. A stream without a final block fails, since the zeros after it decode as an invalid ' +
      'stored block.'
  },
  'CMP-10': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'With compression_type 1 the payload is zstd frames, magic 28 B5 2F FD, decoded until a cluster is out. ' +
      'Several frames, a leading skippable frame and bytes after the last frame are accepted. A frame that yields ' +
      'more than a cluster, or less in all, is EIO.',
    divergences: [{ on: 'a zstd frame that yields more than a cluster', format: 'accepts', qemu: 'refuses' }]
  },
  'CMP-11': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'A cluster whose payload is not smaller than a cluster is written as a normal cluster.'
  },
  'CMP-12': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'All compressed clusters of an image use the same type. The last, partial guest cluster is compressed as a ' +
      'full cluster padded with zeros.'
  },
  'CMP-13': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'qemu-img refuses compression and encryption together. A compressed payload is never encrypted or decrypted.',
    divergences: [
      {
        on: 'converting to an encrypted image with compression (qemu-img convert -c)',
        format: 'accepts',
        qemu: 'refuses'
      }
    ]
  },
  'CMP-14': {
    level: 'should',
    subject: 'reader',
    source: 'qemu',
    says: 'A cluster that does not decompress reads as EIO, and the corrupt bit is not set.'
  }
})
