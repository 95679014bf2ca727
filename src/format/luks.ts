/** LUKS partition header: the first 592 bytes of the encryption area. What follows it is opaque here. */
import { type FieldRule, rulesOf, type RuleTable } from '../bytes/judgement.js'
import { octets, u16, u32 } from '../bytes/leaf.js'
import { equal, toHex, toText } from '../bytes/octets.js'
import { atLeast, type NumberRule, oneOf, refusing } from '../bytes/rule.js'
import { row, struct, type StructType } from '../bytes/struct.js'
import type { LuksHeader, LuksSlot } from './header-values.js'
import { sectorSize } from './limits.js'

export type { LuksHeader, LuksSlot }

/** What `magic` holds. */
const luksMagic = Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe)
/** What `active` holds in a slot that is in use. */
export const luksActive = 0x00ac_71f3
/** What `active` holds in a slot that is not in use. */
const luksInactive = 0xdead
/** Sectors before the key material. */
const luksHeaderSectors = 8
/** Anti-forensic stripes of a slot. */
export const luksStripes = 4000

/** A rule over which QEMU does not open the LUKS header. @see OPEN-25 */
const opening = (rule: NumberRule): NumberRule => refusing('OPEN-25', rule)

const text = (size: number, name: string, doc: string) =>
  row(octets(size), name, 'LUKS-03', `${doc}, padded with zeros`)

/** The fields in front of the key slots. @see LUKS-03 */
export const luksHeader: StructType<LuksHeader> = struct('LUKS header', {
  magic: row(octets(6), 'magic', 'LUKS-03', 'LUKS, 0xBA, 0xBE'),
  version: row(u16, 'version', 'LUKS-03', '1', opening(oneOf([1], 'LUKS-03'))),
  cipherName: text(32, 'cipher_name', 'cipher'),
  cipherMode: text(32, 'cipher_mode', 'cipher mode and the generator of initialisation vectors'),
  hashSpec: text(32, 'hash_spec', 'hash'),
  payloadOffset: row(
    u32,
    'payload_offset',
    'LUKS-03',
    'start of the payload in sectors of 512 bytes, unused in qcow2',
    opening(atLeast(luksHeaderSectors, 'LUKS-03'))
  ),
  keyBytes: row(u32, 'key_bytes', 'LUKS-03', 'length of the master key in bytes'),
  mkDigest: row(octets(20), 'mk_digest', 'LUKS-03', 'digest of the master key'),
  mkDigestSalt: row(octets(32), 'mk_digest_salt', 'LUKS-03', 'salt of that digest'),
  mkDigestIter: row(u32, 'mk_digest_iter', 'LUKS-03', 'iterations of that digest', opening(atLeast(1, 'LUKS-03'))),
  uuid: text(40, 'uuid', 'UUID')
})

/** A key slot. @see LUKS-03 */
export const luksSlot: StructType<LuksSlot> = struct('LUKS key slot', {
  active: row(
    u32,
    'active',
    'LUKS-03',
    '0x00AC71F3 when in use, else 0x0000DEAD',
    opening(oneOf([luksActive, luksInactive], 'LUKS-03'))
  ),
  iterations: row(u32, 'iterations', 'LUKS-03', 'iterations of the key derivation'),
  salt: row(octets(32), 'salt', 'LUKS-03', 'salt of the key derivation'),
  keyMaterialOffset: row(
    u32,
    'key_material_offset',
    'LUKS-03',
    'key material, in sectors from the start of the area',
    opening(atLeast(luksHeaderSectors, 'LUKS-03'))
  ),
  stripes: row(u32, 'stripes', 'LUKS-03', 'anti-forensic stripes', opening(oneOf([luksStripes], 'LUKS-03')))
})

/** Key slots of a LUKS header. */
export const luksSlots = 8
/** Bytes of header and slots. */
export const luksSize = luksHeader.size + luksSlots * luksSlot.size

const endsInNul = (
  field: 'cipherName' | 'cipherMode' | 'hashSpec'
): FieldRule<LuksHeader, LuksArea, keyof LuksHeader> => ({
  field,
  clause: 'LUKS-03',
  refusal: 'OPEN-25',
  broken: (h) => h[field].at(-1) !== 0,
  found: () => 'a text without an end',
  expected: 'a text that ends in a NUL'
})

/** The area that a LUKS header is in. */
export interface LuksArea {
  /** Bytes. */
  readonly length: bigint
}

/** The rules of a LUKS header without its key slots. @see LUKS-03 */
export const luksHeaderRules: RuleTable<LuksHeader, LuksArea> = rulesOf<LuksHeader, LuksArea>(luksHeader, [
  {
    field: 'magic',
    clause: 'LUKS-03',
    refusal: 'OPEN-25',
    broken: ({ magic }) => !equal(magic, luksMagic),
    found: ({ magic }) => `0x${toHex(magic)}, a volume that is not in LUKS format`,
    expected: `0x${toHex(luksMagic)}`
  },
  endsInNul('cipherName'),
  endsInNul('cipherMode'),
  endsInNul('hashSpec'),
  {
    field: 'payloadOffset',
    clause: 'LUKS-02',
    phase: 'inconsistent',
    source: 'format',
    broken: ({ payloadOffset }, { length }) => BigInt(payloadOffset * sectorSize) > length,
    expected: 'a sector of the area',
    specific: (_, { length }) => `at most ${length / BigInt(sectorSize)}, the sectors of the area`
  }
])

/** What a key slot is judged with: where the payload begins, and the key material of the slots before it, in sectors. */
export interface LuksKeys extends Pick<LuksHeader, 'keyBytes' | 'payloadOffset'> {
  readonly before: readonly number[]
}

/** Sectors of the key material of a slot, whose size is a multiple of the header's. */
const keySectors = ({ keyBytes }: LuksKeys): number =>
  Math.ceil((keyBytes * luksStripes) / sectorSize / luksHeaderSectors) * luksHeaderSectors

/** The rules of a key slot. @see LUKS-03 */
export const luksSlotRules: RuleTable<LuksSlot, LuksKeys> = rulesOf<LuksSlot, LuksKeys>(luksSlot, [
  {
    field: 'iterations',
    clause: 'LUKS-03',
    refusal: 'OPEN-25',
    broken: (s) => s.active === luksActive && s.iterations === 0,
    expected: 'at least 1 in a slot that is in use'
  },
  {
    field: 'keyMaterialOffset',
    clause: 'LUKS-03',
    phase: 'inconsistent',
    refusal: 'OPEN-25',
    broken: (s, keys) => s.keyMaterialOffset + keySectors(keys) > keys.payloadOffset,
    expected: 'key material before the payload',
    specific: (_, keys) => `${keySectors(keys)} sectors before the payload at sector ${keys.payloadOffset}`
  },
  {
    field: 'keyMaterialOffset',
    clause: 'LUKS-03',
    phase: 'inconsistent',
    refusal: 'OPEN-25',
    broken: (s, keys) => keys.before.some((other) => Math.abs(other - s.keyMaterialOffset) < keySectors(keys)),
    expected: 'key material apart from that of the other slots'
  }
])

/** Text of a field padded with zeros. */
export const luksText = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return toText(end < 0 ? bytes : bytes.subarray(0, end)) ?? ''
}
