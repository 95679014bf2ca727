/** Redaction: tables of records without what may be private in them. Lengths stay, and zeros, which rules ask for. */
import * as E from 'fp-ts/lib/Either.js'
import { toEight } from '../../bytes/entry.js'
import { toHex, toText, viewOf } from '../../bytes/octets.js'
import { bitmapFixed } from '../../format/bitmap-directory.js'
import { extensionRecord } from '../../format/extension.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { maxBackingFormat } from '../../format/limits.js'
import { type LuksHeader, luksHeader, luksSize, type LuksSlot, luksSlot, luksSlots } from '../../format/luks.js'
import { snapshotExtra, snapshotFixed } from '../../format/snapshot.js'

/** What a name is replaced by, which is as long. */
export type Rename = (name: Uint8Array) => Uint8Array

const letterX = 0x78

/** The same bytes with an `x` for each that is not 0. */
export const masked = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => (byte === 0 ? 0 : letterX))

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i)
const letters = [...range(0x61, 0x7b), ...range(0x41, 0x5b), ...range(0x30, 0x3a)]
/** All bytes but 0, letters and digits first. */
const allBytes = [...letters, ...range(1, 256).filter((byte) => !letters.includes(byte))]

/** Shortest name that letters and digits alone distinguish from all others that an image can have. */
const longEnough = 3

/** Names in the place of others: equal ones for equal names, different ones for different names. One walk owns them. */
export class Pseudonyms {
  private readonly known = new Map<string, Uint8Array>()
  /** How many names have got one, by length and by the places of their zeros. */
  private readonly counts = new Map<string, number>()

  /** The name in the place of this one. It has its zeros. */
  readonly of: Rename = (name) => {
    const key = toHex(name)
    const known = this.known.get(key)
    if (known !== undefined) return known
    const kind = toHex(masked(name))
    const n = this.counts.get(kind) ?? 0
    this.counts.set(kind, n + 1)
    const made = this.nth(name, n)
    this.known.set(key, made)
    return made
  }

  private nth(name: Uint8Array, n: number): Uint8Array {
    const places = [...name.keys()].filter((i) => name[i] !== 0)
    const digits = places.length < longEnough ? allBytes : letters
    const out = new Uint8Array(name.length)
    let rest = n
    for (const i of places.toReversed()) {
      out[i] = digits[rest % digits.length] ?? 0
      rest = Math.floor(rest / digits.length)
    }
    return out
  }
}

/** A part of a record. */
interface Part {
  readonly size: number
  readonly as: 'kept' | 'masked' | 'name'
}

/** A kind of record: a head, which is kept, parts, and padding to a multiple of 8, which is masked. */
export interface RecordKind {
  /** Bytes of the head. */
  readonly head: number
  /** The parts by the head at byte `at`; `undefined` where the records end. */
  readonly parts: (bytes: Uint8Array, at: number) => readonly Part[] | undefined
}

/** A table of records without what may be private, as far as its bytes go. */
export const redactRecords = (bytes: Uint8Array, { head, parts }: RecordKind, rename: Rename): Uint8Array => {
  const out = masked(bytes)
  for (let at = 0; at < bytes.length; at += toEight(at)) {
    out.set(bytes.subarray(at, at + head), at)
    const after = at + head <= bytes.length ? parts(bytes, at) : undefined
    if (after === undefined) break
    at += head
    for (const { size, as } of after) {
      const part = bytes.subarray(at, at + size)
      if (part.length > 0 && as !== 'masked') out.set(as === 'name' ? rename(part) : part, at)
      at += size
    }
  }
  return out
}

const keptTypes: readonly number[] = [extensionTypes.Encryption, extensionTypes.FeatureNames, extensionTypes.Bitmaps]

/** What becomes of the data of an extension: names of files are replaced, and what is unknown is masked. */
const extensionPart = (type: number, size: number): Part => {
  if (type === extensionTypes.DataFile) return { size, as: 'name' }
  const kept = type === extensionTypes.BackingFormat ? size <= maxBackingFormat : keptTypes.includes(type)
  return { size, as: kept ? 'kept' : 'masked' }
}

export const extensionRecords: RecordKind = {
  head: extensionRecord.fixed.size,
  parts: (bytes, at) => {
    const { type, length } = extensionRecord.fixed.at(viewOf(bytes.subarray(at)))
    return type === extensionTypes.end ? undefined : [extensionPart(type, length)]
  }
}

/** Ids that QEMU gives are numbers. */
const isNumber = (id: Uint8Array): boolean => /^\d*$/.test(toText(id) ?? '-')

/** Bytes of the extra data of a snapshot whose meaning is known. */
const knownExtra = snapshotExtra.rows.reduce((end, { at, row }) => Math.max(end, at + row.as.size), 0)

export const snapshotRecords: RecordKind = {
  head: snapshotFixed.size,
  parts: (bytes, at) => {
    const { extraDataSize, idSize, nameSize } = snapshotFixed.at(viewOf(bytes.subarray(at)))
    const id = at + snapshotFixed.size + extraDataSize
    const known = Math.min(extraDataSize, knownExtra)
    return [
      { size: known, as: 'kept' },
      { size: extraDataSize - known, as: 'masked' },
      { size: idSize, as: isNumber(bytes.subarray(id, id + idSize)) ? 'kept' : 'name' },
      { size: nameSize, as: 'name' }
    ]
  }
}

export const bitmapRecords: RecordKind = {
  head: bitmapFixed.size,
  parts: (bytes, at) => {
    const { extraDataSize, nameSize } = bitmapFixed.at(viewOf(bytes.subarray(at)))
    return [
      { size: extraDataSize, as: 'masked' },
      { size: nameSize, as: 'name' }
    ]
  }
}

/** A LUKS header with its slots, as bytes, without digest, salts and UUID. */
export const redactLuks = (bytes: Uint8Array): Uint8Array => {
  const out = masked(bytes.subarray(0, luksSize))
  const header = luksHeader.decode(bytes)
  if (E.isLeft(header)) return out
  const { mkDigest, mkDigestSalt, uuid, ...kept } = header.right
  const plain: LuksHeader = {
    ...kept,
    mkDigest: masked(mkDigest),
    mkDigestSalt: masked(mkDigestSalt),
    uuid: masked(uuid)
  }
  out.set(luksHeader.encode(plain))
  for (const i of range(0, luksSlots)) {
    const at = luksHeader.size + i * luksSlot.size
    const slot = luksSlot.decodeAt(bytes, at)
    if (E.isRight(slot)) {
      const bare: LuksSlot = { ...slot.right, salt: masked(slot.right.salt) }
      out.set(luksSlot.encode(bare), at)
    }
  }
  return out
}
