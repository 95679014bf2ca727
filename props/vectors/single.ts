/** Images with one feature each: how one is made from a base. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { fromHex } from '../../src/bytes/octets.js'
import type { Edit } from '../../src/bytes/edit.js'

/** A single: a base, bytes that are changed in it, and the clause that it is for. */
export interface Single {
  readonly id: string
  readonly title: string
  readonly clause: ClauseId
  readonly base: string
  readonly edits?: (image: DataView) => readonly Edit[]
}

export const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

export const put = (at: number, hex: string): Edit => ({ _tag: 'Put', at, bytes: fromHex(hex) ?? new Uint8Array() })
export const at = (offset: number, hex: string) => (): readonly Edit[] => [put(offset, hex)]
export const word = (value: bigint): string => (value & (2n ** 64n - 1n)).toString(16).padStart(16, '0')
export const half = (value: number): string => value.toString(16).padStart(8, '0')

export const refcountTableAt = (image: DataView): number => Number(image.getBigUint64(48))
/** Where the first refcount block begins. */
export const refcountBlockAt = (image: DataView): number => Number(image.getBigUint64(refcountTableAt(image)))

/** The refcount of a cluster, in the first block, of 16 bits. */
export const refcount =
  (cluster: number, count: number) =>
  (image: DataView): readonly Edit[] => [put(refcountBlockAt(image) + 2 * cluster, count.toString(16).padStart(4, '0'))]

/** Where the extensions of a base without any, and the first one of a base with some, begin. */
export const extensionsAt = 112

const offsetOf = (entry: bigint): number => Number(entry & 0x00ff_ffff_ffff_fe00n)
export const l1At = (image: DataView): number => Number(image.getBigUint64(40))
export const l2At = (image: DataView): number => offsetOf(image.getBigUint64(l1At(image)))

/** The word at a place with some of its bits flipped. */
export const flip =
  (place: (image: DataView) => number, bits: bigint) =>
  (image: DataView): readonly Edit[] => [put(place(image), word(image.getBigUint64(place(image)) ^ bits))]

/** Entry `index` of the first L2 table, of 8 bytes, with some of its bits flipped. */
export const l2Entry = (index: number, bits: bigint) => flip((image) => l2At(image) + 8 * index, bits)

/** The first L1 entry with some of its bits flipped. */
export const l1Entry = (bits: bigint) => flip(l1At, bits)

/** So many sectors more in each compressed entry of the first L2 table that can have them. */
export const moreSectors =
  (more: bigint) =>
  (image: DataView): readonly Edit[] => {
    const bits = image.getUint32(20)
    const x = BigInt(70 - bits)
    const most = 1n << BigInt(bits - 8)
    return range(0, 2 ** bits / 8 - 1).flatMap((i) => {
      const where = l2At(image) + 8 * i
      const entry = image.getBigUint64(where)
      const sectors = ((entry >> x) % most) + more
      return entry >> 62n !== 1n || sectors < 0n || sectors >= most ? [] : [put(where, word(entry + (more << x)))]
    })
  }

/** Where the name of a backing file is put, that longer headers leave room. */
const nameAt = 400

/** The header made longer by a field: the extensions follow it, and the name of the backing file lies further on. */
export const longer =
  (length: number, field: string) =>
  (image: DataView): readonly Edit[] => {
    const name = Number(image.getBigUint64(8))
    return [
      ...(name === 0
        ? []
        : [{ _tag: 'Copy', at: nameAt, from: name, size: image.getUint32(16) } as const, put(8, word(BigInt(nameAt)))]),
      { _tag: 'Copy', at: length, from: 112, size: 24 },
      { _tag: 'Fill', at: length + 24, size: Math.max(0, name + image.getUint32(16) - length - 24), byte: 0 },
      { _tag: 'Fill', at: 112, size: length - 112, byte: 0 },
      put(100, half(length)),
      put(112, field)
    ]
  }

/** The name of the backing file moved, so that it begins at `name`. */
export const nameMoved =
  (name: number) =>
  (image: DataView): readonly Edit[] => [
    { _tag: 'Copy', at: name, from: Number(image.getBigUint64(8)), size: image.getUint32(16) },
    { _tag: 'Fill', at: Number(image.getBigUint64(8)), size: image.getUint32(16), byte: 0 },
    put(8, word(BigInt(name)))
  ]

export const single = (clause: ClauseId, id: string, title: string, base: string, edits?: Single['edits']): Single => ({
  clause,
  id,
  title,
  base,
  ...(edits === undefined ? {} : { edits })
})
