/** What is encrypted, with which key and tweak, and what a program without keys may do. */

import { chapter } from './clause.js'

export const encryption = chapter('Encryption', {
  'LUKS-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Only guest payload and VM state are encrypted; the header and all metadata are plain. Zero and unallocated ' +
      'clusters read as zeros or from the backing file without decryption.'
  },
  'LUKS-02': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'crypt_method 2 needs extension 0x0537BE77: the u64 cluster aligned offset and the u64 length of the LUKS ' +
      'header and key area. The clusters that hold the area have refcount 1, and the bytes past its end in the last ' +
      'one are zero. QEMU places the area right after the L1 table; its usual length is 0x1F9000 bytes, which is also ' +
      'the payload-offset in the LUKS header.'
  },
  'LUKS-03': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The area holds the LUKS1 partition header of 592 bytes and then key material, whose offsets are relative to ' +
      'the start of the area. payload-offset is valid but unused.'
  },
  'LUKS-04': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The sector number of the IV under LUKS is the host offset / 512, or with a data file the offset in that file / ' +
      '512. So moving ciphertext to another host cluster needs a new encryption.'
  },
  'LUKS-05': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'crypt_method 1 is AES in CBC mode on 512-byte sectors. The IV is plain64, the sector number as a 64-bit ' +
      'little-endian integer padded with zeros, and the sector is guest offset / 512. There is no header extension.'
  },
  'LUKS-06': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'The AES key is the first 16 bytes of the password, padded with zeros: QEMU uses AES-128, where the format ' +
      'text says 256-bit keys.',
    divergences: [
      { on: 'guest data that is encrypted with AES under a 128-bit key', format: 'refuses', qemu: 'accepts' }
    ]
  },
  'LUKS-07': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'An image with crypt_method 2 and no extension 0x0537BE77 is refused when it is opened for I/O. The extension ' +
      'with another method is refused, and so is a crypt_method above 2.'
  },
  'LUKS-08': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'A program without keys parses all metadata, reports the image as encrypted, treats data clusters as opaque ' +
      'and may check refcounts. It refuses guest reads of normal clusters, guest writes, copy on write and, for ' +
      'LUKS, moving a cluster. qemu-img info works without keys; check, map and qemu-io need the secret.'
  },
  'LUKS-09': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'With encryption QEMU aligns requests to 512 bytes and limits each to 32 clusters.'
  }
})
