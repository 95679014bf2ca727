/** The header: 72 bytes of version 2, 32 more of version 3, additional fields as far as header_length covers them. */
import * as E from 'fp-ts/lib/Either.js'
import { ByteType } from '../bytes/byte-type.js'
import { growing, type GrowingType } from '../bytes/growing.js'
import { further, type Issue, malformed } from '../bytes/issue.js'
import { isObject, jsonType, readJson } from '../bytes/json.js'
import { type Placing, RuleTable } from '../bytes/judgement.js'
import { objectJson, valueAt } from '../bytes/object.js'
import { padding, u32, u64, u8 } from '../bytes/leaf.js'
import { empty, hex, viewOf } from '../bytes/octets.js'
import { atLeast, atMost, between, multipleOf, oneOf, refusing } from '../bytes/rule.js'
import { type Fields, jsonRows, row, struct, type StructType, tooShort } from '../bytes/struct.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from './feature.js'
import type { AdditionalFields, HeaderFields, HeaderV2 } from './header-values.js'
import {
  maxClusterBits,
  maxL1Entries,
  maxRefcountOrder,
  maxSnapshots,
  minClusterBits,
  minHeaderLength
} from './limits.js'

/** `QFI` and 0xFB. @see OPEN-01 */
export const magic = 0x5146_49fb

/** Fields of every version. */
export const headerV2: StructType<HeaderV2> = struct('header', {
  magic: row(u32, 'magic', 'OPEN-01', 'the bytes 51 46 49 FB', {
    ...oneOf([magic], 'OPEN-01'),
    found: hex,
    expected: hex(magic)
  }),
  version: row(u32, 'version', 'OPEN-02', '2 or 3', oneOf([2, 3], 'OPEN-02')),
  backingFileOffset: row(
    u64,
    'backing_file_offset',
    'BACK-01',
    'host offset of the backing file name; 0: no backing file'
  ),
  backingFileSize: row(u32, 'backing_file_size', 'BACK-01', 'length of the backing file name in bytes, at most 1023'),
  clusterBits: row(
    u32,
    'cluster_bits',
    'OPEN-03',
    'a cluster is 1 << cluster_bits bytes',
    atLeast(minClusterBits, 'OPEN-03'),
    atMost(maxClusterBits, 'OPEN-03')
  ),
  size: row(u64, 'size', 'HDR-08', 'size of the guest disk in bytes'),
  cryptMethod: row(u32, 'crypt_method', 'LUKS-02', '0 none, 1 AES, 2 LUKS', oneOf([0, 1, 2], 'OPEN-23')),
  l1Size: row(u32, 'l1_size', 'HDR-09', 'entries of the active L1 table', atMost(maxL1Entries, 'OPEN-19')),
  l1TableOffset: row(u64, 'l1_table_offset', 'OPEN-20', 'host offset of the active L1 table, cluster aligned'),
  refcountTableOffset: row(
    u64,
    'refcount_table_offset',
    'OPEN-16',
    'host offset of the refcount table, cluster aligned'
  ),
  refcountTableClusters: row(
    u32,
    'refcount_table_clusters',
    'REF-06',
    'clusters of the refcount table',
    atLeast(1, 'OPEN-14')
  ),
  nbSnapshots: row(u32, 'nb_snapshots', 'SNAP-01', 'entries of the snapshot table', atMost(maxSnapshots, 'OPEN-17')),
  snapshotsOffset: row(u64, 'snapshots_offset', 'SNAP-11', 'host offset of the snapshot table, cluster aligned')
})

const headerV3Fields: Fields<Omit<HeaderFields, keyof HeaderV2>> = {
  incompatibleFeatures: row(incompatibleFeatures, 'incompatible_features', 'FEAT-01', 'bits a reader must know'),
  compatibleFeatures: row(compatibleFeatures, 'compatible_features', 'FEAT-02', 'bits a reader may ignore'),
  autoclearFeatures: row(autoclearFeatures, 'autoclear_features', 'FEAT-03', 'bits a writer must know or clear'),
  refcountOrder: row(
    u32,
    'refcount_order',
    'REF-02',
    'a refcount is 1 << refcount_order bits',
    refusing('OPEN-12', between(0, maxRefcountOrder, 'REF-02'))
  ),
  headerLength: row(
    u32,
    'header_length',
    'HDR-02',
    'length of the header in bytes; the extensions follow',
    refusing('OPEN-04', atLeast(minHeaderLength, 'HDR-02')),
    multipleOf(8, 'HDR-02', 'format')
  )
}

/** Additional fields, from byte 104 to header_length. */
export const additionalFields: GrowingType<AdditionalFields> = growing('header', {
  compressionType: row(u8, 'compression_type', 'HDR-04', '0 deflate, 1 zstd'),
  padding: row(padding(7, 'HDR-07', 'format'), 'padding', 'HDR-07', 'zeros up to a multiple of 8')
})

/** The fixed fields of a version 3 header: 104 bytes. */
export const headerFields: StructType<HeaderFields> = struct('header', { ...headerV2.fields, ...headerV3Fields })

/** What version 2 means for the fields it does not have. @see HDR-01 */
export const v2Defaults: Omit<HeaderFields, keyof HeaderV2> = {
  incompatibleFeatures: incompatibleFeatures.ofWord(0n),
  compatibleFeatures: compatibleFeatures.ofWord(0n),
  autoclearFeatures: autoclearFeatures.ofWord(0n),
  refcountOrder: 4,
  headerLength: headerV2.size
}

/**
 * A header of either version. A version 2 header holds {@link v2Defaults} in the fields it does not have.
 * Additional fields are present as far as `headerLength` covers them, provided that it lies within the first cluster.
 */
export interface Header extends HeaderFields {
  /** The fields from byte 104 on, as far as `headerLength` covers them, and unknown bytes after them. A writer keeps both. @see HDR-03 and HDR-14 */
  readonly additional: AdditionalFields
}

/** The fields that a rule of the header may name. */
export type HeaderKey = keyof HeaderFields | keyof Omit<AdditionalFields, 'rest'>

const fixedSize = headerFields.size

/** The places of a header's fields, the additional ones included. */
export const headerPlaces: Placing<Header> = {
  placeOf: (key) =>
    key in additionalFields.fields ? further(additionalFields.placeOf(key), fixedSize) : headerFields.placeOf(key)
}

/** Whether the header ends within the first cluster. @see HDR-02 */
export const fitsCluster = (h: Pick<Header, 'clusterBits' | 'headerLength'>): boolean =>
  h.headerLength <= 2 ** h.clusterBits

/** Bytes of the header proper: 72, or header_length if it covers the fixed fields and fits the first cluster, else 104. */
const lengthOf = (h: Pick<Header, 'version' | 'clusterBits' | 'headerLength'>): number => {
  if (h.version === 2) return headerV2.size
  const fits = h.clusterBits <= maxClusterBits && fitsCluster(h)
  return fits && h.headerLength > fixedSize ? h.headerLength : fixedSize
}

/**
 * 0 when the field is absent.
 *
 * @see HDR-03 and HDR-10
 * @example
 * import fc from 'fast-check'
 * import { headers } from 'qcow2-spec/arbitraries'
 * import { compressionType } from 'qcow2-spec/format'
 *
 * fc.assert(
 *   fc.property(headers.wellFormed, (h) => compressionType(h) === Number(h.incompatibleFeatures.compressionType))
 * )
 */
export const compressionType = (h: Header): number => h.additional.compressionType ?? 0

/** The rules that decide whether the other fields can be read. @see OPEN-01 and OPEN-02 */
const identity = new RuleTable<unknown>(
  headerV2,
  headerV2.rules.filter(({ field }) => field === 'magic' || field === 'version')
)

/** Why a header cannot be decoded at all: another magic number, or an unknown version. */
const unreadable = (h: Pick<Header, 'magic' | 'version'>): readonly Issue[] =>
  identity
    .judge(h, undefined)
    .slice(0, 1)
    .map((i): Issue => ({ ...i, phase: 'malformed' }))

const cutOff = (headerLength: number, length: number): Issue =>
  malformed(
    headerFields.placeOf('headerLength'),
    'HDR-02',
    String(headerLength),
    `at most the ${length} bytes that are there`
  )

const sameDefaults = (u: unknown): boolean =>
  Object.entries(v2Defaults).every(([key, value]) => equalValues(valueAt(u, key), value))

const equalValues = (a: unknown, b: unknown): boolean =>
  isObject(a) && isObject(b) ? Object.keys(b).every((k) => a[k] === b[k]) : a === b

const isHeader = (u: unknown): u is Header => {
  if (!headerFields.is(u)) return false
  const additional: unknown = valueAt(u, 'additional')
  if (!additionalFields.is(additional) || unreadable(u).length > 0) return false
  if (u.version === 2) return sameDefaults(u) && additionalFields.sizeOf(additional) === 0
  return lengthOf(u) === fixedSize + additionalFields.sizeOf(additional)
}

/** What a version 2 header holds beside its own fields. */
export const beyondV2 = { ...v2Defaults, additional: { rest: empty } }

const v2Json = objectJson('header', jsonRows(headerV2.rows), isHeader, beyondV2)
const v3Json = objectJson(
  'header',
  [...jsonRows(headerFields.rows), { key: 'additional', name: 'additional_fields', json: additionalFields.json }],
  isHeader
)

/**
 * The header at the start of an image's first cluster. Its own judgement covers each field by itself;
 * `judgeHeader` adds what the fields say together.
 *
 * @see HDR-01, HDR-02 and HDR-03
 */
export const header: ByteType<Header> = new ByteType<Header>({
  name: 'header',
  is: isHeader,
  read: (bytes) => {
    if (bytes.length < headerV2.size) return E.left(tooShort('header', headerV2.rows, bytes.length))
    const view = viewOf(bytes)
    const [magicFound, version] = [view.getUint32(0), view.getUint32(4)]
    const broken = unreadable({ magic: magicFound, version })
    if (broken.length > 0) return E.left(broken)
    if (version === 2) return E.right(headerV2.atWith(view, () => beyondV2))
    if (bytes.length < fixedSize) return E.left(tooShort('header', headerFields.rows, bytes.length))
    const h = headerFields.atWith(view, (fields) => ({
      additional: additionalFields.of(bytes.subarray(fixedSize, lengthOf(fields)))
    }))
    return bytes.length < lengthOf(h) ? E.left([cutOff(h.headerLength, bytes.length)]) : E.right(h)
  },
  write: (h) =>
    h.version === 2 ? headerV2.encode(h) : headerFields.encodeBefore(h, additionalFields.encode(h.additional)),
  sizeOf: (h) => (h.version === 2 ? headerV2.size : fixedSize + additionalFields.sizeOf(h.additional)),
  json: jsonType(
    'header',
    isHeader,
    (u) => readJson(isObject(u) && u['version'] === 2 ? v2Json : v3Json)(u),
    (h) => (h.version === 2 ? v2Json : v3Json).encode(h)
  ),
  judge: (h) =>
    h.version === 2 ? headerV2.judge(h) : [...headerFields.judge(h), ...additionalFields.judge(h.additional, fixedSize)]
})
