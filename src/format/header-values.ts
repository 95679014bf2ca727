/** The values of the header, its features and its extensions. Generated from the field tables by `npm run pages`. */
import type { Bits } from '../bytes/bits.js'
import type { Padded } from '../bytes/entry.js'
import type { Growing } from '../bytes/growing.js'

/** The fields of a header of either version. */
export interface HeaderV2 {
  /** `magic`, bytes 0 to 3: the bytes 51 46 49 FB. @see OPEN-01 */
  readonly magic: number
  /** `version`, bytes 4 to 7: 2 or 3. @see OPEN-02 */
  readonly version: number
  /** `backing_file_offset`, bytes 8 to 15: host offset of the backing file name; 0: no backing file. @see BACK-01 */
  readonly backingFileOffset: bigint
  /** `backing_file_size`, bytes 16 to 19: length of the backing file name in bytes, at most 1023. @see BACK-01 */
  readonly backingFileSize: number
  /** `cluster_bits`, bytes 20 to 23: a cluster is 1 << cluster_bits bytes. @see OPEN-03 */
  readonly clusterBits: number
  /** `size`, bytes 24 to 31: size of the guest disk in bytes. @see HDR-08 */
  readonly size: bigint
  /** `crypt_method`, bytes 32 to 35: 0 none, 1 AES, 2 LUKS. @see LUKS-02 */
  readonly cryptMethod: number
  /** `l1_size`, bytes 36 to 39: entries of the active L1 table. @see HDR-09 */
  readonly l1Size: number
  /** `l1_table_offset`, bytes 40 to 47: host offset of the active L1 table, cluster aligned. @see OPEN-20 */
  readonly l1TableOffset: bigint
  /** `refcount_table_offset`, bytes 48 to 55: host offset of the refcount table, cluster aligned. @see OPEN-16 */
  readonly refcountTableOffset: bigint
  /** `refcount_table_clusters`, bytes 56 to 59: clusters of the refcount table. @see REF-06 */
  readonly refcountTableClusters: number
  /** `nb_snapshots`, bytes 60 to 63: entries of the snapshot table. @see SNAP-01 */
  readonly nbSnapshots: number
  /** `snapshots_offset`, bytes 64 to 71: host offset of the snapshot table, cluster aligned. @see SNAP-11 */
  readonly snapshotsOffset: bigint
}

/** Bits that a reader must know. */
export interface IncompatibleFeatures extends Bits {
  /** `dirty`, bit 0: refcounts may be wrong: rebuild them before writing; reading is safe. @see FEAT-04 */
  readonly dirty: boolean
  /** `corrupt`, bit 1: any structure may be wrong: do not write. @see FEAT-05 */
  readonly corrupt: boolean
  /** `external_data_file`, bit 2: guest data lives in another file. @see DATA-01 */
  readonly externalDataFile: boolean
  /** `compression_type`, bit 3: the compression_type field is not zero. @see HDR-04 */
  readonly compressionType: boolean
  /** `extended_l2`, bit 4: L2 entries are 128 bits wide. @see SUB-01 */
  readonly extendedL2: boolean
}

/** Bits that a reader may ignore. */
export interface CompatibleFeatures extends Bits {
  /** `lazy_refcounts`, bit 0: refcount writes may be postponed under the dirty bit. @see INT-01 */
  readonly lazyRefcounts: boolean
}

/** Bits that a writer must know or clear. */
export interface AutoclearFeatures extends Bits {
  /** `bitmaps`, bit 0: the bitmaps extension is consistent. @see BMP-11 */
  readonly bitmaps: boolean
  /** `raw_external_data`, bit 1: the external data file is the raw guest disk. @see FEAT-06 */
  readonly rawExternalData: boolean
}

/** The fixed fields of a header of version 3. */
export interface HeaderFields extends HeaderV2 {
  /** `incompatible_features`, bytes 72 to 79: bits a reader must know. @see FEAT-01 */
  readonly incompatibleFeatures: IncompatibleFeatures
  /** `compatible_features`, bytes 80 to 87: bits a reader may ignore. @see FEAT-02 */
  readonly compatibleFeatures: CompatibleFeatures
  /** `autoclear_features`, bytes 88 to 95: bits a writer must know or clear. @see FEAT-03 */
  readonly autoclearFeatures: AutoclearFeatures
  /** `refcount_order`, bytes 96 to 99: a refcount is 1 << refcount_order bits. @see REF-02 */
  readonly refcountOrder: number
  /** `header_length`, bytes 100 to 103: length of the header in bytes; the extensions follow. @see HDR-02 */
  readonly headerLength: number
}

/** The fields of a header after byte 104, as far as header_length covers them. */
export interface AdditionalFields extends Growing {
  /** `compression_type`, byte 104: 0 deflate, 1 zstd. @see HDR-04 */
  readonly compressionType?: number
  /** `padding`, bytes 105 to 111: zeros up to a multiple of 8. @see HDR-07 */
  readonly padding?: Uint8Array
}

/** The fields of any header extension. */
export interface ExtensionFields {
  /** `type`, bytes 0 to 3: what the data means; 0 ends the area. @see EXT-01 */
  readonly type: number
  /** `length`, bytes 4 to 7: bytes of data. @see EXT-01 */
  readonly length: number
}

/** A header extension before its type is looked at. */
export interface ExtensionRecord extends Omit<ExtensionFields, 'length'>, Padded {
  /** `data`: the extension itself. @see EXT-03 */
  readonly data: Uint8Array
}

/** An entry of the feature name table. */
export interface FeatureName {
  /** `type`, byte 0: 0 incompatible, 1 compatible, 2 autoclear. @see EXT-07 */
  readonly type: number
  /** `bit`, byte 1: bit number. @see EXT-07 */
  readonly bit: number
  /** `name`, bytes 2 to 47: padded with zeros. @see EXT-07 */
  readonly name: Uint8Array
}

/** The payload of the bitmaps extension. */
export interface BitmapsExtension {
  /** `nb_bitmaps`, bytes 0 to 3: entries of the bitmap directory. @see BMP-01 */
  readonly nbBitmaps: number
  /** `reserved`, bytes 4 to 7: zero. @see BMP-01 */
  readonly reserved: number
  /** `bitmap_directory_size`, bytes 8 to 15: bytes of the bitmap directory. @see BMP-01 */
  readonly bitmapDirectorySize: bigint
  /** `bitmap_directory_offset`, bytes 16 to 23: host offset, cluster aligned. @see BMP-01 */
  readonly bitmapDirectoryOffset: bigint
}

/** The payload of the full disk encryption header pointer. */
export interface EncryptionPointer {
  /** `offset`, bytes 0 to 7: host offset, cluster aligned. @see LUKS-02 */
  readonly offset: bigint
  /** `length`, bytes 8 to 15: bytes of the LUKS header and its key material. @see LUKS-02 */
  readonly length: bigint
}

/** The fields of a LUKS header before its key slots. */
export interface LuksHeader {
  /** `magic`, bytes 0 to 5: LUKS, 0xBA, 0xBE. @see LUKS-03 */
  readonly magic: Uint8Array
  /** `version`, bytes 6 to 7: 1. @see LUKS-03 */
  readonly version: number
  /** `cipher_name`, bytes 8 to 39: cipher, padded with zeros. @see LUKS-03 */
  readonly cipherName: Uint8Array
  /**
   * `cipher_mode`, bytes 40 to 71: cipher mode and the generator of initialisation vectors, padded with zeros.
   *
   * @see LUKS-03
   */
  readonly cipherMode: Uint8Array
  /** `hash_spec`, bytes 72 to 103: hash, padded with zeros. @see LUKS-03 */
  readonly hashSpec: Uint8Array
  /** `payload_offset`, bytes 104 to 107: start of the payload in sectors of 512 bytes, unused in qcow2. @see LUKS-03 */
  readonly payloadOffset: number
  /** `key_bytes`, bytes 108 to 111: length of the master key in bytes. @see LUKS-03 */
  readonly keyBytes: number
  /** `mk_digest`, bytes 112 to 131: digest of the master key. @see LUKS-03 */
  readonly mkDigest: Uint8Array
  /** `mk_digest_salt`, bytes 132 to 163: salt of that digest. @see LUKS-03 */
  readonly mkDigestSalt: Uint8Array
  /** `mk_digest_iter`, bytes 164 to 167: iterations of that digest. @see LUKS-03 */
  readonly mkDigestIter: number
  /** `uuid`, bytes 168 to 207: UUID, padded with zeros. @see LUKS-03 */
  readonly uuid: Uint8Array
}

/** A key slot of a LUKS header. */
export interface LuksSlot {
  /** `active`, bytes 0 to 3: 0x00AC71F3 when in use, else 0x0000DEAD. @see LUKS-03 */
  readonly active: number
  /** `iterations`, bytes 4 to 7: iterations of the key derivation. @see LUKS-03 */
  readonly iterations: number
  /** `salt`, bytes 8 to 39: salt of the key derivation. @see LUKS-03 */
  readonly salt: Uint8Array
  /** `key_material_offset`, bytes 40 to 43: key material, in sectors from the start of the area. @see LUKS-03 */
  readonly keyMaterialOffset: number
  /** `stripes`, bytes 44 to 47: anti-forensic stripes. @see LUKS-03 */
  readonly stripes: number
}
