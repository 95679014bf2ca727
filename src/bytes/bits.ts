/** Bit fields: named bits and bit ranges of one word of 32 or 64 bits, everything else kept as `reserved`. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { ByteType, tooFew, whole } from './byte-type.js'
import type { Place } from './issue.js'
import { type FieldRule, type Rule, RuleTable } from './judgement.js'
import { type JsonCodec, bigJson, flagJson, isObject, type JsonType, jsonType, smallJson, misfit } from './json.js'
import { type Leaf, maxU64 } from './leaf.js'
import { Draft, objectJson, type JsonRow } from './object.js'
import { hex, viewOf } from './octets.js'
import { halves, type Halves } from './words.js'

interface BitRange {
  /** Lowest and highest bit, 0 being the least significant one of the word. */
  readonly lo: number
  readonly hi: number
  /** The format's own name. */
  readonly name: string
  readonly clause: ClauseId
  readonly doc: string
}

/**
 * A row of a bit field, by the kind of its value:
 * - `Flag`: one bit, a boolean
 * - `Masked`: a range of bits that stays where it is, a bigint: an offset in bytes whose low bits serve other ends
 * - `Count`: a range of at most 32 bits shifted down, a number
 */
export interface BitRow<Kind extends 'Flag' | 'Masked' | 'Count' = 'Flag' | 'Masked' | 'Count'> extends BitRange {
  readonly _tag: Kind
}

/** The row of a bit or a range of bits whose value is a `V`. */
type RowOf<V> = BitRow<V extends boolean ? 'Flag' : V extends number ? 'Count' : 'Masked'>

/** What every bit field has beside its rows. */
export interface Bits {
  /** The bits that no row names, in their places. */
  readonly reserved: bigint
}

/** The rows of a bit field whose value is an `A`, by the names that the bits have here. */
export type BitRows<A> = { readonly [K in Exclude<keyof A, 'reserved'>]: RowOf<A[K]> }

/** A leaf that knows its rows. */
export interface BitsLeaf<A> extends Leaf<A> {
  readonly kind: 'bits'
  readonly rows: BitRows<A>
  readonly json: JsonType<A>
  /** The rows of that JSON: those of the bit field, and the reserved bits. */
  readonly jsonRows: readonly JsonRow[]
  /** The bits no row names. */
  readonly reservedMask: bigint
  /** The value of a word. Law: `toWord(ofWord(w)) = w`. */
  ofWord(word: bigint): A
  toWord(a: A): bigint
}

/** Whether a field is a bit field. */
export const isBits = (leaf: Leaf<unknown>): leaf is BitsLeaf<Bits> => leaf.kind === 'bits'

const range =
  <Kind extends BitRow['_tag']>(_tag: Kind) =>
  (lo: number, hi: number, name: string, clause: ClauseId, doc: string): BitRow<Kind> => ({
    _tag,
    lo,
    hi,
    name,
    clause,
    doc
  })

/** A row of bits `lo` to `hi` that stay where they are. */
export const masked = range('Masked')

/** A row of bits `lo` to `hi` that are shifted down. */
export const count = range('Count')

/** A row of one bit. */
export const flag = (bit: number, name: string, clause: ClauseId, doc: string): BitRow<'Flag'> =>
  range('Flag')(bit, bit, name, clause, doc)

/** The mask of bits `lo` to `hi`. */
export const maskOf = ({ lo, hi }: Pick<BitRange, 'lo' | 'hi'>): bigint => (1n << BigInt(hi + 1)) - (1n << BigInt(lo))

/** The bits of a table entry that must be clear: reserved bits, and those of an offset below the cluster size. */
export const faultMask = (leaf: { readonly reservedMask: bigint }, offset: BitRow, clusterBits: number): Halves =>
  halves(leaf.reservedMask | BigInt.asUintN(clusterBits, maskOf(offset)))

/** A demand on the bits that no row names. */
type Reserved = Pick<Rule<unknown>, 'clause' | 'source' | 'refusal'>

const reservedRule = (reserved: Reserved): Rule<Bits> => ({
  ...reserved,
  part: 'reserved',
  broken: (a) => a.reserved !== 0n,
  found: (a) => hex(a.reserved),
  expected: 'reserved bits zero'
})

/** A row with its mask, whole and in halves. */
interface Compiled extends Halves {
  readonly key: string
  readonly row: BitRow
  readonly mask: bigint
}

/** The JSON of some bits of a word, in their places. */
const maskedJson = (name: string, mask: bigint): JsonType<bigint> => {
  const whole = bigJson(name, maxU64)
  return jsonType(
    name,
    (u): u is bigint => typeof u === 'bigint' && (u & ~mask) === 0n && u >= 0n,
    (u) => {
      const n = whole.decode(u)
      return E.isRight(n) && (n.right & ~mask) === 0n
        ? E.right(n.right)
        : E.left(misfit(u, `does not fit the mask ${hex(mask)}`))
    },
    (a) => whole.encode(a)
  )
}

const rowJson = (row: BitRow): JsonCodec<unknown> => {
  switch (row._tag) {
    case 'Flag':
      return flagJson
    case 'Count':
      return smallJson(row.name, Number(maskOf(row) >> BigInt(row.lo)))
    case 'Masked':
      return maskedJson(row.name, maskOf(row))
  }
}

/**
 * A word of `size` bytes cut into rows. `reserved` holds the bits no row names, in their places; `clause` says that they must be zero,
 * and is absent where they may be anything.
 *
 * @see L1-01 for an example
 */
export const bits = <A extends Bits>(
  name: string,
  rows: BitRows<A>,
  reserved?: Reserved,
  size: 4 | 8 = 8
): BitsLeaf<A> => {
  const compiled: readonly Compiled[] = Object.entries<BitRow>(rows).map(([key, row]) => {
    const mask = maskOf(row)
    return { key, row, mask, ...halves(mask) }
  })
  const reservedMask = maskOf({ lo: 0, hi: 8 * size - 1 }) & ~compiled.reduce((m, c) => m | c.mask, 0n)
  const { hi: reservedHi, lo: reservedLo } = halves(reservedMask)

  const wide = compiled.some((c) => c.row._tag !== 'Flag')

  /** The bigint of the word is asked for only where a row or a reserved bit needs it. */
  const read = (hi: number, lo: number, word: () => bigint): A => {
    const draft = new Draft<A>()
    const all = wide ? word() : 0n
    for (const c of compiled) {
      if (c.row._tag === 'Flag') draft.set(c.key, (hi & c.hi) !== 0 || (lo & c.lo) !== 0)
      else if (c.row._tag === 'Masked') draft.set(c.key, all & c.mask)
      else draft.set(c.key, Number((all & c.mask) >> BigInt(c.row.lo)))
    }
    draft.set('reserved', (hi & reservedHi) === 0 && (lo & reservedLo) === 0 ? 0n : word() & reservedMask)
    return draft.done()
  }

  const toWord = (a: A): bigint => {
    let word = a.reserved
    for (const { key, row, mask } of compiled) {
      const v: unknown = Reflect.get(a, key)
      if (v === true) word |= mask
      else if (typeof v === 'bigint') word |= v
      else if (typeof v === 'number') word |= BigInt(v) << BigInt(row.lo)
    }
    return word
  }

  const ofWord = (word: bigint): A => {
    const { hi, lo } = halves(word)
    return read(hi, lo, () => word)
  }

  const jsonRows: readonly JsonRow[] = [
    ...compiled.map(({ key, row }) => ({ key, name: row.name, json: rowJson(row) })),
    { key: 'reserved', name: 'reserved', json: maskedJson('reserved', reservedMask), absent: 0n }
  ]
  const is = (u: unknown): u is A => isObject(u) && jsonRows.every(({ key, json }) => json.is(u[key]))

  return {
    kind: 'bits',
    name,
    size,
    json: objectJson(name, jsonRows, is),
    jsonRows,
    rows,
    reservedMask,
    ofWord,
    toWord,
    get: (v, at) =>
      size === 8
        ? read(v.getUint32(at), v.getUint32(at + 4), () => v.getBigUint64(at))
        : read(0, v.getUint32(at), () => BigInt(v.getUint32(at))),
    set: (v, at, a) => {
      if (size === 8) v.setBigUint64(at, toWord(a))
      else v.setUint32(at, Number(toWord(a)))
    },
    rules: reserved === undefined ? [] : [reservedRule(reserved)]
  }
}

/** A bit field that is a whole table entry of 8 bytes. */
export class BitsType<A extends Bits> extends ByteType<A> {
  readonly _tag = 'BitsType'
  readonly leaf: BitsLeaf<A>
  /** What the bits must satisfy by themselves. */
  readonly rules: readonly FieldRule<A>[]

  constructor(leaf: BitsLeaf<A>, clause: ClauseId) {
    super({
      name: leaf.name,
      is: (u): u is A => leaf.json.is(u),
      read: (bytes) =>
        bytes.length < leaf.size
          ? E.left([tooFew(whole(leaf.name, leaf.size), bytes.length, clause)])
          : E.right(leaf.get(viewOf(bytes), 0)),
      write: (a) => {
        const bytes = new Uint8Array(leaf.size)
        leaf.set(viewOf(bytes), 0, a)
        return bytes
      },
      sizeOf: () => leaf.size,
      json: leaf.json,
      judge: (a) => new RuleTable(this, this.rules).judge(a, undefined)
    })
    this.leaf = leaf
    this.rules = leaf.rules.map(({ part = '', ...rule }) => ({ ...rule, field: part }))
  }

  /** The place of a bit or a range of bits, by the key of its row: all bytes of the word, in which bits have no bytes of their own. */
  placeOf(key: string): Place {
    return {
      structure: this.name,
      field: this.leaf.jsonRows.find((row) => row.key === key)?.name ?? key,
      at: 0,
      size: this.leaf.size
    }
  }
}

/** A table entry of 8 bytes from its bit field; `clause` states its layout. */
export const word = <A extends Bits>(leaf: BitsLeaf<A>, clause: ClauseId): BitsType<A> => new BitsType(leaf, clause)
