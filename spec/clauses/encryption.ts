/** What is encrypted, with which key and tweak, and what a program without keys may do. */

import { chapter } from './clause.js'

export const encryption = chapter('Encryption', {
  'LUKS-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Guest payload and VM state are encrypted; the header and all metadata are plain. QEMU writes compressed ' +
      'clusters unencrypted (CMP-13). Zero and unallocated clusters read as zeros or from the backing file without ' +
      'decryption.'
  },
  'LUKS-02': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'crypt_method 2 needs extension 0x0537BE77: the u64 cluster aligned offset and the u64 length of the LUKS ' +
      'header and key area. The clusters that hold the area have refcount 1, and the bytes past its end in the last ' +
      'one are zero. Without preallocation QEMU places the area right after the L1 table. With a key of 64 bytes its ' +
      'length is 0x1F9000, which is also the payload-offset of the LUKS header: 4040 sectors.'
  },
  'LUKS-03': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The area holds the LUKS1 partition header of 592 bytes and then key material, whose offsets are relative to ' +
      'the start of the area. payload-offset is valid but unused. QEMU refuses the image (OPEN-25) over another magic, ' +
      'a version other than 1, a cipher, mode or hash without a NUL at its end, no iterations, a slot that is neither ' +
      'in use nor 0x0000DEAD, another number of stripes than 4000, and key material outside of sectors 8 to ' +
      'payload-offset or in that of another slot.'
  },
  'LUKS-04': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Under LUKS the sector number of the IV is the host offset / 512, in the image file or in the data file. So ' +
      'ciphertext that moves to another host cluster has to be encrypted anew.'
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
      {
        on: 'guest data that is encrypted with AES under a 128-bit key',
        format: 'refuses',
        qemu: 'accepts',
        erratum: {
          section: 'Data encryption, AES',
          fault: 'QEMU uses keys of 128 bits, and the text does not say how a key is made of a password.',
          replaces: 'with 256 bit keys.',
          proposal: 'with 128 bit keys. The key is the first 16 bytes of the password, padded with zeros.'
        }
      }
    ]
  },
  'LUKS-07': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'An image with crypt_method 2 and no extension 0x0537BE77 is refused, by QEMU 7.2 only when it is opened for ' +
      'I/O (OPEN-27). The extension with another method is refused, and so is a crypt_method above 2.'
  },
  'LUKS-08': {
    level: 'must',
    subject: 'reader',
    source: 'ours',
    says:
      'A program without keys parses all metadata, reports the image as encrypted, treats data clusters as opaque and ' +
      'may check refcounts. It refuses guest reads of data, also of compressed clusters, guest writes, copy on ' +
      'write and, for LUKS, moving a cluster.'
  },
  'LUKS-09': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'With encryption QEMU aligns requests to 512 bytes, and splits reads into parts of at most 32 * cluster size bytes ' +
      'and writes of data into parts that touch at most 32 clusters. Zero writes and discards have no such limit.'
  },
  'LUKS-10': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'Under LUKS the cipher, its mode and the generator of the IV are those that the LUKS header names. QEMU creates ' +
      'aes-256 in mode xts with plain64 unless asked for others.'
  },
  'LUKS-11': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'qemu-img info needs no secret; check, map and qemu-io refuse an encrypted image without it.'
  }
})
