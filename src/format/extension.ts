/** Header extensions: one record each, distinguished by type. */
import * as E from 'fp-ts/lib/Either.js'
import { ByteType } from '../bytes/byte-type.js'
import { entry, type EntryType } from '../bytes/entry.js'
import { type Issue, malformed } from '../bytes/issue.js'
import { anyOctetsJson, type JsonCodec, octetsJson } from '../bytes/json.js'
import { onField, RuleTable } from '../bytes/judgement.js'
import { u32 } from '../bytes/leaf.js'
import { taggedJson, valueAt } from '../bytes/object.js'
import { empty } from '../bytes/octets.js'
import { row, struct } from '../bytes/struct.js'
import {
  extensionKinds,
  extensionNames,
  extensionTags,
  extensionTypes,
  knownTags,
  type Payloads
} from './extension-kinds.js'
import type { ExtensionFields, ExtensionRecord } from './header-values.js'

/** Any extension: type, length, data, and padding to a multiple of 8. The padding may hold anything. @see EXT-01 */
export const extensionRecord: EntryType<ExtensionRecord, ExtensionFields> = entry(
  'header extension',
  struct('header extension', {
    type: row(u32, 'type', 'EXT-01', 'what the data means; 0 ends the area'),
    length: row(u32, 'length', 'EXT-01', 'bytes of data')
  }),
  { data: { size: 'length', name: 'data', clause: 'EXT-03', doc: 'the extension itself' } }
)

interface Of<Tag extends string, A> {
  readonly _tag: Tag
  readonly data: A
  /** Bytes that fill the record up to a multiple of 8; the area may end before they do. */
  readonly padding: Uint8Array
}

type Known<Tag extends keyof Payloads = keyof Payloads> = { readonly [T in Tag]: Of<T, Payloads[T]> }[Tag]

/** An extension of unknown type, or of a known one whose payload has the wrong length: kept as bytes. */
export interface OtherExtension extends Of<'Other', Uint8Array> {
  readonly type: number
}

/** A header extension by what it means. Strings are bytes without a terminator, not always UTF-8. @see EXT-05 */
export type Extension = Known | OtherExtension

/** The extension of a known kind, when its payload decodes and fills its record exactly. */
const ofKind = <Tag extends keyof Payloads>(tag: Tag, { data, padding }: ExtensionRecord): Known<Tag> | undefined => {
  const { payload } = extensionKinds[tag]
  const a = payload.decode(data)
  return E.isRight(a) && payload.sizeOf(a.right) === data.length ? { _tag: tag, data: a.right, padding } : undefined
}

const ofRecord = (record: ExtensionRecord): Extension => {
  const tag = knownTags.find((each) => extensionKinds[each].type === record.type)
  return (tag === undefined ? undefined : ofKind(tag, record)) ?? { _tag: 'Other', ...record }
}

const payloadOf = <Tag extends keyof Payloads>(e: Known<Tag>): Uint8Array =>
  extensionKinds[e._tag].payload.encode(e.data)

/**
 * The type number in the record of an extension.
 *
 * @example
 * import { extensionTypes, typeOf } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const empty = new Uint8Array(0)
 * assert.equal(typeOf({ _tag: 'DataFile', data: empty, padding: empty }), extensionTypes.DataFile)
 */
export const typeOf = (e: Extension): number => (e._tag === 'Other' ? e.type : extensionTypes[e._tag])

const toRecord = (e: Extension): ExtensionRecord => ({
  type: typeOf(e),
  data: e._tag === 'Other' ? e.data : payloadOf(e),
  padding: e.padding
})

const payloadJson = (tag: Extension['_tag']): JsonCodec<unknown> =>
  tag === 'Other' ? anyOctetsJson : extensionKinds[tag].payload.json

const isShaped = (u: unknown): u is Extension =>
  extensionTags.some((tag) => valueAt(u, '_tag') === tag && payloadJson(tag).is(valueAt(u, 'data'))) &&
  valueAt(u, 'padding') instanceof Uint8Array &&
  (valueAt(u, '_tag') !== 'Other' || u32.json.is(valueAt(u, 'type')))

/** Known types are under their own tag, and type 0 is no extension. */
const isExtension = (u: unknown): u is Extension =>
  isShaped(u) &&
  typeOf(u) !== extensionTypes.end &&
  extensionRecord.is(toRecord(u)) &&
  ofRecord(toRecord(u))._tag === u._tag

const paddingJson = octetsJson('at most 7 bytes', (n) => n < 8)

const extensionJson = taggedJson(
  'header extension',
  'extension',
  extensionTags.map((tag) => ({
    tag,
    name: extensionNames[tag],
    rows: [
      ...(tag === 'Other' ? [{ key: 'type', name: 'type', json: u32.json }] : []),
      { key: 'data', name: 'data', json: payloadJson(tag) },
      { key: 'padding', name: 'padding', json: paddingJson, absent: empty }
    ]
  })),
  isExtension
)

const judgePayload = <Tag extends keyof Payloads>({ _tag, data }: Known<Tag>): readonly Issue[] =>
  extensionKinds[_tag].payload.judge(data, extensionRecord.fixed.size)

/**
 * The rule for the length of the extensions of a type, whether they decode or not, which an issue calls by their title.
 *
 * @see EXT-06, EXT-09 and EXT-10
 */
export const lengthRules: ReadonlyMap<number, RuleTable<ExtensionRecord>> = new Map(
  Object.values(extensionKinds).flatMap(({ type, title, length }) => {
    if (length === undefined) return []
    const place = { ...extensionRecord.fixed.placeOf('length'), structure: title }
    const rule = onField('length', length, ({ data }: ExtensionRecord) => BigInt(data.length))
    return [[type, new RuleTable({ placeOf: () => place }, [rule])]]
  })
)

const theEnd = malformed(
  extensionRecord.fixed.placeOf('type'),
  'EXT-02',
  '0, the end of the area',
  'the type of an extension'
)

/** A header extension with its payload. A record of type 0 ends the area and does not decode here. @see EXT-01 */
export const extension: ByteType<Extension> = new ByteType<Extension>({
  name: 'header extension',
  is: isExtension,
  read: (bytes) =>
    E.chain((r: ExtensionRecord): E.Either<readonly Issue[], Extension> =>
      r.type === extensionTypes.end ? E.left([theEnd]) : E.right(ofRecord(r))
    )(extensionRecord.decodeAt(bytes, 0)),
  write: (e) => extensionRecord.encode(toRecord(e)),
  sizeOf: (e) => extensionRecord.sizeOf(toRecord(e)),
  json: extensionJson,
  judge: (e) => [
    ...(e._tag === 'Other' ? [] : judgePayload(e)),
    ...(lengthRules.get(typeOf(e))?.judge(toRecord(e), undefined) ?? [])
  ]
})
