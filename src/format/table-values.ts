/** The values of table entries: L1, L2, refcounts, snapshots, bitmaps. Generated from the field tables by `npm run pages`. */
import type { Bits } from '../bytes/bits.js'
import type { Padded } from '../bytes/entry.js'
import type { Growing } from '../bytes/growing.js'

/** An L1 table entry. */
export interface L1Entry extends Bits {
  /** `l2_table_offset`, bits 9 to 55: host offset of the L2 table, cluster aligned; 0: unallocated. @see L1-01 */
  readonly l2TableOffset: bigint
  /**
   * `copied`, bit 63: the refcount of the L2 table is exactly one; meaningful in the active L1 table only.
   *
   * @see L1-01
   */
  readonly copied: boolean
}

/** The first 64 bits of an extended L2 entry of a standard cluster. */
export interface DescriptorBits extends Bits {
  /** `host_cluster_offset`, bits 9 to 55: host offset of the cluster, cluster aligned. @see L2-02 */
  readonly hostClusterOffset: bigint
  /** `copied`, bit 63: the refcount of the cluster is exactly one; meaningful in active tables only. @see L2-04 */
  readonly copied: boolean
}

/** An L2 entry of a standard cluster. */
export interface StandardBits extends DescriptorBits {
  /** `zero`, bit 0: reads as zeros; version 3 without extended L2 only. @see L2-02 */
  readonly zero: boolean
}

/** An L2 entry of a compressed cluster; the bit numbers are those of 64 KiB clusters. */
export interface CompressedBits extends Bits {
  /** `host_offset`, bits 0 to 53: host offset of the payload in bytes, not aligned. @see CMP-01 */
  readonly hostOffset: bigint
  /** `additional_sectors`, bits 54 to 61: sectors of 512 bytes after the one that holds the first byte. @see CMP-01 */
  readonly additionalSectors: number
  /** `compressed`, bit 62: set. @see L2-01 */
  readonly compressed: boolean
  /** `copied`, bit 63: never set. @see CMP-01 */
  readonly copied: boolean
}

/** The second 64 bits of an extended L2 entry; bit x of each half is about subcluster x. */
export interface SubclusterBitmap {
  /** `allocated`, bits 0 to 31: subclusters whose data is in the host cluster. @see SUB-02 */
  readonly allocated: number
  /** `zeros`, bits 32 to 63: subclusters that read as zeros. @see SUB-02 */
  readonly zeros: number
}

/** A refcount table entry. */
export interface RefcountTableEntry extends Bits {
  /**
   * `refcount_block_offset`, bits 9 to 63: host offset of the block, cluster aligned; 0: all refcounts are 0.
   *
   * @see REF-04
   */
  readonly refcountBlockOffset: bigint
}

/** The first 40 bytes of a snapshot table entry. */
export interface SnapshotFields {
  /** `l1_table_offset`, bytes 0 to 7: host offset of the snapshot's L1 table, cluster aligned. @see SNAP-01 */
  readonly l1TableOffset: bigint
  /** `l1_size`, bytes 8 to 11: entries of the snapshot's L1 table. @see SNAP-01 */
  readonly l1Size: number
  /** `id_str_size`, bytes 12 to 13: bytes of the unique id. @see SNAP-01 */
  readonly idSize: number
  /** `name_size`, bytes 14 to 15: bytes of the name. @see SNAP-01 */
  readonly nameSize: number
  /** `date_sec`, bytes 16 to 19: time of the snapshot in seconds since the epoch. @see SNAP-01 */
  readonly dateSec: number
  /** `date_nsec`, bytes 20 to 23: nanoseconds of that second. @see SNAP-01 */
  readonly dateNsec: number
  /** `vm_clock_nsec`, bytes 24 to 31: run time of the guest in nanoseconds. @see SNAP-01 */
  readonly vmClockNsec: bigint
  /**
   * `vm_state_size`, bytes 32 to 35: bytes of the VM state, unless the extra data says otherwise; 0: none.
   *
   * @see SNAP-01
   */
  readonly vmStateSize: number
  /** `extra_data_size`, bytes 36 to 39: bytes of the extra data. @see SNAP-01 */
  readonly extraDataSize: number
}

/** The extra data of a snapshot, as far as its length covers it. */
export interface SnapshotExtra extends Growing {
  /** `vm_state_size_large`, bytes 0 to 7: bytes of the VM state; replaces the 32-bit field. @see SNAP-01 */
  readonly vmStateSize?: bigint
  /** `disk_size`, bytes 8 to 15: size of the guest disk in bytes when the snapshot was taken. @see SNAP-01 */
  readonly diskSize?: bigint
  /** `icount`, bytes 16 to 23: guest instructions executed; all ones: none. @see SNAP-01 */
  readonly icount?: bigint
}

/** A snapshot table entry. */
export interface SnapshotEntry extends Omit<SnapshotFields, 'idSize' | 'nameSize' | 'extraDataSize'>, Padded {
  /** `extra_data`: known fields and an unknown tail. @see SNAP-01 */
  readonly extra: SnapshotExtra
  /** `id_str`: unique id, not NUL terminated. @see SNAP-01 */
  readonly id: Uint8Array
  /** `name`: name, not NUL terminated, may be empty. @see SNAP-01 */
  readonly name: Uint8Array
}

/** The flags of a bitmap. */
export interface BitmapFlags extends Bits {
  /** `in_use`, bit 0: not saved properly: the contents may be stale. @see BMP-09 */
  readonly inUse: boolean
  /** `auto`, bit 1: enabled: records every change of the guest disk. @see BMP-10 */
  readonly auto: boolean
  /** `extra_data_compatible`, bit 2: usable even by those who do not know the extra data. @see BMP-03 */
  readonly extraDataCompatible: boolean
}

/** The first 24 bytes of a bitmap directory entry. */
export interface BitmapFields {
  /** `bitmap_table_offset`, bytes 0 to 7: host offset of the bitmap table, cluster aligned. @see BMP-02 */
  readonly bitmapTableOffset: bigint
  /** `bitmap_table_size`, bytes 8 to 11: entries of the bitmap table. @see BMP-02 */
  readonly bitmapTableSize: number
  /** `flags`, bytes 12 to 15: in_use, auto, extra_data_compatible. @see BMP-02 */
  readonly flags: BitmapFlags
  /** `type`, byte 16: 1: dirty tracking bitmap. @see BMP-02 */
  readonly type: number
  /** `granularity_bits`, byte 17: a bit covers 1 << granularity_bits guest bytes. @see BMP-02 */
  readonly granularityBits: number
  /** `name_size`, bytes 18 to 19: bytes of the name, at least 1. @see BMP-02 */
  readonly nameSize: number
  /** `extra_data_size`, bytes 20 to 23: bytes of the extra data. @see BMP-02 */
  readonly extraDataSize: number
}

/** A bitmap directory entry. */
export interface BitmapEntry extends Omit<BitmapFields, 'nameSize' | 'extraDataSize'>, Padded {
  /** `extra_data`: never refers to clusters. @see BMP-02 */
  readonly extra: Uint8Array
  /** `name`: unique, not NUL terminated. @see BMP-02 */
  readonly name: Uint8Array
}

/** A bitmap table entry. */
export interface BitmapTableEntry extends Bits {
  /** `cluster_offset`, bits 9 to 55: host offset of a cluster of bits, cluster aligned; 0: none. @see BMP-05 */
  readonly clusterOffset: bigint
  /** `all_ones`, bit 0: without a cluster: all bits are 1, else all are 0. @see BMP-05 */
  readonly allOnes: boolean
}
