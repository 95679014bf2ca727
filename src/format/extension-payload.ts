/** Payloads of the known header extensions. */
import * as E from 'fp-ts/lib/Either.js'
import { ByteType } from '../bytes/byte-type.js'
import { anyOctetsJson, isObject, itemsJson } from '../bytes/json.js'
import { octets, u32, u64, u8 } from '../bytes/leaf.js'
import { objectJson } from '../bytes/object.js'
import { concat, empty, part, toText, viewOf } from '../bytes/octets.js'
import { atMost, between, oneOf, refusing, zero } from '../bytes/rule.js'
import { row, struct, type StructType } from '../bytes/struct.js'
import type { BitmapsExtension, EncryptionPointer, FeatureName } from './header-values.js'
import { maxBitmapDirectory, maxBitmaps } from './limits.js'

export type { BitmapsExtension, EncryptionPointer, FeatureName }

/** A name of a feature bit: 46 bytes filled up with zeros; a name of 46 bytes has no zero after it. @see EXT-07 */
export const featureName: StructType<FeatureName> = struct('feature name table', {
  type: row(u8, 'type', 'EXT-07', '0 incompatible, 1 compatible, 2 autoclear', oneOf([0, 1, 2], 'EXT-07', 'format')),
  bit: row(u8, 'bit', 'EXT-07', 'bit number', between(0, 63, 'EXT-07', 'format')),
  name: row(octets(46), 'name', 'EXT-07', 'padded with zeros')
})

/**
 * The name without the zeros after it, as text.
 *
 * @example
 * import { featureName, nameOf } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const entry = new Uint8Array(48)
 * entry.set(new TextEncoder().encode('dirty bit'), 2)
 * const decoded = featureName.decode(entry)
 * assert.equal(decoded._tag === 'Right' && nameOf(decoded.right), 'dirty bit')
 */
export const nameOf = (f: FeatureName): string => {
  const end = f.name.findLastIndex((b) => b !== 0) + 1
  return toText(f.name.subarray(0, end)) ?? ''
}

/** Names of feature bits, in their order, and the bytes after the last whole one. */
export interface FeatureNames {
  readonly names: readonly FeatureName[]
  readonly rest: Uint8Array
}

const namesJson = itemsJson(featureName.json)

const isFeatureNames = (u: unknown): u is FeatureNames =>
  isObject(u) && namesJson.is(u['names']) && u['rest'] instanceof Uint8Array && u['rest'].length < featureName.size

/** The feature name table: all bytes given belong to it. @see EXT-07 */
export const featureNames: ByteType<FeatureNames> = new ByteType<FeatureNames>({
  name: 'feature name table',
  is: isFeatureNames,
  read: (bytes) => {
    const n = Math.floor(bytes.length / featureName.size)
    const names = Array.from({ length: n }, (_, i) => featureName.at(viewOf(bytes.subarray(i * featureName.size))))
    return E.right({ names, rest: part(bytes, n * featureName.size, bytes.length) })
  },
  write: (a) => concat([...a.names.map((n) => featureName.encode(n)), a.rest]),
  sizeOf: (a) => a.names.length * featureName.size + a.rest.length,
  json: objectJson(
    'feature name table',
    [
      { key: 'names', name: 'names', json: namesJson },
      { key: 'rest', name: 'rest', json: anyOctetsJson, absent: empty }
    ],
    isFeatureNames
  ),
  judge: (a) => a.names.flatMap((n, i) => featureName.judge(n, i * featureName.size))
})

/** The bitmaps extension. @see BMP-01 */
export const bitmapsExtension: StructType<BitmapsExtension> = struct('bitmaps extension', {
  nbBitmaps: row(
    u32,
    'nb_bitmaps',
    'BMP-01',
    'entries of the bitmap directory',
    refusing('OPEN-25', between(1, 2 ** 32 - 1, 'BMP-01')),
    refusing('OPEN-25', atMost(maxBitmaps, 'BMP-12'))
  ),
  reserved: row(u32, 'reserved', 'BMP-01', 'zero', refusing('OPEN-25', zero('BMP-01'))),
  bitmapDirectorySize: row(
    u64,
    'bitmap_directory_size',
    'BMP-01',
    'bytes of the bitmap directory',
    refusing('OPEN-25', atMost(maxBitmapDirectory, 'BMP-12'))
  ),
  bitmapDirectoryOffset: row(u64, 'bitmap_directory_offset', 'BMP-01', 'host offset, cluster aligned')
})

/** The full disk encryption header pointer: where the LUKS header and its key material lie. @see LUKS-02 */
export const encryptionPointer: StructType<EncryptionPointer> = struct('full disk encryption pointer', {
  offset: row(u64, 'offset', 'LUKS-02', 'host offset, cluster aligned'),
  length: row(u64, 'length', 'LUKS-02', 'bytes of the LUKS header and its key material')
})
