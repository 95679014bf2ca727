/**
 * What the bytes of an image say, for the reference reader and the reference checker. They share no code with the
 * package: slow, short, and straight from the format. Whether QEMU opens the image at all is taken as given.
 */

/** `length` bytes from `offset` on; past the end of the file they are zeros. @see GEN-03 */
export const bytesAt = (file: Uint8Array, offset: number, length: number): Uint8Array => {
  if (offset + length <= file.length) return file.subarray(offset, offset + length)
  const bytes = new Uint8Array(length)
  bytes.set(file.subarray(Math.min(offset, file.length)))
  return bytes
}

/** A number of `size` bytes. Where a double must round it, it is an offset past the end of any file. */
export const number = (file: Uint8Array, offset: number, size: number): number => {
  let sum = 0
  for (let i = 0; i < size; i++) sum = sum * 256 + (file[offset + i] ?? 0)
  return sum
}

/** A number of 64 bits. */
export const word = (file: Uint8Array, offset: number): bigint => {
  const high = number(file, offset, 4)
  const low = BigInt(number(file, offset + 4, 4))
  return high === 0 ? low : (BigInt(high) << 32n) + low
}

export const isSet = (bits: bigint, bit: number): boolean => ((bits >> BigInt(bit)) & 1n) === 1n

/** Bits 9 to 55 of an entry: a host offset. @see RD-04 */
export const offsetIn = (bits: bigint): number => Number(bits & 0x00ff_ffff_ffff_fe00n)

/** A table of 64-bit entries. */
export interface Table {
  readonly offset: number
  readonly isAligned: boolean
  readonly entries: number
}

/** The table whose offset is the number at `at`. */
export const tableAt = (file: Uint8Array, at: number, entries: number, clusterSize: number): Table => ({
  offset: number(file, at, 8),
  isAligned: word(file, at) % BigInt(clusterSize) === 0n,
  entries
})

/** QEMU reads zeros past the end of the file, but nothing from here on. */
export const readEnd = 2 ** 63 - 2 ** 30

/** Whether QEMU can read a table. */
export const isReadable = ({ offset, entries }: Table): boolean => entries === 0 || offset + 8 * entries <= readEnd

/** The entries of a table, without those past the end of the file, which are zeros. */
export const entriesOf = (file: Uint8Array, { offset, entries }: Table): readonly bigint[] => {
  const within = Math.min(entries, Math.max(0, Math.ceil((file.length - offset) / 8)))
  return Array.from({ length: within }, (_, i) => word(file, offset + 8 * i))
}

const headerOf = (file: Uint8Array) => {
  const version = number(file, 4, 4)
  const clusterSize = 2 ** number(file, 20, 4)
  const features = (at: number): bigint => (version === 2 ? 0n : word(file, at))
  return {
    file,
    version,
    clusterSize,
    /** Of the virtual disk, in bytes. @see HDR-08 */
    size: Math.floor(number(file, 24, 8) / 512) * 512,
    cryptMethod: number(file, 32, 4),
    isZstd: version === 3 && number(file, 100, 4) > 104 && number(file, 104, 1) === 1,
    refcountBits: 2 ** (version === 2 ? 4 : number(file, 96, 4)),
    hasDataFile: isSet(features(72), 2),
    extendedL2: isSet(features(72), 4),
    hasBitmaps: isSet(features(88), 0),
    l1: tableAt(file, 40, number(file, 36, 4), clusterSize),
    refcountTable: tableAt(file, 48, (number(file, 56, 4) * clusterSize) / 8, clusterSize)
  }
}

/** An image with its backing files and its data file. A raw backing file is its bytes. */
export interface Image extends ReturnType<typeof headerOf> {
  readonly dataFile: Uint8Array
  readonly backing: Disk | undefined
}
export type Disk = Image | Uint8Array

export const openImage = (file: Uint8Array, dataFile = file, backing?: Disk): Image => {
  const header = headerOf(file)
  return { ...header, dataFile: header.hasDataFile ? dataFile : file, backing }
}

/** A length in bytes, up to the end of its last sector. */
export const inSectors = (length: number): number => Math.ceil(length / 512) * 512
export const sizeOf = (disk: Disk): number => ('file' in disk ? disk.size : inSectors(disk.length))

/** A snapshot: its L1, the size of its extra data and of its disk, its names, and where in the table its entry ends. */
export interface Snapshot {
  readonly l1: Table
  readonly extraSize: number
  readonly size: number
  readonly id: string
  readonly name: string
  readonly end: number
}

const textAt = (file: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytesAt(file, at, length))

/** The snapshot table. @see SNAP-01 and SNAP-02 */
export const snapshotsOf = ({ file, clusterSize, size }: Image): readonly Snapshot[] => {
  const snapshots: Snapshot[] = []
  while (snapshots.length < number(file, 60, 4)) {
    const start = Math.ceil((snapshots.at(-1)?.end ?? 0) / 8) * 8
    const at = number(file, 64, 8) + start
    const [idSize, nameSize, extraSize] = [number(file, at + 12, 2), number(file, at + 14, 2), number(file, at + 36, 4)]
    const names = at + 40 + extraSize
    snapshots.push({
      l1: tableAt(file, at, number(file, at + 8, 4), clusterSize),
      extraSize,
      size: extraSize >= 16 ? number(file, at + 48, 8) : size,
      id: textAt(file, names, idSize),
      name: textAt(file, names + idSize, nameSize),
      end: start + 40 + extraSize + idSize + nameSize
    })
  }
  return snapshots
}

/** Where the data of the header extension of this type begins. @see EXT-01 and EXT-03 */
export const extensionOf = ({ file, version, clusterSize }: Image, type: number): number | undefined => {
  const nameOffset = number(file, 8, 8)
  const end = nameOffset === 0 ? clusterSize : nameOffset
  let at = version === 2 ? 72 : number(file, 100, 4)
  while (at < end && number(file, at, 4) !== 0) {
    if (number(file, at, 4) === type) return at + 8
    at += 8 + Math.ceil(number(file, at + 4, 4) / 8) * 8
  }
  return undefined
}

/** An L2 entry. A compressed one has no host cluster of its own. */
export interface Entry {
  readonly bits: bigint
  /** The subclusters of an extended entry. @see SUB-02 */
  readonly bitmap: bigint
  readonly isCompressed: boolean
  readonly hasZeroFlag: boolean
  readonly hasCluster: boolean
  readonly host: number
  /** Compressed, the payload is at most these many bytes. */
  readonly available: number
}

const unallocated: Entry = {
  bits: 0n,
  bitmap: 0n,
  isCompressed: false,
  hasZeroFlag: false,
  hasCluster: false,
  host: 0,
  available: 0
}

/** An entry of the L2 table at this offset. @see L2-03 and CMP-02 */
export const entryOf = (image: Image, table: number, index: number): Entry => {
  const { file, clusterSize, extendedL2, hasDataFile } = image
  const at = table + (extendedL2 ? 16 : 8) * index
  const bits = word(file, at)
  const bitmap = extendedL2 ? word(file, at + 8) : 0n
  if (bits === 0n && bitmap === 0n) return unallocated
  if (isSet(bits, 62)) {
    const x = 70 - Math.log2(clusterSize)
    const host = Number(BigInt.asUintN(x, bits))
    const sectors = 1 + Number(BigInt.asUintN(62, bits) >> BigInt(x))
    const available = sectors * 512 - (host % 512)
    return { bits, bitmap, isCompressed: true, hasZeroFlag: false, hasCluster: false, host, available }
  }
  const host = offsetIn(bits)
  const hasZeroFlag = isSet(bits, 0) && !extendedL2
  const hasCluster = host !== 0 || (hasDataFile && isSet(bits, 63) && !hasZeroFlag)
  return { bits, bitmap, isCompressed: false, hasZeroFlag, hasCluster, host, available: 0 }
}
