/** The places of an image that a step may name: header fields, and the structures that the header leads to. */

/** Header fields and their offsets. */
const fields: Readonly<Record<string, number>> = {
  magic: 0,
  version: 4,
  backing_file_offset: 8,
  backing_file_size: 16,
  cluster_bits: 20,
  size: 24,
  crypt_method: 32,
  l1_size: 36,
  l1_table_offset: 40,
  refcount_table_offset: 48,
  refcount_table_clusters: 56,
  nb_snapshots: 60,
  snapshots_offset: 64,
  incompatible_features: 72,
  compatible_features: 80,
  autoclear_features: 88,
  refcount_order: 96,
  header_length: 100,
  compression_type: 104,
  additional_fields: 112
}

type Place = (image: Buffer) => number

const u64 = (image: Buffer, at: number): bigint => image.readBigUInt64BE(at)
const bits = (from: number, width: number, word: bigint): number =>
  Number((word >> BigInt(from)) & ((1n << BigInt(width)) - 1n)) * 2 ** from

const pointer =
  (field: number): Place =>
  (image) =>
    Number(u64(image, field))
const offsetIn =
  (table: Place): Place =>
  (image) =>
    bits(9, 47, u64(image, table(image)))

/** Data of the bitmaps extension, in version 3. */
const bitmaps: Place = (image) => {
  let at = image.readUInt32BE(100)
  while (image.readUInt32BE(at) !== 0x23852875) at += 8 + Math.ceil(image.readUInt32BE(at + 4) / 8) * 8
  return at + 8
}

const l1 = pointer(40)
const l2 = offsetIn(l1)
const refcountTable = pointer(48)
const snapshotTable = pointer(64)
const bitmapDirectory: Place = (image) => Number(u64(image, bitmaps(image) + 16))
const bitmapTable: Place = (image) => Number(u64(image, bitmapDirectory(image)))
const payload: Place = (image) => bits(0, 70 - image.readUInt32BE(20), u64(image, l2(image)))

/** Structures: the active L1 table, the L2 table of its first entry, what that table's first entry points to, ... */
const structures: Readonly<Record<string, Place>> = {
  extensions: (image) => image.readUInt32BE(100),
  l1,
  l2,
  payload,
  refcount_table: refcountTable,
  refcount_block: offsetIn(refcountTable),
  snapshot_table: snapshotTable,
  bitmaps,
  bitmap_directory: bitmapDirectory,
  bitmap_table: bitmapTable
}

/** A number as steps write it: decimal or 0x, with an optional k or M. NaN when it is none. */
export const number = (text: string | undefined): number => {
  const [, digits, unit] = /^(0x[\da-f]+|\d+)([kM]?)$/.exec(text ?? '') ?? []
  return Number(digits ?? NaN) * (unit === 'k' ? 1024 : unit === 'M' ? 1024 ** 2 : 1)
}

/** Offset of a place in an image. NaN when there is no such place. */
export const place = (image: Buffer, text: string | undefined): number => {
  const [, name = '', more] = /^([a-z]\w*)(?:\+(\w+))?$/.exec(text ?? '') ?? []
  const start = fields[name] ?? structures[name]?.(image)
  return start === undefined ? number(text) : start + number(more ?? '0')
}
