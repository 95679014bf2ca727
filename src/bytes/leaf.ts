/** Leaves: how one field is stored. Total functions between a fixed number of big-endian bytes and a value. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import { bigJson, type JsonCodec, octetsJson, smallJson } from './json.js'
import type { Rule } from './judgement.js'

/**
 * Storage of one field of `size` bytes.
 *
 * Laws: `get(set(a)) = a` for every `a` that `is` takes; `set(get(bytes)) = bytes` for any `size` bytes.
 *
 * @see GEN-06
 */
export interface Leaf<A> {
  /** What a generator or a document needs to know of the storage. */
  readonly kind: 'number' | 'bigint' | 'octets' | 'bits'
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly json: JsonCodec<A>
  get(view: DataView, at: number): A
  set(view: DataView, at: number, a: A): void
  /** What the storage demands of its value, for leaves whose bits or bytes are not all free. */
  readonly rules: readonly Rule<A>[]
}

const number = (bits: 8 | 16 | 32): Leaf<number> => {
  const [get, set] = [`getUint${bits}`, `setUint${bits}`] as const
  return {
    kind: 'number',
    name: `u${bits}`,
    size: bits / 8,
    json: smallJson(`u${bits}`, 2 ** bits - 1),
    get: (view, at) => view[get](at),
    set: (view, at, a) => {
      view[set](at, a)
    },
    rules: []
  }
}

/** One byte. */
export const u8 = number(8)

/** Two bytes, big-endian. */
export const u16 = number(16)

/** Four bytes, big-endian. */
export const u32 = number(32)

/** The largest 64-bit number. */
export const maxU64 = 0xffff_ffff_ffff_ffffn

/** Eight bytes, big-endian; a bigint, so that any 64 bits survive. */
export const u64: Leaf<bigint> = {
  kind: 'bigint',
  name: 'u64',
  size: 8,
  json: bigJson('u64', maxU64),
  get: (v, at) => v.getBigUint64(at),
  set: (v, at, a) => {
    v.setBigUint64(at, a)
  },
  rules: []
}

/** A fixed number of bytes, kept as they are. */
export const octets = (size: number): Leaf<Uint8Array> => ({
  kind: 'octets',
  name: `${size} bytes`,
  size,
  json: octetsJson(`${size} bytes`, (n) => n === size),
  get: (v, at) => new Uint8Array(v.buffer, v.byteOffset + at, size).slice(),
  set: (v, at, a) => {
    for (let i = 0; i < size; i++) v.setUint8(at + i, a[i] ?? 0)
  },
  rules: []
})

/** Bytes that must be zero. */
export const zeros = (clause: ClauseId, source: Source = 'both'): Rule<Uint8Array> => ({
  clause,
  source,
  broken: (a) => a.some((b) => b !== 0),
  found: () => 'other bytes',
  expected: 'zeros'
})

/** A fixed number of bytes that must be zero, kept as they are when they are not. */
export const padding = (size: number, clause: ClauseId, source: Source = 'both'): Leaf<Uint8Array> => ({
  ...octets(size),
  rules: [zeros(clause, source)]
})
