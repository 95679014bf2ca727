/** Persistent dirty bitmaps: extension, directory, tables and data. */

import { chapter } from './clause.js'

export const bitmap = chapter('Bitmaps', {
  'BMP-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The data of the bitmaps extension is a u32 nb_bitmaps of at least 1, a reserved u32 of 0, the u64 size of the ' +
      'bitmap directory in bytes, which is the sum of its entries, and its u64 offset, cluster aligned.'
  },
  'BMP-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The directory is contiguous. An entry is u64 bitmap_table_offset, cluster aligned; u32 bitmap_table_size in ' +
      'entries; u32 flags, bit 0 in_use, 1 auto, 2 extra_data_compatible, the rest 0; u8 type, 1 for dirty tracking; ' +
      'u8 granularity_bits, 0 to 63; u16 name_size, at least 1; u32 extra_data_size; extra data; the name without a ' +
      'terminator; zeros to a multiple of 8. QEMU accepts granularity_bits 9 to 31 and names of at most 1023 bytes.',
    divergences: [
      { on: 'granularity_bits of 0 to 8 or 32 to 63', format: 'accepts', qemu: 'refuses' },
      { on: 'a bitmap name of more than 1023 bytes', format: 'accepts', qemu: 'refuses' },
      { on: 'bitmap directory padding that is not zero', format: 'reports', qemu: 'accepts' }
    ]
  },
  'BMP-03': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'Names of bitmaps are unique. QEMU refuses an equal name unless the later record has in_use; here it is refused ' +
      'in any case. Extra data never references clusters.',
    divergences: [{ on: 'two bitmaps of the same name, the later with in_use', format: 'refuses', qemu: 'accepts' }]
  },
  'BMP-04': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'While autoclear bit 0 is set, QEMU refuses to open an image, also read-only and for qemu-img check, in which a ' +
      'bitmap has flag bit 2 set, has an extra_data_size other than 0, or exceeds a limit of BMP-02, BMP-07 or ' +
      'BMP-12.',
    divergences: [
      {
        on: 'a bitmap with the extra_data_compatible flag set',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmap directory, flags, bit 2',
          fault: 'The text does not say that QEMU does not open such an image.',
          proposal: 'Note: QEMU currently does not open an image that has a bitmap with this flag set.'
        }
      },
      {
        on: 'a bitmap with an extra_data_size other than 0',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmap directory, extra_data_size',
          fault: 'The text says that software leaves such a bitmap as it is. QEMU does not open the image.',
          proposal: 'Note: QEMU currently does not open an image that has a bitmap with extra data, whatever its flags.'
        }
      }
    ]
  },
  'BMP-05': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'A bitmap table entry is a u64: bits 9 to 55 hold the cluster-aligned offset of a data cluster. If they are 0, bit 0 makes the ' +
      'cluster all zeros (0) or all ones (1); otherwise bit 0 is 0. Bits 1 to 8 and 56 to 63 are 0.'
  },
  'BMP-06': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'Guest byte g belongs to bit b = g >> granularity_bits of the bitmap. Bit b is bit b & 7 of byte b >> 3 of the ' +
      'bitmap data, 0 being the least significant. Byte n of the bitmap data is byte n mod cluster size of the ' +
      'cluster of table entry n / cluster size. So one table entry covers cluster size * 8 * granularity bytes of the ' +
      'disk: 32 GiB with clusters of 64 KiB and a granularity of 64 KiB.'
  },
  'BMP-07': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'A bitmap has ceil(size / granularity) bits. Unless in_use is set, QEMU requires exactly ceil(ceil(bits / 64) * ' +
      '8 / cluster size) table entries, with the bits of the size rounded down to a multiple of 512 (HDR-08); with ' +
      'in_use it takes any number that BMP-12 allows. It cannot store a bitmap of a disk of size 0.',
    divergences: [
      {
        on: 'a bitmap without in_use and with more table entries than its bits need',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmap directory, bitmap_table_size',
          fault: 'The text does not say how many entries a table has.',
          proposal:
            'Unless the in_use flag is set, this must be the number of clusters that the bits of the virtual ' +
            'disk need: ceil(ceil(size / granularity) / 8 / cluster_size). If the flag is set, the value may be ' +
            'outdated.'
        }
      },
      {
        on: 'the table entries of a size that needs fewer when it is rounded down to 512',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmap directory, bitmap_table_size',
          fault: 'The unit of QEMU is not noted.',
          proposal:
            'Note: QEMU expects the number of entries for the virtual disk size rounded down to a multiple of ' + '512.'
        }
      },
      { on: 'storing a bitmap of a disk of size 0', format: 'accepts', qemu: 'refuses' }
    ]
  },
  'BMP-08': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The bits of the last data cluster past the end of the disk are zero. After loading an all-ones table entry ' +
      'QEMU stores whole 64-bit words of ones, so a reader masks the bits past the end.',
    divergences: [
      {
        on: 'set bits past the last bit of a bitmap',
        format: 'reports',
        qemu: 'accepts',
        erratum: {
          section: 'Bitmap data',
          fault:
            'The text speaks of unused bits only where the bitmap data does not fill its last cluster, and not ' +
            'of those in its last byte. QEMU itself stores ones past the last bit for a table entry of all ones.',
          replaces:
            'If the size of the bitmap data is not a multiple of the cluster size then the last cluster of the ' +
            'bitmap data contains some unused tail bits. These bits must be zero.',
          proposal:
            'If the number of bits in the bitmap is not a multiple of the number of bits in a cluster then the ' +
            'last cluster of the bitmap data contains some unused tail bits, possibly including bits of the last ' +
            'byte. Writers must set these bits to zero, and readers must ignore them.'
        }
      }
    ]
  },
  'BMP-09': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'in_use marks a bitmap that was not saved properly, whose contents and even size and auto flag may be stale. ' +
      'QEMU keeps its record on disk and loads it as inconsistent: it can only be removed, not used, cleared, merged ' +
      'or resized.'
  },
  'BMP-10': {
    level: 'must',
    subject: 'writer',
    source: 'format',
    says:
      'auto marks an enabled bitmap, which records every change any writer makes, from the first write on. Without ' +
      'auto the bitmap is disabled.'
  },
  'BMP-11': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'Bitmap data is valid only if autoclear bit 0 is set. With the extension but without the bit, QEMU warns and ' +
      'ignores the bitmaps, and a check counts their clusters as leaks, which a repair frees; the next writable open ' +
      'drops the extension.',
    divergences: [
      { on: 'opening an image with a bitmaps extension and autoclear bit 0 clear', format: 'accepts', qemu: 'reports' }
    ]
  },
  'BMP-12': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'nb_bitmaps is the number of directory entries, and the last entry ends at the directory size. QEMU accepts at ' +
      'most 65535 bitmaps, a directory of at most 65535 * 1024 bytes and, for each bitmap, at most 512 MiB of clusters ' +
      'in its table, bitmap_table_size * cluster size. It refuses a bitmap_table_offset or a bitmap_table_size of 0.',
    divergences: [
      {
        on: 'more than 65535 bitmaps, or a bitmap directory of more than 65535 * 1024 bytes',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmaps extension, bitmap_directory_size',
          fault: 'The limit of QEMU is noted for the number of bitmaps only.',
          proposal: 'Note: QEMU currently only supports bitmap directories of up to 65535 * 1024 bytes.'
        }
      },
      {
        on: 'a bitmap whose bitmap_table_size * cluster size is above 512 MiB',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmap directory, bitmap_table_size',
          fault: 'The limit of QEMU is not noted.',
          proposal:
            'Note: QEMU currently only supports bitmap tables with bitmap_table_size * cluster_size of at most ' +
            '512 MB.'
        }
      }
    ]
  },
  'BMP-13': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'Each cluster of the directory, of a bitmap table and of bitmap data is in use, and each part of the image that ' +
      'names it counts as a reference. So its refcount is 1, unless two bitmaps or two entries of one bitmap table share ' +
      'it, which QEMU accepts: it stores each bitmap to clusters of its own.'
  },
  'BMP-14': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'A version 2 image has no autoclear bit 0, so that a bitmaps extension in it is never valid (BMP-11). QEMU ' +
      'refuses to store a bitmap in version 2.'
  },
  'BMP-15': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'The default granularity of a new bitmap is the cluster size, but at least 4 KiB and at most 64 KiB.'
  },
  'BMP-16': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'QEMU opens an image with a bitmap whose name_size is 0, which BMP-02 excludes, and uses the bitmap. A check here ' +
      'reports it.',
    divergences: [{ on: 'a bitmap with a name_size of 0', format: 'reports', qemu: 'accepts' }]
  },
  'BMP-17': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'QEMU cuts a bitmap name at its first NUL byte. If that changes the padded length of the record and some bitmap ' +
      'is not in_use, a writable open fails after it has cleared autoclear bit 0, and all bitmaps are lost. This ' +
      'package reports the name, and keeps it as it is.',
    divergences: [
      {
        on: 'a NUL byte in the name of a bitmap, at a writable open',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Bitmap directory, name',
          fault: 'The text does not forbid null bytes. QEMU cuts the name at the first one.',
          replaces: 'Must be unique among all bitmap names within the bitmaps extension.',
          proposal:
            'Must not contain null bytes, and must be unique among all bitmap names within the bitmaps ' + 'extension.'
        }
      }
    ]
  },
  'BMP-18': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'A reader that does not know the extra data of a bitmap may use the bitmap if flag bit 2 is set, and keeps the ' +
      'extra data. If the bit is clear it does not use the bitmap, and keeps all of it. QEMU refuses both (BMP-04).'
  }
})
