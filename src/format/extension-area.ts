/** The extension area: from header_length to the backing file name, or to the end of the first cluster. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { ByteType } from '../bytes/byte-type.js'
import type { Complaint } from '../bytes/issue.js'
import { anyOctetsJson, isObject } from '../bytes/json.js'
import { u32 } from '../bytes/leaf.js'
import { repeats, startsOf, type Step, sum, walk } from '../bytes/list.js'
import { objectJson } from '../bytes/object.js'
import { concat, empty, part, viewOf } from '../bytes/octets.js'
import { type Extension, extension, extensionTypes, typeOf } from './extension.js'

/** All bytes of the area: the extensions in their order, the end marker if there is one, and what follows it. */
export interface ExtensionArea {
  readonly extensions: readonly Extension[]
  /** The length field of the end marker; absent when the area ends without one. @see EXT-03 */
  readonly end?: number
  /** Everything behind the end marker's 8 bytes, its data included. */
  readonly rest: Uint8Array
}

const recordHead = 8

const listJson = t.readonlyArray(extension.json)

const isArea = (u: unknown): u is ExtensionArea => {
  if (!isObject(u) || !listJson.is(u['extensions']) || !(u['rest'] instanceof Uint8Array)) return false
  const marked = u['end'] !== undefined
  const last = u['extensions'].length - 1
  const padded = u['extensions'].every((e, i) => (i === last && !marked) || extension.sizeOf(e) % 8 === 0)
  return padded && (marked ? u32.json.is(u['end']) && u['end'] <= u['rest'].length : u['rest'].length === 0)
}

const truncated = (at: number, left: number): Complaint => ({
  clause: 'EXT-03',
  phase: 'malformed',
  source: 'both',
  structure: 'header extension',
  field: '',
  at,
  size: recordHead,
  found: `${left} bytes before the end of the area`,
  expected: `a record of at least ${recordHead} bytes`,
  refusal: 'OPEN-25'
})

/** One step of the walk: the extension at `at`, or why there is none. */
const extensionAt = (bytes: Uint8Array, at: number): E.Either<readonly Complaint[], Step<Extension>> => {
  if (bytes.length - at < recordHead) return E.left([truncated(at, bytes.length - at)])
  return pipe(
    extension.decodeAt(bytes, at),
    E.bimap(
      (issues) => issues.map((i): Complaint => ({ ...i, refusal: 'OPEN-25' })),
      (e) => ({ value: e, next: at + extension.sizeOf(e) })
    )
  )
}

/** The length field of the end marker that stands at `at`; `undefined` when none does. */
const endMarker = (view: DataView, at: number): number | undefined => {
  const left = view.byteLength - at - recordHead
  if (left < 0 || view.getUint32(at) !== extensionTypes.end) return undefined
  const length = view.getUint32(at + 4)
  return length <= left ? length : undefined
}

/** Byte offsets of the extensions from the start of the area. */
export const extensionStarts = (a: ExtensionArea): readonly number[] =>
  startsOf(a.extensions.map((e) => extension.sizeOf(e)))

const extensionsSize = (a: ExtensionArea): number => sum(a.extensions.map((e) => extension.sizeOf(e)))

const duplicates = (a: ExtensionArea): readonly Complaint[] => {
  const at = extensionStarts(a)
  const types = a.extensions.map(typeOf)
  // Of each type the second extension, however many more there are.
  const again = repeats(types)
  const further = new Set(repeats(again.map((i) => types[i] ?? 0)))
  return again
    .filter((_, n) => !further.has(n))
    .map((i) => ({
      clause: 'EXT-02',
      phase: 'invalid',
      source: 'format',
      structure: 'header extension',
      field: 'type',
      at: at[i] ?? 0,
      size: 4,
      found: `a second extension of type 0x${(types[i] ?? 0).toString(16)}`,
      expected: 'each type at most once'
    }))
}

const stray = (a: ExtensionArea): readonly Complaint[] => {
  const used = a.rest.findIndex((b) => b !== 0)
  const at = extensionsSize(a) + recordHead
  return used < 0
    ? []
    : [
        {
          clause: 'EXT-21',
          phase: 'invalid',
          source: 'format',
          structure: 'header extension area',
          field: '',
          at: at + used,
          size: a.rest.length - used,
          found: 'bytes behind the end marker',
          expected: 'zeros up to the end of the area'
        }
      ]
}

/**
 * The extension area: all bytes given to `decode` belong to it. A record that runs past the end of the area is malformed.
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
    return [...a.extensions.flatMap((e, i) => extension.judge(e, at[i])), ...duplicates(a), ...stray(a)]
  }
})
