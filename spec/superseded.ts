/** Statements of older texts about qcow2 that no longer hold, and the clauses that replace them. */
import type { ClauseId } from './clauses/index.js'

/** A statement of an older text, what holds now, and the clause that says so. */
export interface Superseded {
  readonly said: string
  readonly now: string
  readonly clause: ClauseId
}

/** A text, and where it was read. */
export interface OlderText {
  readonly title: string
  readonly by: string
  /** A day, or what is known of the date. */
  readonly date: string
  readonly at: string
  readonly statements: readonly Superseded[]
}

/** The texts, oldest first. */
export const olderTexts: readonly OlderText[] = [
  {
    title: '[PATCH] Add qcow2 documentation',
    by: 'Kevin Wolf, qemu-devel',
    date: '2011-03-08',
    at: 'https://lore-kernel.gnuweeb.org/qemu-devel/AANLkTinjMFoBXtxLaQobVRmq7EkOpiM_Dt0R8NQwcWmf@mail.gmail.com/T',
    statements: [
      { said: 'The only valid version is 2.', now: 'The versions are 2 and 3.', clause: 'OPEN-02' },
      {
        said: 'cluster_bits has no least value.',
        now: 'cluster_bits is at least 9.',
        clause: 'OPEN-03'
      }
    ]
  },
  {
    title: '[RFC,v2] Specification for qcow2 version 3',
    by: 'Kevin Wolf, qemu-devel',
    date: '2011-06-27',
    at: 'http://patchwork.ozlabs.org/patch/102199/',
    statements: [
      {
        said: 'Subclusters have a size of their own, such as 64 KiB in clusters of 2 MiB.',
        now: 'A cluster has 32 subclusters in an image with extended L2 entries, and none in any other.',
        clause: 'SUB-01'
      }
    ]
  },
  {
    title: '[PATCH 18/19] [RFC] Possible qcow2 specification extensions',
    by: 'Kevin Wolf, qemu-devel, with what the first draft of version 3 had',
    date: '2012-04-12',
    at: 'http://lists.endsoftwarepatents.org/archive/html/qemu-devel/2012-04/msg01482.html',
    statements: [
      { said: 'Incompatible bit 1 enables subclusters.', now: 'Bit 1 is the corrupt bit.', clause: 'FEAT-05' },
      {
        said: 'Incompatible bits 2 to 63 are reserved.',
        now: 'Bits 2 to 4 are the external data file, the compression type and extended L2 entries.',
        clause: 'FEAT-01'
      },
      {
        said: 'An L1 entry might get a dirty flag of its L2 table.',
        now: 'The bits of an L1 entry beside the offset and COPIED are reserved. The dirty bit is one of the image.',
        clause: 'L1-01'
      },
      {
        said: 'A refcount table entry might get a flag for a full refcount block.',
        now: 'The bits of a refcount table entry beside the offset are reserved.',
        clause: 'REF-04'
      }
    ]
  },
  {
    title: 'docs/specs/qcow2.txt of QEMU at commit 003f8dbc08',
    by: 'QEMU',
    date: 'after the corrupt bit, and before the bitmaps of February 2016',
    at: 'https://github.com/qemu/qemu/blob/003f8dbc8e09962f5d82f581b644b5fbc916bbb4/docs/specs/qcow2.txt',
    statements: [
      {
        said: 'Autoclear bits 0 to 63 are reserved.',
        now: 'Bit 0 is the bitmaps bit, and bit 1 the raw external data bit.',
        clause: 'FEAT-03'
      },
      {
        said: 'refcount_block_entries = cluster_size / sizeof(uint16_t).',
        now: 'A refcount block has cluster_size * 8 / refcount_bits entries.',
        clause: 'REF-03'
      },
      {
        said: 'l2_entries = cluster_size / sizeof(uint64_t).',
        now: 'With extended L2 entries an L2 table has cluster_size / 16 entries.',
        clause: 'SUB-01'
      },
      {
        said: 'Bits 0 to x of a compressed descriptor are the host offset, with x = 62 - (cluster_bits - 8).',
        now: 'Bits 0 to x - 1 are the host offset.',
        clause: 'CMP-01'
      },
      {
        said: 'Bits x + 1 to 61 of a compressed descriptor are the compressed size in sectors of 512 bytes.',
        now: 'Bits x to 61 are the number of sectors after the one that holds the first byte.',
        clause: 'CMP-02'
      },
      {
        said: 'Bit 63 of an L2 entry is 1 if the refcount is exactly one, for compressed clusters too.',
        now: 'Bit 63 of a compressed descriptor is 0.',
        clause: 'CMP-01'
      },
      {
        said: 'A standard cluster with offset 0 is unallocated.',
        now: 'With an external data file it is allocated if bit 63 is set.',
        clause: 'DATA-03'
      },
      {
        said: 'Bit 0 of a standard descriptor is the zero flag in every image of version 3.',
        now: 'With extended L2 entries bit 0 is reserved, and subclusters read as zeros by the bitmap.',
        clause: 'SUB-02'
      },
      { said: 'crypt_method is 0 or 1.', now: 'crypt_method 2 is LUKS.', clause: 'LUKS-02' }
    ]
  },
  {
    title: 'An early draft of dirty bitmaps in qcow2',
    by: 'Vladimir Sementsov-Ogievskiy, qemu-devel',
    date: 'before the version of 2015-06-08; the page that was read has no date',
    at: 'https://www.mail-archive.com/qemu-devel@nongnu.org/msg273765.html',
    statements: [
      {
        said: 'nb_dirty_bitmaps is at bytes 104 to 107 of the header.',
        now: 'Byte 104 of the header is compression_type.',
        clause: 'HDR-04'
      },
      {
        said: 'dirty_bitmaps_offset is at bytes 108 to 115 of the header.',
        now: 'The bitmaps extension has the offset of the bitmap directory. Bytes 105 to 111 are padding.',
        clause: 'BMP-01'
      },
      {
        said: 'A bitmap is mapped by an L1 table.',
        now: 'A bitmap has a bitmap table, in whose entries bit 0 stands for a cluster of ones.',
        clause: 'BMP-05'
      },
      {
        said: 'A qcow2 file may hold bitmaps of other drives, and have a disk of size 0.',
        now: 'A bitmap has the size of the disk in its image.',
        clause: 'BMP-07'
      }
    ]
  },
  {
    title: 'spec: add qcow2-dirty-bitmaps specification, as Eric Blake quotes it',
    by: 'Vladimir Sementsov-Ogievskiy, qemu-devel',
    date: '2015-06-08',
    at: 'https://yhbt.net/lore/all/55E4D370.4000904@redhat.com/1-a.txt',
    statements: [
      {
        said: 'The extension has 12 bytes: nb_dirty_bitmaps at 0, dirty_bitmaps_offset at 4.',
        now: 'The extension has 24 bytes: nb_bitmaps, a reserved word, and the size and offset of the bitmap directory.',
        clause: 'EXT-10'
      }
    ]
  },
  {
    title: '[v9] spec: add qcow2 bitmaps extension specification, its list of changes',
    by: 'Vladimir Sementsov-Ogievskiy, qemu-devel',
    date: '2016-02-02',
    at: 'https://patchwork.kernel.org/project/qemu-devel/patch/1454394900-3586-1-git-send-email-vsementsov@virtuozzo.com',
    statements: [
      {
        said: 'Before its version 8, bitmap_directory_size has 4 bytes.',
        now: 'bitmap_directory_size has 8 bytes.',
        clause: 'BMP-01'
      },
      {
        said: 'Before its version 8, an extra_data_size other than 0 is an error.',
        now: 'The extra_data_compatible flag says whether a bitmap with extra data may be used.',
        clause: 'BMP-02'
      }
    ]
  },
  {
    title: '[Qemu-devel] QCow2 compression',
    by: 'mgreger, qemu-devel, after people.gnome.org/~markmc/qcow-image-format.html',
    date: '2016-02-26',
    at: 'https://go.mail-archive.com/search?f=1&l=qemu-devel%40nongnu.org&q=from%3A%22mgreger%22',
    statements: [
      {
        said: 'With clusters of 64 KiB, the 8 bits before the offset are the sectors of a compressed cluster, counted from the offset.',
        now: 'They are the sectors after the one that holds the offset.',
        clause: 'CMP-02'
      }
    ]
  },
  {
    title: '[PATCH V4 01/10] specs/qcow2: add compress format extension',
    by: 'Peter Lieven, qemu-block',
    date: '2017-07-20',
    at: 'https://lists.gnu.org/archive/html/qemu-block/2017-07/msg01270.html',
    statements: [
      {
        said: 'Incompatible bit 2 is the compress format bit.',
        now: 'Bit 2 is the external data file bit.',
        clause: 'DATA-01'
      },
      {
        said: 'Extension 0xC03183A3 names the format and the level of compression.',
        now: 'The header has the compression type at byte 104. An extension of this type is unknown.',
        clause: 'EXT-02'
      }
    ]
  },
  {
    title: 'docs: qcow2: introduce compression type feature',
    by: 'Vladimir Sementsov-Ogievskiy, QEMU commit 66fcbca5a7',
    date: '2020-01-31',
    at: 'https://git.yourcmc.ru/vitalif/mirror_qemu/commit/66fcbca5a7202d2ff2973b61a30f915204917eb7',
    statements: [
      {
        said: 'Incompatible bits 4 to 63 are reserved.',
        now: 'Bit 4 is extended L2 entries, and bits 5 to 63 are reserved.',
        clause: 'FEAT-01'
      },
      {
        said: 'Compression type 0 is zlib.',
        now: 'It is a raw deflate stream, without the header of zlib.',
        clause: 'CMP-07'
      }
    ]
  }
]

/** The L2 entry that the question of 2016 asks about, in an image with clusters of 64 KiB, and where its payload ended. */
export const askedEntry = { word: 0x4ac0_0000_003d_9750n, clusterBits: 16, lastByte: 0x3d_edd5n, fileEnd: 0x3d_edf0n }
