/** A reader as somebody writes it in an afternoon, and the faults that such readers have. */
import { inflateRawSync, constants } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'

/** The faults, each with the clauses of which a report must name one first. */
export const faults = [
  ['refuses clusters of 2 MiB', 'OPEN-03'],
  ['accepts clusters of 4 MiB', 'OPEN-03'],
  ['accepts clusters of 256 bytes', 'OPEN-03'],
  ['accepts refcounts of 128 bits', 'OPEN-12', 'REF-02'],
  ['refuses long headers', 'HDR-03'],
  ['looks for extensions at byte 104', 'EXT-01'],
  ['refuses unknown extensions', 'EXT-12'],
  ['accepts unknown incompatible bits', 'FEAT-01', 'OPEN-09'],
  ['refuses unknown compatible bits', 'FEAT-02'],
  ['refuses unknown autoclear bits', 'FEAT-03'],
  ['accepts an L1 table that is too small', 'OPEN-22', 'HDR-09'],
  ['masks offsets too widely', 'RD-04', 'L1-04'],
  ['ignores the zero flag', 'L2-03'],
  ['obeys the zero flag in version 2', 'L2-05', 'L2-02'],
  ['reads one sector less of a payload', 'CMP-02'],
  ['reads one sector more of a payload', 'CMP-02'],
  ['cuts a payload at the end of its cluster', 'CMP-05'],
  ['ignores the backing file', 'BACK-06'],
  ['fails past the end of the backing file', 'RD-07'],
  ['drops the last partial cluster', 'RD-08'],
  ['ignores the data file', 'DATA-01'],
  ['uses the first L1 entry alone', 'L1-02', 'L1-01']
] as const satisfies readonly (readonly [name: string, ...clauses: readonly ClauseId[]])[]

export type Fault = (typeof faults)[number][0]

class Refused extends Error {}

const refuseIf = (isRefused: boolean, why: string): void => {
  if (isRefused) throw new Refused(why)
}

const mask = 0x00ff_ffff_ffff_fe00n
const wideMask = 0x3fff_ffff_ffff_fe00n
const knownTypes = [0x6803_f857, 0x2385_2875, 0x0537_be77]

/** The disk of an image and the files beside it. */
class Reader {
  private readonly view: DataView
  private readonly version: number
  private readonly bits: number
  private readonly cluster: number
  private readonly size: number
  private readonly l1Size: number
  private readonly l1At: number
  private readonly below: Uint8Array | undefined
  private readonly data: Uint8Array | undefined

  constructor(
    image: Uint8Array,
    files: ReadonlyMap<string, Uint8Array>,
    private readonly fault: Fault | undefined
  ) {
    const bytes = new Uint8Array(Math.max(image.length, 512))
    bytes.set(image)
    this.view = new DataView(bytes.buffer)
    const u32 = (at: number): number => this.view.getUint32(at)
    const u64 = (at: number): bigint => this.view.getBigUint64(at)
    refuseIf(u32(0) !== 0x5146_49fb, 'magic')
    this.version = u32(4)
    refuseIf(this.version !== 2 && this.version !== 3, 'version')
    this.bits = u32(20)
    const least = fault === 'accepts clusters of 256 bytes' ? 8 : 9
    const most = fault === 'refuses clusters of 2 MiB' ? 20 : fault === 'accepts clusters of 4 MiB' ? 22 : 21
    refuseIf(this.bits < least || this.bits > most, 'cluster_bits')
    this.cluster = 2 ** this.bits
    this.size = Number(u64(24)) - (Number(u64(24)) % 512)
    refuseIf(this.size > 2 ** 24, 'large')
    refuseIf(u32(32) !== 0, 'encrypted')
    this.l1Size = u32(36)
    this.l1At = Number(u64(40))
    refuseIf(this.l1At % this.cluster !== 0 || Number(u64(48)) % this.cluster !== 0 || u32(56) === 0, 'tables')
    refuseIf(u32(56) * this.cluster > 2 ** 23 || u32(60) > 65536 || Number(u64(64)) % this.cluster !== 0, 'limits')
    const isNew = this.version === 3
    const headerLength = isNew ? u32(100) : 72
    const incompatible = isNew ? u64(72) : 0n
    if (isNew) this.judge(headerLength, incompatible)
    const entries = this.cluster / 8
    const needed = Math.ceil(this.size / (entries * this.cluster))
    refuseIf(this.l1Size < needed && fault !== 'accepts an L1 table that is too small', 'l1_size')
    const names = this.names(headerLength)
    const isExternal = (incompatible & 4n) !== 0n
    this.data = isExternal && fault !== 'ignores the data file' ? this.file(files, names.data) : undefined
    this.below = names.backing === '' ? undefined : this.backing(files, names.backing, names.format)
  }

  private judge(headerLength: number, incompatible: bigint): void {
    const { fault, view } = this
    refuseIf(headerLength < 104 || headerLength > this.cluster, 'header_length')
    refuseIf(fault === 'refuses long headers' && headerLength > 112, 'header_length')
    refuseIf(view.getUint32(96) > (fault === 'accepts refcounts of 128 bits' ? 7 : 6), 'refcount_order')
    refuseIf(fault !== 'accepts unknown incompatible bits' && incompatible >> 5n !== 0n, 'incompatible')
    refuseIf(fault === 'refuses unknown compatible bits' && view.getBigUint64(80) >> 1n !== 0n, 'compatible')
    refuseIf(fault === 'refuses unknown autoclear bits' && view.getBigUint64(88) >> 2n !== 0n, 'autoclear')
    const type = headerLength > 104 ? view.getUint8(104) : 0
    refuseIf(type !== 0 || (incompatible & 8n) !== 0n, 'compression type')
    refuseIf((incompatible & 16n) !== 0n, 'extended L2')
  }

  private names(headerLength: number): { readonly format: string; readonly data: string; readonly backing: string } {
    const { view, fault } = this
    const nameAt = Number(view.getBigUint64(8))
    const nameLength = view.getUint32(16)
    refuseIf(nameAt > this.cluster || (nameAt > 0 && nameLength > Math.min(1023, this.cluster - nameAt)), 'name')
    const text = (at: number, length: number): string =>
      Buffer.from(view.buffer, view.byteOffset + at, length).toString('latin1')
    const end = nameAt === 0 ? this.cluster : nameAt
    let format = ''
    let data = ''
    let at = fault === 'looks for extensions at byte 104' && this.version === 3 ? 104 : headerLength
    while (at + 8 <= end && at + 8 <= view.byteLength) {
      const type = view.getUint32(at)
      const length = view.getUint32(at + 4)
      if (type === 0) break
      refuseIf(at + 8 + length > end, 'extension')
      if (type === 0xe279_2aca) format = text(at + 8, length)
      else if (type === 0x4441_5441) data = text(at + 8, length)
      else refuseIf(fault === 'refuses unknown extensions' && !knownTypes.includes(type), 'extension')
      at += 8 + Math.ceil(length / 8) * 8
    }
    return { format, data, backing: nameAt === 0 ? '' : text(nameAt, nameLength) }
  }

  private file(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
    const bytes = files.get(name)
    if (bytes === undefined) throw new Refused(`no file ${name}`)
    return bytes
  }

  private backing(files: ReadonlyMap<string, Uint8Array>, name: string, format: string): Uint8Array | undefined {
    if (this.fault === 'ignores the backing file') return undefined
    refuseIf(format !== 'raw' && format !== 'qcow2', 'backing format')
    const bytes = this.file(files, name)
    return format === 'raw' ? bytes : new Reader(bytes, files, this.fault).disk()
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

  private inflated(entry: bigint): Uint8Array {
    const x = BigInt(70 - this.bits)
    const at = Number(entry & ((1n << x) - 1n))
    const sectors = Number((entry >> x) & ((1n << BigInt(this.bits - 8)) - 1n))
    const more =
      this.fault === 'reads one sector less of a payload'
        ? 0
        : this.fault === 'reads one sector more of a payload'
          ? 2
          : 1
    const whole = (sectors + more) * 512 - (at % 512)
    const length =
      this.fault === 'cuts a payload at the end of its cluster'
        ? Math.min(whole, this.cluster - (at % this.cluster))
        : whole
    const out = E.tryCatch(
      () =>
        inflateRawSync(this.bytes(at, Math.max(0, length)), {
          finishFlush: constants.Z_SYNC_FLUSH,
          maxOutputLength: 2 ** 22
        }),
      () => new Refused('deflate')
    )
    if (E.isLeft(out) || out.right.length < this.cluster) throw new Refused('deflate')
    return out.right.subarray(0, this.cluster)
  }

  /** The bytes of a guest cluster; `undefined` where it is not allocated. */
  private at(k: number): Uint8Array | undefined {
    const { fault, cluster } = this
    const entries = cluster / 8
    const index = fault === 'uses the first L1 entry alone' ? 0 : Math.floor(k / entries)
    const offsets = fault === 'masks offsets too widely' ? wideMask : mask
    const table = index < this.l1Size ? this.word(this.l1At + 8 * index) & offsets : 0n
    if (table === 0n) return undefined
    refuseIf(table % BigInt(cluster) !== 0n, 'L2 table')
    const entry = this.word(Number(table) + 8 * (k % entries))
    if ((entry >> 62n) % 2n === 1n) {
      refuseIf(this.data !== undefined, 'compressed')
      return this.inflated(entry)
    }
    const zero = entry % 2n === 1n && fault !== 'ignores the zero flag'
    refuseIf(zero && this.version === 2 && fault !== 'obeys the zero flag in version 2', 'zero flag')
    if (zero) return new Uint8Array(cluster)
    const host = entry & offsets
    if (host === 0n && !(this.data !== undefined && entry >> 63n === 1n)) return undefined
    refuseIf(host % BigInt(cluster) !== 0n, 'data')
    if (this.data === undefined) return this.bytes(Number(host), cluster)
    refuseIf(Number(host) !== k * cluster, 'data file')
    const out = new Uint8Array(cluster)
    out.set(this.data.subarray(Number(host), Number(host) + cluster))
    return out
  }

  disk(): Uint8Array {
    const { size, cluster, below, fault } = this
    const out = new Uint8Array(fault === 'drops the last partial cluster' ? size - (size % cluster) : size)
    for (let at = 0; at < out.length; at += cluster) {
      const part = this.at(at / cluster)
      refuseIf(
        fault === 'fails past the end of the backing file' &&
          part === undefined &&
          below !== undefined &&
          Math.min(at + cluster, size) > below.length,
        'backing'
      )
      out.set((part ?? below?.subarray(at, at + cluster) ?? new Uint8Array()).subarray(0, out.length - at), at)
    }
    return out
  }
}

/** The disk that the reader with a fault makes of an image; or why it refuses it. */
export const naiveRead = (
  image: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  fault?: Fault
): E.Either<string, Uint8Array> => E.tryCatch(() => new Reader(image, files, fault).disk(), String)
