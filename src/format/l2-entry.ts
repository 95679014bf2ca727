/** The codec of L2 entries. */
import * as E from 'fp-ts/lib/Either.js'

import { ByteType, tooFew, whole } from '../bytes/byte-type.js'
import { maxU64 } from '../bytes/leaf.js'
import { type JsonRow, valueAt, objectJson, type JsonVariant, taggedJson } from '../bytes/object.js'
import { viewOf } from '../bytes/octets.js'
import { compressedBits } from './compressed.js'
import { l2EntrySize } from './geometry.js'
import { l2Rules } from './l2-rules.js'
import {
  descriptorBits,
  subclusterBits,
  type L2Context,
  type L2Entry,
  wordOfCluster,
  clusterOfWord,
  encodeL2Entry
} from './l2.js'
import type { SubclusterBitmap } from './table-values.js'

/** Rows of a descriptor, as the JSON of a kind of cluster has them: the copied flag is left out where it is clear. */
const jsonRows = (
  { jsonRows: all }: Pick<typeof descriptorBits, 'jsonRows'>,
  ...keys: readonly string[]
): readonly JsonRow[] =>
  all.filter(({ key }) => keys.includes(key)).map((row) => (row.key === 'copied' ? { ...row, absent: false } : row))

const bitmapRows = subclusterBits.jsonRows.filter(({ key }) => key !== 'reserved')
const isBitmap = (u: unknown): u is SubclusterBitmap => bitmapRows.every(({ key, json }) => json.is(valueAt(u, key)))
const bitmapRow: JsonRow = {
  key: 'subclusters',
  name: 'subclusters',
  json: objectJson(subclusterBits.name, bitmapRows, isBitmap)
}

const variantsOf = ({ clusterBits, extendedL2 }: L2Context): readonly JsonVariant[] => {
  const bitmap = extendedL2 ? [bitmapRow] : []
  const standard = (...keys: readonly string[]) => [
    ...jsonRows(descriptorBits, ...keys, 'copied', 'reserved'),
    ...bitmap
  ]
  return [
    { tag: 'Unallocated', name: 'unallocated', rows: standard() },
    { tag: 'Normal', name: 'normal', rows: standard('hostClusterOffset') },
    { tag: 'ZeroPlain', name: 'zero plain', rows: standard() },
    { tag: 'ZeroAllocated', name: 'zero allocated', rows: standard('hostClusterOffset') },
    {
      tag: 'Compressed',
      name: 'compressed',
      rows: [...jsonRows(compressedBits(clusterBits), 'hostOffset', 'additionalSectors', 'copied'), ...bitmap]
    }
  ]
}

/** Fields that fit the 64 bits of the descriptor, and fit no other kind of cluster. */
const isEntry = (ctx: L2Context) => {
  const variants = variantsOf(ctx)
  const rowsOf = (u: unknown): readonly JsonRow[] => variants.find((v) => v.tag === valueAt(u, '_tag'))?.rows ?? []
  const shaped = (u: unknown): u is L2Entry =>
    rowsOf(u).length > 0 && rowsOf(u).every((r) => r.json.is(valueAt(u, r.key)))
  return (u: unknown): u is L2Entry => {
    if (!shaped(u) || (!ctx.extendedL2 && u.subclusters !== undefined)) return false
    const word = wordOfCluster(u, ctx)
    const back = clusterOfWord(word, ctx)
    return (
      word <= maxU64 &&
      back._tag === u._tag &&
      rowsOf(u).every((r) => r === bitmapRow || valueAt(back, r.key) === valueAt(u, r.key))
    )
  }
}

/**
 * An L2 entry of an image with this geometry: 8 bytes, or 16 with extended L2.
 *
 * @see L2-03 and SUB-02
 *
 * @example
 * import { right } from 'fp-ts/lib/Either.js'
 * import { l2Entry } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const entry = l2Entry({ version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false })
 * assert.deepEqual(
 *   entry.decode(Uint8Array.of(0x80, 0, 0, 0, 0, 5, 0, 0)),
 *   right({ _tag: 'Normal', hostClusterOffset: 0x5_0000n, copied: true, reserved: 0n })
 * )
 */
export const l2Entry = (ctx: L2Context): ByteType<L2Entry> => {
  const size = l2EntrySize(ctx)
  const is = isEntry(ctx)
  return new ByteType<L2Entry>({
    name: 'L2 entry',
    is,
    read: (bytes) => {
      if (bytes.length < size) return E.left([tooFew(whole('L2 entry', size), bytes.length, 'L2-01')])
      const view = viewOf(bytes)
      const cluster = clusterOfWord(view.getBigUint64(0), ctx)
      return E.right(
        ctx.extendedL2
          ? { ...cluster, subclusters: { allocated: view.getUint32(12), zeros: view.getUint32(8) } }
          : cluster
      )
    },
    write: (e) => encodeL2Entry(e, ctx),
    sizeOf: () => size,
    json: taggedJson('L2 entry', 'type', variantsOf(ctx), is),
    judge: (e) => l2Rules.judge(e, ctx)
  })
}
