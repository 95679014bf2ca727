/** Header extensions: one record each, told apart by type. */
import * as E from 'fp-ts/lib/Either.js'
import { ByteType } from '../bytes/byte-type.js'
import { entry, type EntryOf } from '../bytes/entry.js'
import type { Complaint } from '../bytes/issue.js'
import { anyOctetsJson, type JsonCodec, octetsJson } from '../bytes/json.js'
import { u32 } from '../bytes/leaf.js'
import { taggedJson, valueAt } from '../bytes/object.js'
import { empty } from '../bytes/octets.js'
import { row, struct } from '../bytes/struct.js'
import {
  type BitmapsExtension,
  bitmapsExtension,
  type EncryptionPointer,
  encryptionPointer,
  type FeatureNames,
  featureNames
} from './extension-payload.js'
import { maxBackingFormat } from './limits.js'

/** Any extension: type, length, data, and padding to a multiple of 8. The padding may hold anything. @see EXT-01 */
export const extensionRecord = entry(
  'header extension',
  struct('header extension', {
    type: row(u32, 'type', 'EXT-01', 'what the data means; 0 ends the area'),
    length: row(u32, 'length', 'EXT-01', 'bytes of data')
  }),
  { data: { size: 'length', name: 'data', clause: 'EXT-03', doc: 'the extension itself' } }
)

/** A header extension before its type is looked at. */
export type ExtensionRecord = EntryOf<typeof extensionRecord.fixed.fields, typeof extensionRecord.tails>

interface Of<Tag extends string, A> {
  readonly _tag: Tag
  readonly data: A
  /** Bytes that fill the record up to a multiple of 8; the area may end before they do. */
  readonly padding: Uint8Array
}

/** A header extension by what it means. Strings are bytes without a terminator, not always UTF-8. @see EXT-05 */
export type Extension =
  | Of<'BackingFormat', Uint8Array>
  | Of<'DataFile', Uint8Array>
  | Of<'FeatureNames', FeatureNames>
  | Of<'Bitmaps', BitmapsExtension>
  | Of<'Encryption', EncryptionPointer>
  | OtherExtension

/** An extension of unknown type, or of a known one whose payload has the wrong length: kept as bytes. */
export interface OtherExtension extends Of<'Other', Uint8Array> {
  readonly type: number
}

/** The type number of each known extension. @see EXT-04 */
export const extensionTypes = {
  end: 0,
  BackingFormat: 0xe279_2aca,
  FeatureNames: 0x6803_f857,
  Bitmaps: 0x2385_2875,
  Encryption: 0x0537_be77,
  DataFile: 0x4441_5441
} as const

/** The payload, when it decodes and fills its record exactly. */
const exactly = <A>(type: ByteType<A>, data: Uint8Array): E.Either<unknown, A> =>
  E.filterOrElseW(
    (a: A) => type.sizeOf(a) === data.length,
    () => data
  )(type.decode(data))

const ofRecord = ({ type, data, padding }: ExtensionRecord): Extension => {
  const other = (): Extension => ({ _tag: 'Other', type, data, padding })
  switch (type) {
    case extensionTypes.BackingFormat:
      return { _tag: 'BackingFormat', data, padding }
    case extensionTypes.DataFile:
      return { _tag: 'DataFile', data, padding }
    case extensionTypes.FeatureNames:
      return E.match(other, (a: FeatureNames): Extension => ({ _tag: 'FeatureNames', data: a, padding }))(
        exactly(featureNames, data)
      )
    case extensionTypes.Bitmaps:
      return E.match(other, (a: BitmapsExtension): Extension => ({ _tag: 'Bitmaps', data: a, padding }))(
        exactly(bitmapsExtension, data)
      )
    case extensionTypes.Encryption:
      return E.match(other, (a: EncryptionPointer): Extension => ({ _tag: 'Encryption', data: a, padding }))(
        exactly(encryptionPointer, data)
      )
    default:
      return other()
  }
}

const payloadOf = (e: Extension): Uint8Array => {
  switch (e._tag) {
    case 'FeatureNames':
      return featureNames.encode(e.data)
    case 'Bitmaps':
      return bitmapsExtension.encode(e.data)
    case 'Encryption':
      return encryptionPointer.encode(e.data)
    case 'BackingFormat':
    case 'DataFile':
    case 'Other':
      return e.data
  }
}

/** The type number in the record of an extension. */
export const typeOf = (e: Extension): number => (e._tag === 'Other' ? e.type : extensionTypes[e._tag])

const toRecord = (e: Extension): ExtensionRecord => ({ type: typeOf(e), data: payloadOf(e), padding: e.padding })

const payloadJson: Readonly<Record<Extension['_tag'], JsonCodec<unknown>>> = {
  BackingFormat: anyOctetsJson,
  DataFile: anyOctetsJson,
  FeatureNames: featureNames.json,
  Bitmaps: bitmapsExtension.json,
  Encryption: encryptionPointer.json,
  Other: anyOctetsJson
}

/** How each extension is called. */
export const extensionNames: Readonly<Record<Extension['_tag'], string>> = {
  BackingFormat: 'backing file format',
  DataFile: 'external data file name',
  FeatureNames: 'feature name table',
  Bitmaps: 'bitmaps',
  Encryption: 'full disk encryption pointer',
  Other: 'other'
}

const tags = ['BackingFormat', 'DataFile', 'FeatureNames', 'Bitmaps', 'Encryption', 'Other'] as const

const isShaped = (u: unknown): u is Extension =>
  tags.some((tag) => valueAt(u, '_tag') === tag && payloadJson[tag].is(valueAt(u, 'data'))) &&
  valueAt(u, 'padding') instanceof Uint8Array &&
  (valueAt(u, '_tag') !== 'Other' || u32.json.is(valueAt(u, 'type')))

/** Known types stand under their own tag, and type 0 is no extension. */
const isExtension = (u: unknown): u is Extension =>
  isShaped(u) &&
  typeOf(u) !== extensionTypes.end &&
  extensionRecord.is(toRecord(u)) &&
  ofRecord(toRecord(u))._tag === u._tag

const paddingJson = octetsJson('at most 7 bytes', (n) => n < 8)

const extensionJson = taggedJson(
  'header extension',
  'extension',
  tags.map((tag) => ({
    tag,
    name: extensionNames[tag],
    rows: [
      ...(tag === 'Other' ? [{ key: 'type', name: 'type', json: u32.json }] : []),
      { key: 'data', name: 'data', json: payloadJson[tag] },
      { key: 'padding', name: 'padding', json: paddingJson, absent: empty }
    ]
  })),
  isExtension
)

const payloadAt = 8

const lengthIssue = (
  clause: 'EXT-06' | 'EXT-09' | 'EXT-10',
  name: string,
  found: number,
  expected: string
): Complaint => ({
  clause,
  phase: clause === 'EXT-06' ? 'limit' : 'invalid',
  source: clause === 'EXT-06' ? 'qemu' : 'both',
  structure: name,
  field: 'length',
  at: 4,
  size: 4,
  found: String(found),
  expected,
  refusal: 'OPEN-25'
})

const judgeExtension = (e: Extension): readonly Complaint[] => {
  switch (e._tag) {
    case 'FeatureNames':
      return featureNames.judge(e.data, payloadAt)
    case 'Bitmaps':
      return bitmapsExtension.judge(e.data, payloadAt)
    case 'Encryption':
      return encryptionPointer.judge(e.data, payloadAt)
    case 'BackingFormat':
      return e.data.length <= maxBackingFormat
        ? []
        : [lengthIssue('EXT-06', extensionNames.BackingFormat, e.data.length, `at most ${maxBackingFormat}`)]
    case 'DataFile':
      return []
    case 'Other':
      if (e.type === extensionTypes.Bitmaps) return [lengthIssue('EXT-10', extensionNames.Bitmaps, e.data.length, '24')]
      return e.type === extensionTypes.Encryption
        ? [lengthIssue('EXT-09', extensionNames.Encryption, e.data.length, '16')]
        : []
  }
}

/** A header extension with its payload. A record of type 0 ends the area and does not decode here. @see EXT-01 */
export const extension: ByteType<Extension> = new ByteType<Extension>({
  name: 'header extension',
  is: isExtension,
  read: (bytes) =>
    E.chain((r: ExtensionRecord): E.Either<readonly Complaint[], Extension> =>
      r.type === extensionTypes.end ? E.left([notAnExtension]) : E.right(ofRecord(r))
    )(extensionRecord.decodeAt(bytes, 0)),
  write: (e) => extensionRecord.encode(toRecord(e)),
  sizeOf: (e) => extensionRecord.sizeOf(toRecord(e)),
  json: extensionJson,
  judge: judgeExtension
})

const notAnExtension: Complaint = {
  clause: 'EXT-02',
  phase: 'malformed',
  source: 'both',
  structure: 'header extension',
  field: 'type',
  at: 0,
  size: 4,
  found: '0, the end of the area',
  expected: 'the type of an extension'
}
