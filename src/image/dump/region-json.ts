/** The JSON of regions: each structure by its codec, tables as runs, without losing a bit. */
import * as E from 'fp-ts/lib/Either.js'
import type { ByteType } from '../../bytes/byte-type.js'
import { rawBytes } from '../../bytes/byte-type.js'
import {
  anyOctetsJson,
  bigJson,
  inside,
  integerToJson,
  isObject,
  type Json,
  type JsonObject,
  readJson,
  smallJson,
  misfit
} from '../../bytes/json.js'
import { maxU64 } from '../../bytes/leaf.js'
import { viewOf } from '../../bytes/octets.js'
import { Words } from '../../bytes/words.js'
import { bitmapDirectory } from '../../format/bitmap-directory.js'
import { bitmapTableEntry } from '../../format/bitmap.js'
import { extensionArea } from '../../format/extension-area.js'
import type { Geometry } from '../../format/geometry.js'
import { header } from '../../format/header.js'
import { l1Entry } from '../../format/l1.js'
import { l2Entry } from '../../format/l2-entry.js'
import { maxRefcount, refcountTableEntry, setRefcount } from '../../format/refcount.js'
import { snapshotEntry, snapshotTable } from '../../format/snapshot.js'
import { RefcountView } from '../../format/views.js'
import type { Region, Structure } from './regions.js'
import { bitRuns, refcountRuns, wordRuns } from './table-runs.js'

/** How a structure turns into JSON and back. */
interface Form {
  readonly toJson: (bytes: Uint8Array) => JsonObject
  readonly toBytes: (u: Readonly<Record<string, unknown>>) => E.Either<string, Uint8Array>
}

/** A structure with a codec of its own: its JSON is under `value`, or its bytes are under `bytes` where they do not decode. */
const whole = <A>(type: (bytes: Uint8Array | undefined, u: unknown) => ByteType<A>): Form => ({
  toJson: (bytes) => {
    const codec = type(bytes, undefined)
    const a = codec.read(bytes)
    return E.isRight(a) && codec.sizeOf(a.right) === bytes.length
      ? { value: codec.json.encode(a.right) }
      : { bytes: anyOctetsJson.encode(bytes) }
  },
  toBytes: (u) => {
    if (u['bytes'] !== undefined) return inside('bytes')(readJson(anyOctetsJson)(u['bytes']))
    const codec = type(undefined, u['value'])
    return E.map((a: A) => codec.encode(a))(inside('value')(readJson(codec.json)(u['value'])))
  }
})

const index = smallJson('index', Number.MAX_SAFE_INTEGER)
const positive = smallJson('count', Number.MAX_SAFE_INTEGER)

interface Placing {
  readonly index: number
  readonly count: number
  readonly step: number
  readonly rest: Readonly<Record<string, unknown>>
}

/** The placing of a run, and the fields of its entries. Refused where the run leaves the table. */
const placing = (u: unknown, length: number): E.Either<string, Placing> => {
  if (!isObject(u)) return E.left(misfit(u, 'is not an object'))
  const { index: i, count: c = 1, step: s = 0, ...rest } = u
  const read = [
    inside('index')(readJson(index)(i)),
    inside('count')(readJson(positive)(c)),
    inside('step')(readJson(index)(s))
  ]
  const bad = read.find(E.isLeft)
  if (bad !== undefined) return bad
  const [at, count, step] = read.map((e) => (E.isRight(e) ? e.right : 0))
  return (at ?? 0) + (count ?? 0) > length
    ? E.left(`index ${at} and count ${count} leave a table of ${length} entries`)
    : E.right({ index: at ?? 0, count: count ?? 0, step: step ?? 0, rest })
}

/** Runs of a table, one after the other, into the table's bytes. */
const fromRuns = (
  u: Readonly<Record<string, unknown>>,
  entryBits: number,
  put: (view: DataView, p: Placing) => E.Either<string, unknown>
): E.Either<string, Uint8Array> => {
  const entries = inside('entries')(readJson(smallJson('a number of entries', 2 ** 28))(u['entries']))
  if (E.isLeft(entries)) return entries
  const runs = u['runs']
  if (!Array.isArray(runs)) return E.left(`runs: ${misfit(runs, 'is not a list')}`)
  const bytes = new Uint8Array((entries.right * entryBits) / 8)
  const view = viewOf(bytes)
  for (const [i, run] of runs.entries()) {
    const done = inside(`runs: ${i}`)(E.chain((p: Placing) => put(view, p))(placing(run, entries.right)))
    if (E.isLeft(done)) return done
  }
  return E.right(bytes)
}

/** A table of fixed entries whose first word may step from one to the next. */
const table = <A>(type: ByteType<A>, size: 8 | 16): Form => ({
  toJson: (bytes) => {
    const runs = [...wordRuns(new Words(bytes), size / 8)].map((run): Json => {
      const a = type.read(bytes.subarray(run.index * size))
      const what = E.isRight(a) ? type.json.encode(a.right) : {}
      return {
        index: run.index,
        ...(run.count === 1 ? {} : { count: run.count }),
        ...(run.step === 0 ? {} : { step: run.step }),
        ...(isObject(what) ? what : {})
      }
    })
    return { entries: bytes.length / size, runs }
  },
  toBytes: (u) =>
    fromRuns(u, 8 * size, (view, p) =>
      E.map((a: A) => {
        const first = viewOf(type.encode(a))
        const tail = size === 16 ? first.getBigUint64(8) : 0n
        for (let i = 0; i < p.count; i++) {
          const at = (p.index + i) * size
          view.setBigUint64(at, (first.getBigUint64(0) + BigInt(i) * BigInt(p.step)) & maxU64)
          if (size === 16) view.setBigUint64(at + 8, tail)
        }
      })(readJson(type.json)(p.rest))
    )
})

const refcounts = (order: number): Form => ({
  toJson: (bytes) => {
    const view = new RefcountView(bytes, order)
    const runs = [...refcountRuns(view)].map((r): Json => ({
      index: r.index,
      ...(r.count === 1 ? {} : { count: r.count }),
      refcount: integerToJson(view.entry(r.index))
    }))
    return { entries: view.length, runs }
  },
  toBytes: (u) =>
    fromRuns(u, 2 ** order, (view, p) =>
      E.map((value: bigint) => {
        for (let i = 0; i < p.count; i++) setRefcount(view, order, p.index + i, value)
      })(
        inside('refcount')(
          readJson(bigJson(`a refcount of ${2 ** order} bits`, maxRefcount(order)))(p.rest['refcount'])
        )
      )
    )
})

const bits: Form = {
  toJson: (bytes) => ({
    entries: 8 * bytes.length,
    runs: [...bitRuns(bytes)].map((r) => (r.count === 1 ? { index: r.index } : { index: r.index, count: r.count }))
  }),
  toBytes: (u) =>
    fromRuns(u, 1, (view, p) => {
      for (let i = p.index; i < p.index + p.count; i++) view.setUint8(i >>> 3, view.getUint8(i >>> 3) | (1 << (i & 7)))
      return E.right(undefined)
    })
}

/** How many entries a snapshot table has: as the JSON lists, or as the bytes hold when the last one ends with them. */
const snapshots = (bytes: Uint8Array | undefined, u: unknown) => {
  if (bytes === undefined) return snapshotTable(Array.isArray(u) ? u.length : 0)
  let n = 0
  for (let at = 0; at < bytes.length; n++) {
    const s = snapshotEntry.decode(bytes.subarray(at))
    if (E.isLeft(s)) break
    at += snapshotEntry.sizeOf(s.right)
  }
  return snapshotTable(n)
}

/** How each structure of an image turns into JSON and back. */
export type Forms = Readonly<Record<Structure, Form>>

/** The forms of an image with this geometry. */
export const formsOf = (g: Geometry): Forms => ({
  header: whole(() => header),
  'header extensions': whole(() => extensionArea),
  'backing file name': whole(() => rawBytes),
  'encryption area': whole(() => rawBytes),
  'snapshot table': whole(snapshots),
  'bitmap directory': whole(() => bitmapDirectory),
  'L1 table': table(l1Entry, 8),
  'L2 table': table(l2Entry(g), g.extendedL2 ? 16 : 8),
  'refcount table': table(refcountTableEntry, 8),
  'refcount block': refcounts(g.refcountOrder),
  'bitmap table': table(bitmapTableEntry, 8),
  'bitmap data': bits
})

/** A region as JSON. Law: `regionBytes` gives its bytes back. */
export const regionJson = (r: Region, forms: Forms): JsonObject => ({
  at: r.at,
  size: r.bytes.length,
  structure: r.structure,
  ...(r.of === '' ? {} : { of: r.of }),
  ...(r.index === undefined ? {} : { index: r.index }),
  ...forms[r.structure].toJson(r.bytes)
})

/** The bytes of a region's JSON, or the field that cannot be encoded and why. */
export const regionBytes = (
  structure: Structure,
  u: Readonly<Record<string, unknown>>,
  g: Geometry
): E.Either<string, Uint8Array> => formsOf(g)[structure].toBytes(u)
