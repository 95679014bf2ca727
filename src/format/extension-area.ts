/** The extension area: from header_length to the backing file name, or to the end of the first cluster. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { ByteType, whole } from '../bytes/byte-type.js'
import { type Issue, malformed } from '../bytes/issue.js'
import { anyOctetsJson, isObject, itemsJson } from '../bytes/json.js'
import { RuleTable } from '../bytes/judgement.js'
import { u32 } from '../bytes/leaf.js'
import { repeats, sizeOfAll, startsOf, type Step, walk } from '../bytes/list.js'
import { objectJson } from '../bytes/object.js'
import { concat, empty, hex, part, viewOf } from '../bytes/octets.js'
import { type Extension, extension, extensionRecord, typeOf } from './extension.js'
import { extensionTypes } from './extension-kinds.js'
import { clusterSize, type Geometry } from './geometry.js'
import type { Header } from './header.js'

/** All bytes of the area: the extensions in their order, the end marker if there is one, and what follows it. */
export interface ExtensionArea {
  readonly extensions: readonly Extension[]
  /** The length field of the end marker; absent when the area ends without one. @see EXT-03 */
  readonly end?: number
  /** Everything after the end marker's 8 bytes, its data included. */
  readonly rest: Uint8Array
}

const recordHead = 8

const listJson = itemsJson(extension.json)

const isArea = (u: unknown): u is ExtensionArea => {
  if (!isObject(u) || !listJson.is(u['extensions']) || !(u['rest'] instanceof Uint8Array)) return false
  const marked = u['end'] !== undefined
  const last = u['extensions'].length - 1
  const padded = u['extensions'].every((e, i) => (i === last && !marked) || extension.sizeOf(e) % 8 === 0)
  return padded && (marked ? u32.json.is(u['end']) && u['end'] <= u['rest'].length : u['rest'].length === 0)
}

const refusal = 'OPEN-25'

/** One step of the walk: the extension at `at`, or why there is none. */
const extensionAt = (bytes: Uint8Array, at: number): E.Either<readonly Issue[], Step<Extension>> => {
  const left = bytes.length - at
  if (left < recordHead) {
    const [found, expected] = [`${left} bytes before the end of the area`, `a record of at least ${recordHead} bytes`]
    return E.left([malformed(whole('header extension', recordHead, at), 'EXT-03', found, expected, refusal)])
  }
  return pipe(
    extension.decodeAt(bytes, at),
    E.bimap(
      (issues) => issues.map((i): Issue => ({ ...i, refusal })),
      (e) => ({ value: e, next: at + extension.sizeOf(e) })
    )
  )
}

/** The length field of the end marker at `at`; `undefined` where there is none. */
const endMarker = (view: DataView, at: number): number | undefined => {
  const left = view.byteLength - at - recordHead
  if (left < 0 || view.getUint32(at) !== extensionTypes.end) return undefined
  const length = view.getUint32(at + 4)
  return length <= left ? length : undefined
}

/**
 * Byte offsets of the extensions from the start of the area.
 *
 * @example
 * import { type Extension, extensionStarts } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const raw = new TextEncoder().encode('raw')
 * const format: Extension = { _tag: 'BackingFormat', data: raw, padding: new Uint8Array(5) }
 * assert.deepEqual(extensionStarts({ extensions: [format, format], rest: new Uint8Array(0) }), [0, 16])
 */
export const extensionStarts = (a: ExtensionArea): readonly number[] => startsOf(extension, a.extensions)

const extensionsSize = (a: ExtensionArea): number => sizeOfAll(extension, a.extensions)

/** The rule of an extension among the others of its area, judged with whether it is the second of its type. @see EXT-02 */
export const repeatRules = new RuleTable<Extension, boolean>({ placeOf: () => extensionRecord.fixed.placeOf('type') }, [
  {
    field: 'type',
    clause: 'EXT-02',
    source: 'format',
    broken: (_, second) => second,
    found: (e) => `a second extension of type ${hex(typeOf(e))}`,
    expected: 'each type at most once'
  }
])

/** Of each type with several extensions the second, however many more there are. */
const seconds = (a: ExtensionArea): ReadonlySet<number> => {
  const types = a.extensions.map(typeOf)
  const again = repeats(types)
  const further = new Set(repeats(again.map((i) => types[i] ?? 0)))
  return new Set(again.filter((_, n) => !further.has(n)))
}

const strayAt = (a: ExtensionArea): number => a.rest.findIndex((b) => b !== 0)

/** The rule of an extension area beyond its extensions. @see EXT-21 */
export const areaRules = new RuleTable<ExtensionArea>(
  {
    placeOf: (_, a) =>
      whole('header extension area', a.rest.length - strayAt(a), extensionsSize(a) + recordHead + strayAt(a))
  },
  [
    {
      field: 'rest',
      clause: 'EXT-21',
      source: 'format',
      broken: (a) => strayAt(a) >= 0,
      found: () => 'bytes after the end marker',
      expected: 'zeros up to the end of the area'
    }
  ]
)

/**
 * The extension area: all bytes given to `decode` belong to it. A record that reaches past the end of the area is malformed.
 *
 * @see EXT-01, EXT-02 and EXT-03
 */
export const extensionArea: ByteType<ExtensionArea> = new ByteType<ExtensionArea>({
  name: 'header extension area',
  is: isArea,
  read: (bytes) => {
    const view = viewOf(bytes)
    return pipe(
      walk(
        0,
        (at) => at < bytes.length && endMarker(view, at) === undefined,
        (at) => extensionAt(bytes, at)
      ),
      E.map(({ value, next }): ExtensionArea => {
        const end = endMarker(view, next)
        return {
          extensions: value,
          ...(end === undefined ? {} : { end }),
          rest: part(bytes, next + (end === undefined ? 0 : recordHead), bytes.length)
        }
      })
    )
  },
  write: (a) => {
    const parts = a.extensions.map((e) => extension.encode(e))
    if (a.end === undefined) return concat(parts)
    const marker = new Uint8Array(recordHead)
    viewOf(marker).setUint32(4, a.end)
    return concat([...parts, marker, a.rest])
  },
  sizeOf: (a) => extensionsSize(a) + (a.end === undefined ? 0 : recordHead) + a.rest.length,
  json: objectJson(
    'header extension area',
    [
      { key: 'extensions', name: 'extensions', json: listJson },
      { key: 'end', name: 'end', json: u32.json, optional: true },
      { key: 'rest', name: 'rest', json: anyOctetsJson, absent: empty }
    ],
    isArea
  ),
  judge: (a) => {
    const at = extensionStarts(a)
    const again = seconds(a)
    return [
      ...a.extensions.flatMap((e, i) => extension.judge(e, at[i])),
      ...a.extensions.flatMap((e, i) => repeatRules.judge(e, again.has(i), at[i])),
      ...areaRules.judge(a, undefined)
    ]
  }
})

/**
 * Where the extension area starts and ends in the first cluster.
 *
 * @see EXT-01 and EXT-03
 * @example
 * import fc from 'fast-check'
 * import { headers } from 'qcow2-spec/arbitraries'
 * import { extensionRange, geometry } from 'qcow2-spec/format'
 *
 * fc.assert(
 *   fc.property(headers.wellFormed, (h) => {
 *     const g = geometry(h)
 *     return g !== undefined && extensionRange(h, g).from === h.headerLength
 *   })
 * )
 */
export const extensionRange = (h: Header, g: Geometry): { readonly from: number; readonly to: number } => {
  const size = clusterSize(g)
  const backing = h.backingFileOffset === 0n ? size : Number(h.backingFileOffset)
  return { from: h.headerLength, to: Math.max(h.headerLength, Math.min(backing, size)) }
}

/**
 * The last extension of a kind, which is the effective one.
 *
 * @see EXT-05
 * @example
 * import { type Extension, lastExtension } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const raw = new TextEncoder().encode('raw')
 * const format: Extension = { _tag: 'BackingFormat', data: raw, padding: new Uint8Array(5) }
 * const area = { extensions: [format], rest: new Uint8Array(0) }
 * assert.equal(lastExtension(area, 'BackingFormat')?.data, raw)
 * assert.equal(lastExtension(area, 'DataFile'), undefined)
 */
export const lastExtension = <Tag extends Extension['_tag']>(
  area: ExtensionArea | undefined,
  tag: Tag
): Extract<Extension, { readonly _tag: Tag }> | undefined =>
  area?.extensions.findLast((e): e is Extract<Extension, { readonly _tag: Tag }> => e._tag === tag)

/** Byte offset of the payload of the last extension of a kind from the start of the area. */
export const payloadStart = (area: ExtensionArea, tag: Extension['_tag']): number =>
  (extensionStarts(area)[area.extensions.findLastIndex((e) => e._tag === tag)] ?? 0) + recordHead
