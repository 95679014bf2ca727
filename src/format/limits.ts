/** Named limits. Each bounds a length before anything is allocated or walked for it. */

/** Smallest cluster: 512 bytes. @see HDR-01 and OPEN-03 */
export const minClusterBits = 9
/** Largest cluster QEMU opens: 2 MiB. @see OPEN-03 */
export const maxClusterBits = 21
/** Smallest cluster with extended L2 entries: a subcluster is at least a sector. @see SUB-01 */
export const minExtendedClusterBits = 14
/** Subclusters in a cluster with extended L2 entries. @see SUB-01 */
export const subclusters = 32
/** Shortest header of version 3: its fixed fields. @see HDR-02 */
export const minHeaderLength = 104
/** Bytes of a sector, the unit of sizes and of compressed lengths. @see CMP-01 and HDR-08 */
export const sectorSize = 512
/** Widest refcount, as a power of two: 64 bits. @see REF-02 */
export const maxRefcountOrder = 6
/** Bytes of a backing file name. @see BACK-01 */
export const maxBackingName = 1023
/** Bytes of a backing file format; QEMU refuses one more. @see EXT-06 */
export const maxBackingFormat = 15
/** Entries of an L1 table: 32 MiB. @see L1-03 */
export const maxL1Entries = 4_194_304
/** L1 entries that QEMU can count for the size of a disk. @see OPEN-21 */
export const maxCountableL1 = 0x7fff_ffffn
/** Bytes of a refcount table. @see REF-06 */
export const maxRefcountTable = 8_388_608
/** Largest host offset or length QEMU handles in a table. @see OPEN-16 */
export const maxOffset = 0x7fff_ffff_ffff_ffffn
/** End of the host bytes QEMU can read at all: it fails to load a table that reaches past it. @see OPEN-20 */
export const maxReadable = 0x7fff_ffff_c000_0000n
/** HMACs of the key derivations that trying one password may take: half a minute to a minute of node:crypto. @see LUKS-03 */
export const maxKeyDerivation = 2 ** 28
/** First host offset a cluster can no longer have. @see L2-09 */
export const hostEnd = 1n << 56n
/** Entries of a snapshot table. @see SNAP-07 */
export const maxSnapshots = 65_536
/** Bytes of a snapshot table. @see SNAP-07 */
export const maxSnapshotTable = 67_108_864
/** Fewest bytes of a snapshot's extra data in version 3. @see SNAP-02 */
export const minSnapshotExtra = 16
/** Bytes of a snapshot's extra data. @see SNAP-03 */
export const maxSnapshotExtra = 1024
/** Bitmaps in a directory. @see BMP-12 */
export const maxBitmaps = 65_535
/** Bytes of a bitmap directory. @see BMP-12 */
export const maxBitmapDirectory = 65_535 * 1024
/** Bytes of a bitmap name. @see BMP-02 */
export const maxBitmapName = 1023
/** Entries of a bitmap table. @see BMP-12 */
export const maxBitmapTable = 0x800_0000
/** Bytes of the bitmap tables of an image that are read. @see BMP-12 */
export const maxBitmapTables = 2 ** 28
/** Bytes of a bitmap's data. @see BMP-12 */
export const maxBitmapData = 536_870_912
/** Smallest and largest granularity of a bitmap QEMU loads, as powers of two. @see BMP-02 */
export const minGranularityBits = 9
export const maxGranularityBits = 31
