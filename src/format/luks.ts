/** LUKS partition header: the first 592 bytes of the encryption area. What follows it is opaque here. */
import { octets, u16, u32 } from '../bytes/leaf.js'
import { toText } from '../bytes/octets.js'
import { row, struct, type StructType } from '../bytes/struct.js'
import type { LuksHeader, LuksSlot } from './header-values.js'

export type { LuksSlot }

const text = (size: number, name: string, doc: string) =>
  row(octets(size), name, 'LUKS-03', `${doc}, padded with zeros`)

/** The fields in front of the key slots. @see LUKS-03 */
export const luksHeader: StructType<LuksHeader> = struct('LUKS header', {
  magic: row(octets(6), 'magic', 'LUKS-03', 'LUKS, 0xBA, 0xBE'),
  version: row(u16, 'version', 'LUKS-03', '1'),
  cipherName: text(32, 'cipher_name', 'cipher'),
  cipherMode: text(32, 'cipher_mode', 'cipher mode and the generator of initialisation vectors'),
  hashSpec: text(32, 'hash_spec', 'hash'),
  payloadOffset: row(u32, 'payload_offset', 'LUKS-03', 'start of the payload in sectors of 512 bytes, unused in qcow2'),
  keyBytes: row(u32, 'key_bytes', 'LUKS-03', 'length of the master key in bytes'),
  mkDigest: row(octets(20), 'mk_digest', 'LUKS-03', 'digest of the master key'),
  mkDigestSalt: row(octets(32), 'mk_digest_salt', 'LUKS-03', 'salt of that digest'),
  mkDigestIter: row(u32, 'mk_digest_iter', 'LUKS-03', 'iterations of that digest'),
  uuid: text(40, 'uuid', 'UUID')
})

/** A key slot. @see LUKS-03 */
export const luksSlot: StructType<LuksSlot> = struct('LUKS key slot', {
  active: row(u32, 'active', 'LUKS-03', '0x00AC71F3 when in use'),
  iterations: row(u32, 'iterations', 'LUKS-03', 'iterations of the key derivation'),
  salt: row(octets(32), 'salt', 'LUKS-03', 'salt of the key derivation'),
  keyMaterialOffset: row(u32, 'key_material_offset', 'LUKS-03', 'key material, in sectors from the start of the area'),
  stripes: row(u32, 'stripes', 'LUKS-03', 'anti-forensic stripes')
})

/** Key slots of a LUKS header. */
export const luksSlots = 8
/** Bytes of header and slots. */
export const luksSize = luksHeader.size + luksSlots * luksSlot.size
/** What `active` holds in a slot that is in use. */
export const luksActive = 0x00ac_71f3

/** Text of a field padded with zeros. */
export const luksText = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return toText(end < 0 ? bytes : bytes.subarray(0, end)) ?? ''
}
