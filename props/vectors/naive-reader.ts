/** A reader as somebody writes it in an afternoon, sound or with one fault. */
import { constants, inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { portable } from '../../src/compression/decompress.js'
import type { Fault } from './naive-faults.js'

class Refused extends Error {}

const refuseIf = (isRefused: boolean, why: string): void => {
  if (isRefused) throw new Refused(why)
}

const mask = 0x00ff_ffff_ffff_fe00n
const knownTypes = [0x6803_f857, 0x2385_2875, 0x0537_be77]

const inflate = (payload: Uint8Array): Uint8Array =>
  inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 22 })

/** The disk of an image and the files beside it. */
class Reader {
  private readonly view: DataView
  private readonly version: number
  private readonly bits: number
  private readonly cluster: number
  private readonly size: number
  private readonly l1Size: number
  private readonly l1At: number
  private readonly isExtended: boolean
  private readonly isZstd: boolean
  private readonly below: Uint8Array | undefined
  private readonly data: Uint8Array | undefined

  constructor(
    image: Uint8Array,
    files: ReadonlyMap<string, Uint8Array>,
    private readonly fault: Fault | undefined,
    private readonly reached: Set<Fault>
  ) {
    const bytes = new Uint8Array(Math.max(image.length, 512))
    bytes.set(image)
    this.view = new DataView(bytes.buffer)
    const u32 = (at: number): number => this.view.getUint32(at)
    const u64 = (at: number): bigint => this.view.getBigUint64(at)
    refuseIf(u32(0) !== 0x5146_49fb, 'magic')
    this.version = u32(4)
    refuseIf(![2, 3].includes(this.version) && !(this.version === 4 && this.has('accepts version 4')), 'version')
    this.bits = u32(20)
    refuseIf(this.bits < 9 && !(this.bits === 8 && this.has('accepts clusters of 256 bytes')), 'cluster_bits')
    refuseIf(this.bits === 21 && this.has('refuses clusters of 2 MiB'), 'cluster_bits')
    refuseIf(this.bits > 21 && !(this.bits === 22 && this.has('accepts clusters of 4 MiB')), 'cluster_bits')
    this.cluster = 2 ** this.bits
    refuseIf(image.length % this.cluster !== 0 && this.has('refuses a file that ends within a cluster'), 'length')
    this.size = Number(u64(24)) - (Number(u64(24)) % 512)
    refuseIf(this.size > 2 ** 25, 'large')
    const isPartial = this.size % this.cluster !== 0
    refuseIf(isPartial && this.has('refuses a size that is no multiple of the cluster size'), 'size')
    refuseIf(u32(32) > 2 || (u32(32) !== 0 && !this.has('ignores encryption')), 'encrypted')
    refuseIf(Number(u64(40)) % this.cluster !== 0 || Number(u64(48)) % this.cluster !== 0 || u32(56) === 0, 'tables')
    refuseIf(u32(56) * this.cluster > 2 ** 23 || u32(60) > 65536 || Number(u64(64)) % this.cluster !== 0, 'limits')
    const isSnapshot = u32(60) > 0 && this.has('uses the L1 table of the first snapshot')
    this.l1Size = isSnapshot ? u32(Number(u64(64)) + 8) : u32(36)
    this.l1At = Number(isSnapshot ? u64(Number(u64(64))) : u64(40))
    const isNew = this.version >= 3
    const headerLength = isNew ? u32(100) : 72
    const incompatible = isNew ? u64(72) : 0n
    this.isExtended = (incompatible & 16n) !== 0n
    this.isZstd = (incompatible & 8n) !== 0n && !this.has('ignores the compression type')
    if (isNew) this.judge(headerLength, incompatible)
    const needed = Math.ceil(this.size / (this.entries * this.cluster))
    refuseIf(this.l1Size < needed && !this.has('accepts an L1 table that is too small'), 'l1_size')
    refuseIf(this.l1Size > needed && this.has('refuses an L1 table larger than needed'), 'l1_size')
    const names = this.names(headerLength)
    const isRaw = isNew && (u64(88) & 2n) !== 0n
    const isExternal = (incompatible & 4n) !== 0n && !this.has('ignores the data file')
    const isIgnored = isExternal && isRaw && this.has('ignores a raw data file')
    this.data = isExternal && !isIgnored ? this.file(files, names.data) : undefined
    this.below = names.backing === '' ? undefined : this.backing(files, names.backing, names.format)
  }

  /** Whether this reader has a fault, asked where the fault makes a difference. */
  private has(fault: Fault): boolean {
    this.reached.add(fault)
    return this.fault === fault
  }

  private get entries(): number {
    const is8 = !this.isExtended || this.has('maps by 8 bytes an entry in extended L2 tables')
    return this.cluster / (is8 ? 8 : 16)
  }

  private judge(headerLength: number, incompatible: bigint): void {
    const { view } = this
    refuseIf(headerLength < 104 || headerLength > this.cluster, 'header_length')
    refuseIf(headerLength > 112 && this.has('refuses long headers'), 'header_length')
    const order = view.getUint32(96)
    refuseIf(order > 6 && !(order === 7 && this.has('accepts refcounts of 128 bits')), 'refcount_order')
    refuseIf(incompatible >> 5n !== 0n && !this.has('accepts unknown incompatible bits'), 'incompatible')
    refuseIf((incompatible & 1n) !== 0n && this.has('refuses dirty images'), 'dirty')
    refuseIf((incompatible & 2n) !== 0n && this.has('refuses corrupt images'), 'corrupt')
    refuseIf(view.getBigUint64(80) >> 1n !== 0n && this.has('refuses unknown compatible bits'), 'compatible')
    refuseIf(view.getBigUint64(88) >> 2n !== 0n && this.has('refuses unknown autoclear bits'), 'autoclear')
    refuseIf((view.getBigUint64(88) & 2n) !== 0n && (incompatible & 4n) === 0n, 'raw')
    const type = headerLength > 104 ? view.getUint8(104) : 0
    refuseIf(type > 1 && !this.has('accepts an unknown compression type'), 'compression type')
    refuseIf((type !== 0) !== ((incompatible & 8n) !== 0n), 'compression type')
    refuseIf(type !== 0 && this.has('refuses zstd'), 'compression type')
    refuseIf(this.isExtended && (this.bits < 14 || this.has('refuses extended L2 entries')), 'extended L2')
  }

  private names(headerLength: number): { readonly format: string; readonly data: string; readonly backing: string } {
    const { view } = this
    const nameAt = Number(view.getBigUint64(8))
    const nameLength = view.getUint32(16)
    refuseIf(nameAt > this.cluster || (nameAt > 0 && nameLength > Math.min(1023, this.cluster - nameAt)), 'name')
    const text = (at: number, length: number): string =>
      Buffer.from(view.buffer, view.byteOffset + at, length).toString('latin1')
    const isUnbounded = nameAt === 0 || this.has('reads extensions past the offset of the backing file name')
    const end = isUnbounded ? this.cluster : nameAt
    let format = ''
    let data = ''
    const isFixed =
      headerLength !== 104 && this.has(`looks for extensions ${this.version === 3 ? '' : 'of version 2 '}at byte 104`)
    let at = isFixed ? 104 : headerLength
    while (at + 8 <= end && at + 8 <= view.byteLength) {
      const type = view.getUint32(at)
      const length = view.getUint32(at + 4)
      if (type === 0) break
      refuseIf(at + 8 + length > end, 'extension')
      const isFormat = type === 0xe279_2aca
      refuseIf((isFormat && length > 15) || (type === 0x2385_2875 && length !== 24), 'extension')
      if (isFormat || (type === 0x6803_f857 && this.has('takes the feature names for the backing format')))
        format = text(at + 8, length)
      else if (type === 0x4441_5441) data = text(at + 8, length)
      else {
        const isUnknown = !knownTypes.includes(type)
        refuseIf(isUnknown && this.has('refuses unknown extensions'), 'extension')
        if (isUnknown && this.has('stops at an unknown extension')) break
      }
      at +=
        8 +
        (length % 8 === 0 || this.has('does not skip the padding of extensions') ? length : length + 8 - (length % 8))
    }
    return { format, data, backing: nameAt === 0 ? '' : text(nameAt, nameLength) }
  }

  private file(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
    const bytes = files.get(name)
    if (bytes === undefined) throw new Refused(`no file ${name}`)
    return bytes
  }

  private backing(files: ReadonlyMap<string, Uint8Array>, name: string, format: string): Uint8Array | undefined {
    if (this.has('ignores the backing file')) return undefined
    refuseIf(format !== 'raw' && format !== 'qcow2', 'backing format')
    const bytes = this.file(files, name)
    return format === 'raw' ? bytes : new Reader(bytes, files, this.fault, this.reached).disk()
  }

  private bytes(at: number, length: number): Uint8Array {
    const out = new Uint8Array(length)
    const { byteLength, buffer } = this.view
    if (at < byteLength) out.set(new Uint8Array(buffer, at, Math.min(length, byteLength - at)))
    return out
  }

  private word(at: number): bigint {
    return new DataView(this.bytes(at, 8).buffer).getBigUint64(0)
  }

  private decompressed(entry: bigint): Uint8Array {
    const isFixed = this.bits !== 16 && this.has('splits compressed entries as with clusters of 64 KiB')
    const bits = isFixed ? 16 : this.bits
    const x = BigInt(70 - bits)
    const at = Number(entry & ((1n << x) - 1n))
    const sectors = Number((entry >> x) & ((1n << BigInt(bits - 8)) - 1n))
    const isLess = this.has('reads one sector less of a payload')
    const more = isLess ? 0 : this.has('reads one sector more of a payload') ? 2 : 1
    const whole = (sectors + more) * 512 - (at % 512)
    const rest = this.cluster - (at % this.cluster)
    const length = Math.max(0, whole > rest && this.has('cuts a payload at the end of its cluster') ? rest : whole)
    const payload = this.bytes(at, length)
    const { isZstd, cluster } = this
    const decoded = isZstd ? portable.zstd(payload, cluster) : E.tryCatch(() => inflate(payload), String)
    if (E.isLeft(decoded)) throw new Refused('payload')
    refuseIf(decoded.right.length < cluster && !this.has('pads a cluster that decompresses to less'), 'payload')
    return new Uint8Array(Buffer.concat([decoded.right, new Uint8Array(cluster)]).subarray(0, cluster))
  }

  private masked(entry: bigint): bigint {
    const [wide, narrow, less] = [0x3fff_ffff_ffff_fe00n, 0xffff_fe00n, 0xffff_ffff_fe00n]
    const host = entry & mask
    if ((entry & wide) !== host && this.has('masks offsets too widely')) return entry & wide
    if ((entry & narrow) !== host && this.has('masks offsets to 32 bits')) return entry & narrow
    return (entry & less) !== host && this.has('masks offsets to 48 bits') ? entry & less : host
  }

  /** What is below the disk at a guest cluster. */
  private under(k: number): Uint8Array {
    const out = new Uint8Array(this.cluster)
    out.set(this.below?.subarray(k * this.cluster, (k + 1) * this.cluster) ?? [])
    return out
  }

  /** The bytes of a guest cluster; `undefined` where it is not allocated. */
  private at(k: number): Uint8Array | undefined {
    const { cluster, data, entries } = this
    const index = k >= entries && this.has('uses the first L1 entry alone') ? 0 : Math.floor(k / entries)
    const table = index < this.l1Size ? this.masked(this.word(this.l1At + 8 * index)) : 0n
    if (table === 0n) return undefined
    refuseIf(table % BigInt(cluster) !== 0n, 'L2 table')
    if (k % entries === entries - 1 && this.has('leaves out the last L2 entry')) return undefined
    const where = Number(table) + (this.isExtended ? 16 : 8) * (k % entries)
    const entry = this.word(where)
    const isFlagged = entry % 2n === 1n && !this.isExtended
    if ((entry >> 62n) % 2n === 1n) {
      refuseIf(data !== undefined && !this.has('reads compressed clusters beside a data file'), 'compressed')
      return this.decompressed(entry)
    }
    const zero = isFlagged && !this.has('ignores the zero flag')
    refuseIf(zero && this.version === 2 && !this.has('obeys the zero flag in version 2'), 'zero flag')
    if (zero) return new Uint8Array(cluster)
    const host = this.masked(entry)
    const isAtZero =
      entry >> 63n === 1n && host === 0n && (data !== undefined || this.has('takes a cluster at offset 0 for data'))
    const isHere = host !== 0n || isAtZero
    if (!isHere && !this.isExtended) return undefined
    refuseIf(host % BigInt(cluster) !== 0n && !this.has('reads unaligned data clusters'), 'data')
    const content = isHere ? this.content(Number(host), k) : undefined
    return this.isExtended ? this.subclusters(this.word(where + 8), content, k) : content
  }

  private content(host: number, k: number): Uint8Array {
    const { data, cluster } = this
    if (data === undefined) return this.bytes(host, cluster)
    refuseIf(host !== k * cluster && !this.has('reads another offset of the data file'), 'data file')
    const out = new Uint8Array(cluster)
    out.set(data.subarray(host, host + cluster))
    return out
  }

  private subclusters(bitmap: bigint, content: Uint8Array | undefined, k: number): Uint8Array {
    if (this.has('ignores the bits of subclusters')) return content ?? this.under(k)
    const out = this.has('reads unallocated subclusters as zeros') ? new Uint8Array(this.cluster) : this.under(k)
    const size = this.cluster / 32
    for (let i = 0; i < 32; i++) {
      const bit = BigInt(this.has('counts subclusters from the most significant bit') ? 31 - i : i)
      const low = (bitmap >> bit) % 2n === 1n
      const high = (bitmap >> (bit + 32n)) % 2n === 1n
      const [isData, isZero] = this.has('swaps the bits of subclusters') ? [high, low] : [low, high]
      refuseIf(isData && (isZero || content === undefined), 'subclusters')
      if (isZero) out.fill(0, i * size, (i + 1) * size)
      if (isData) out.set(content?.subarray(i * size, (i + 1) * size) ?? [], i * size)
    }
    return out
  }

  disk(): Uint8Array {
    const { size, cluster, below } = this
    const isBelows = below !== undefined && this.has('takes the length of the backing file for its own')
    const length = isBelows ? below.length : size
    const isCut = size % cluster !== 0 && this.has('drops the last partial cluster')
    const out = new Uint8Array(isCut ? size - (size % cluster) : length)
    for (let at = 0; at < Math.min(size, out.length); at += cluster) {
      const part = this.at(at / cluster)
      const isPast = part === undefined && below !== undefined && Math.min(at + cluster, size) > below.length
      refuseIf(isPast && this.has('fails past the end of the backing file'), 'backing')
      out.set((part ?? this.under(at / cluster)).subarray(0, out.length - at), at)
    }
    return out
  }
}

/**
 * The disk that the reader with a fault makes of an image; or why it refuses it. `reached` gets the faults that would have made
 * a difference: a fault that a sound reader does not reach changes nothing.
 */
export const naiveRead = (
  image: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  fault?: Fault,
  reached = new Set<Fault>()
): E.Either<string, Uint8Array> => E.tryCatch(() => new Reader(image, files, fault, reached).disk(), String)
