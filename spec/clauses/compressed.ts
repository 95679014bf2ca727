/** The descriptor of a compressed cluster, and what its payload may be. */

import { chapter } from './clause.js'

export const compressed = chapter('Compressed clusters', {
  'CMP-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'A compressed descriptor has bit 62 set and bit 63 clear. With x = 70 - cluster_bits, bits 0 to x - 1 are the ' +
      'host offset in bytes, which need not be aligned, and bits x to 61 the number of additional 512-byte sectors ' +
      'after the one that holds the offset. If x is above 56, the offset bits from 56 on are 0.'
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
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'For a payload of 1 to cluster size - 1 bytes, n = (offset + length - 1) / 512 - offset / 512 in integer ' +
      'division.'
  },
  'CMP-04': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'The payload may end anywhere in its last sector, and the rest of that sector may belong to another ' +
      'compressed cluster. Decompression stops when it has produced a cluster.'
  },
  'CMP-05': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'A payload may cross from one host cluster into the next, which then follows it in the file. QEMU ' +
      'accepts a last sector that reaches beyond the end of the file, and reads the missing bytes as zeros.',
    divergences: [
      {
        on: 'a compressed cluster whose final sector reaches past the end of the file',
        format: 'refuses',
        qemu: 'accepts',
        erratum: {
          section: 'Cluster mapping, Compressed Clusters Descriptor, bits x to 61',
          fault: 'The text does not say that the file may end inside the final sector. Files that QEMU writes do.',
          proposal: 'The final sector may extend beyond the end of the image file. The missing bytes are read as zeros.'
        }
      }
    ]
  },
  'CMP-06': {
    level: 'must',
    subject: 'image',
    source: 'qemu',
    says:
      'A compressed cluster adds 1 to the refcount of every host cluster that its byte range touches. The range is that ' +
      'of CMP-02: from the offset to the end of the last sector, whatever the length of the payload. Many compressed ' +
      'clusters may add to the refcount of one host cluster.',
    divergences: [
      {
        on: 'a compressed cluster that is not counted in every host cluster that its sectors touch',
        format: 'accepts',
        qemu: 'reports',
        erratum: {
          section: 'Host cluster management',
          fault: 'The text does not say how compressed clusters, which share host clusters, add to refcounts.',
          proposal:
            'A compressed cluster adds one to the refcount of every host cluster that contains one of its bytes, ' +
            'from its first byte to the end of its final sector.'
        }
      }
    ]
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
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU deflates at the default level with window bits 12, a window of 4 KiB, and memory level 9, one finished ' +
      'stream per cluster, so that no distance is above 4096. It also reads streams made with a window of 32 KiB. ' +
      'This package keeps distances to 4096 and reads such streams too, and its check --deep notes a greater ' +
      'distance.'
  },
  'CMP-09': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'Inflating succeeds if and only if it yields exactly a cluster and ends at the end of the stream or out of ' +
      'output. So bytes after the final block are accepted, as is a stream that would yield more; less than a cluster ' +
      'and invalid data are EIO. After a cluster without a final block decoding goes on: it fails at invalid data, as 5 zero ' +
      'bytes are, a stored block with invalid lengths; it succeeds where a block would yield a byte, the stream ends, or ' +
      'the available bytes end, in a block or its header too.',
    divergences: [
      {
        on: 'a deflate stream that yields a cluster without a final block, with 5 or more zero bytes after it',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Cluster mapping, Compressed Clusters Descriptor, bits x to 61',
          fault:
            'The text says that decompression stops when it has produced a cluster. QEMU goes on to the end of the stream, and ' +
            'fails if the bytes after those of the cluster are no valid block.',
          proposal:
            'With the deflate compression type, the compressed data must be a complete deflate stream, including ' +
            'its final block, that decompresses to one cluster. Bytes after the stream are ignored.'
        }
      }
    ]
  },
  'CMP-10': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'With compression_type 1 the payload is zstd frames, magic 28 B5 2F FD, decoded until a cluster is out and the ' +
      'frame is complete. Several frames, a leading skippable frame and bytes after the last frame are accepted. A ' +
      'frame that yields more than a cluster, or that does not end, and frames that yield less in all are EIO.',
    divergences: [
      {
        on: 'a zstd frame that yields more than a cluster',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Cluster mapping, Compressed Clusters Descriptor, bits x to 61',
          fault:
            'The text says that decompression stops when it has produced a cluster. QEMU requires that a frame ' +
            'ends there.',
          proposal:
            'With the zstd compression type, the compressed data must consist of complete zstd frames that ' +
            'together decompress to exactly one cluster. Bytes after the last frame are ignored.'
        }
      }
    ]
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
    source: 'both',
    says:
      'All compressed clusters of an image use the same type. The last, partial guest cluster is compressed as a full ' +
      'cluster padded with zeros.'
  },
  'CMP-13': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'qemu-img convert -c refuses to create an encrypted image. Into an existing encrypted image QEMU writes ' +
      'compressed clusters without encryption, and reads them so.',
    divergences: [
      {
        on: 'converting to an encrypted image with compression (qemu-img convert -c)',
        format: 'accepts',
        qemu: 'refuses'
      },
      { on: 'a compressed write into an encrypted image, which is not encrypted', format: 'reports', qemu: 'accepts' }
    ]
  },
  'CMP-14': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'In QEMU a cluster that does not decompress reads as EIO, and the corrupt bit is not set.'
  }
})
