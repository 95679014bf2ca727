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
    subject: 'reader',
    source: 'format',
    says:
      'Names of bitmaps are unique, and extra data never references clusters. A reader that does not know the extra ' +
      'data may use the bitmap if flag bit 2 is set, and keeps the extra data; if the bit is clear it does not use ' +
      'the bitmap, and keeps all of it.'
  },
  'BMP-04': {
    level: 'must',
    subject: 'image',
    source: 'qemu',
    says:
      'QEMU refuses to open an image, also read-only and for qemu-img check, in which a bitmap has flag bit 2 set, ' +
      'has an extra_data_size other than 0, or breaks any limit.',
    divergences: [
      { on: 'a bitmap with the extra_data_compatible flag set', format: 'accepts', qemu: 'refuses' },
      { on: 'a bitmap with an extra_data_size other than 0', format: 'accepts', qemu: 'refuses' }
    ]
  },
  'BMP-05': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'A bitmap table entry is a u64: bits 9 to 55 hold the offset of a data cluster. If they are 0, bit 0 makes the ' +
      'cluster all zeros (0) or all ones (1); otherwise bit 0 is 0. Bits 1 to 8 and 56 to 63 are 0.'
  },
  'BMP-06': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Guest byte g belongs to bit b = g >> granularity_bits of the bitmap. Bit b is bit b & 7 (0 is the least ' +
      'significant) of data byte b >> 3, and data byte n is in the cluster of table entry n / cluster size. One table ' +
      'entry covers cluster size * 8 * granularity bytes of the disk: 32 GiB with 64 KiB clusters and a granularity ' +
      'of 64 KiB.'
  },
  'BMP-07': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'A bitmap has ceil(size / granularity) bits. QEMU requires exactly ceil(ceil(bits / 64) * 8 / cluster size) ' +
      'table entries, unless in_use is set, and then does not read the data. A disk of size 0 cannot store a bitmap.',
    divergences: [
      {
        on: 'a bitmap without in_use and with more table entries than its bits need',
        format: 'accepts',
        qemu: 'refuses'
      }
    ]
  },
  'BMP-08': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The bits of the last data cluster past the end of the disk are zero. QEMU stores whole 64-bit words of ones ' +
      'after it has loaded an all-ones table entry, so a reader masks those bits.',
    divergences: [{ on: 'set bits past the last bit of a bitmap', format: 'reports', qemu: 'accepts' }]
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
      'ignores the bitmaps, and the next writable open drops the extension; its clusters become leaks, which a leak ' +
      'repair frees.',
    divergences: [
      { on: 'opening an image with a bitmaps extension and autoclear bit 0 clear', format: 'accepts', qemu: 'reports' }
    ]
  },
  'BMP-12': {
    level: 'must',
    subject: 'image',
    source: 'qemu',
    says:
      'QEMU accepts at most 65535 bitmaps, a directory of at most 65535 * 1024 bytes, a bitmap table of at most ' +
      '0x8000000 entries and at most 512 MiB of bitmap data. Neither bitmap_table_offset nor bitmap_table_size is 0. ' +
      'nb_bitmaps equals the number of directory entries, and the last one ends exactly at the directory size.',
    divergences: [
      {
        on: 'more than 65535 bitmaps, or a bitmap directory of more than 65535 * 1024 bytes',
        format: 'accepts',
        qemu: 'refuses'
      },
      {
        on: 'a bitmap table of more than 0x8000000 entries, or more than 512 MiB of bitmap data',
        format: 'accepts',
        qemu: 'refuses'
      }
    ]
  },
  'BMP-13': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'The clusters of the directory, of the tables and of bitmap data have refcount 1.'
  },
  'BMP-14': {
    level: 'must',
    subject: 'image',
    source: 'qemu',
    says: 'Version 2 images hold no bitmaps: QEMU refuses to store one in them.'
  },
  'BMP-15': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'The default granularity of a new bitmap is the cluster size, but at least 4 KiB and at most 64 KiB.'
  },
  'BMP-16': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'name_size is not 0. QEMU does not test it, so a reader has to.',
    divergences: [{ on: 'a bitmap with a name_size of 0', format: 'reports', qemu: 'accepts' }]
  }
})
