/** Dumps: a whole image as one JSON document, a region a line, and the way back. */
import * as E from 'fp-ts/lib/Either.js'
import { issueJson } from '../../bytes/issue.js'
import {
  anyOctetsJson,
  flagJson,
  inside,
  isList,
  isObject,
  type Json,
  type JsonObject,
  readJson,
  smallJson,
  misfit
} from '../../bytes/json.js'
import { objectJson, valueAt } from '../../bytes/object.js'
import { type Plan, readAt, emit, onEmit } from '../../bytes/plan.js'
import { type Geometry, geometry } from '../../format/geometry.js'
import { type RegionItem, regions, type Structure, structures } from './regions.js'
import { type Forms, formsOf, regionBytes, regionJson } from './region-json.js'
import type { ByteRange } from '../byte-range.js'
import { gaps, type Segment, segments } from './gaps.js'

/** How much of an image a dump holds: structures only, or every byte. */
export type DumpData = 'none' | 'inline'

/** A geometry for images whose header has none: no region needs it then. */
const noGeometry: Geometry = {
  version: 3,
  clusterBits: 16,
  extendedL2: false,
  externalDataFile: false,
  refcountOrder: 4
}

const geometryRows = [
  { key: 'version', name: 'version', json: smallJson('a version', 3) },
  { key: 'clusterBits', name: 'cluster_bits', json: smallJson('cluster_bits', 21) },
  { key: 'extendedL2', name: 'extended_l2', json: flagJson },
  { key: 'externalDataFile', name: 'external_data_file', json: flagJson },
  { key: 'refcountOrder', name: 'refcount_order', json: smallJson('refcount_order', 6) }
]

const isGeometry = (u: unknown): u is Geometry =>
  geometryRows.every((r) => r.json.is(valueAt(u, r.key))) && Number(valueAt(u, 'clusterBits')) >= 9

const geometryJson = objectJson('geometry', geometryRows, isGeometry)

/** Most findings that a dump lists; it has their number as well. */
const maxFindings = 1000

const chunk = 2 ** 20
const line = 2 ** 15

/** The bytes of a segment as regions: a fill, or lines of hexadecimal. */
const segmentRegions = (bytes: Uint8Array, from: number, s: Segment): readonly JsonObject[] => {
  if (s.fill !== undefined) return [{ at: s.at, size: s.size, structure: 'bytes', fill: s.fill }]
  const lines = Math.ceil(s.size / line)
  return Array.from({ length: lines }, (_, i) => {
    const at = s.at + i * line
    const part = bytes.subarray(at - from, Math.min(at + line, s.at + s.size) - from)
    return { at, size: part.length, structure: 'bytes', bytes: anyOctetsJson.encode(part) }
  })
}

/** A gap read in large runs; neighbouring fills of one value are one region. */
function* remaining({ at, size }: ByteRange): Plan<void, JsonObject> {
  let open: Segment | undefined
  for (let done = 0; done < size; done += chunk) {
    const from = at + done
    const bytes = yield* readAt(from, Math.min(chunk, size - done))
    for (const s of segments(bytes, from)) {
      if (open !== undefined && s.fill === open.fill) open = { ...open, size: open.size + s.size }
      else {
        if (open !== undefined) yield* emit(segmentRegions(bytes, from, open)[0] ?? {})
        open = s.fill === undefined ? undefined : s
        if (s.fill === undefined) for (const r of segmentRegions(bytes, from, s)) yield* emit(r)
      }
    }
  }
  if (open !== undefined) yield* emit({ at: open.at, size: open.size, structure: 'bytes', fill: open.fill ?? 0 })
}

const text = (json: Json): string => JSON.stringify(json)

/**
 * An image of `fileLength` bytes as JSON text, emitted line by line: the length of the file, its geometry, one region a
 * line, and the findings. With `inline`, every byte that no structure covers follows, so that the image can be
 * assembled from the dump, byte for byte.
 *
 * @example
 * import { dump, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const lines: string[] = []
 * runSync(dump(196616, 'none'), worldOf(files, (line: string) => lines.push(line)))
 * assert.match(lines.join(''), /"structure":"refcount table"/)
 */
export function* dump(fileLength: number, data: DumpData): Plan<void, string> {
  const ranges: ByteRange[] = []
  const findings: Json[] = []
  const counts = { regions: 0, findings: 0 }
  const shape: { geometry?: Geometry; forms: Forms } = { forms: formsOf(noGeometry) }
  function* put(json: JsonObject): Plan<void, string> {
    if (counts.regions === 0) yield* emit(head(fileLength, shape.geometry))
    yield* emit(`${counts.regions === 0 ? '' : ',\n'}${text(json)}`)
    counts.regions++
  }
  yield* onEmit(regions(fileLength), function* (found: RegionItem): Plan<void, string> {
    if (found._tag === 'Metadata') {
      const g = geometry(found.metadata.header)
      if (g !== undefined) {
        shape.geometry = g
        shape.forms = formsOf(g)
      }
    } else if (found._tag === 'Issue') {
      counts.findings++
      if (findings.length < maxFindings) findings.push(issueJson(found.issue))
    } else {
      ranges.push({ at: found.region.at, size: found.region.bytes.length })
      yield* put(regionJson(found.region, shape.forms))
    }
  })
  if (data === 'inline') for (const gap of gaps(ranges, fileLength)) yield* onEmit(remaining(gap), put)
  if (counts.regions === 0) yield* emit(head(fileLength, shape.geometry))
  yield* emit(`\n],\n"findings":${text(findings)},\n"findings_in_all":${counts.findings}}\n`)
}

const head = (fileLength: number, g: Geometry | undefined): string =>
  `{"file_length":${fileLength},\n"geometry":${text(g === undefined ? null : geometryJson.encode(g))},\n"regions":[\n`

/** The frame of a dump: length of the file and geometry. */
export interface DumpFrame {
  readonly fileLength: number
  readonly geometry: Geometry
}

/**
 * The frame of a dump, from the document or from its first lines.
 *
 * @example
 * import { dumpFrame } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const frame = dumpFrame({ file_length: 512, geometry: null, regions: [] })
 * assert.equal(frame._tag === 'Right' && frame.right.fileLength, 512)
 */
export const dumpFrame = (u: unknown): E.Either<string, DumpFrame> => {
  if (!isObject(u)) return E.left(misfit(u, 'is not a dump'))
  const length = inside('file_length')(readJson(smallJson('a length', Number.MAX_SAFE_INTEGER))(u['file_length']))
  const shape = u['geometry'] === null ? E.right(noGeometry) : inside('geometry')(readJson(geometryJson)(u['geometry']))
  if (E.isLeft(length)) return length
  return E.map((g: Geometry): DumpFrame => ({ fileLength: length.right, geometry: g }))(shape)
}

/** The bytes that a region of a dump puts into the image, or one byte value that is repeated. */
export type Patch =
  | { readonly _tag: 'Bytes'; readonly at: number; readonly bytes: Uint8Array; readonly structure: string }
  | { readonly _tag: 'Fill'; readonly at: number; readonly size: number; readonly fill: number }

const place = smallJson('an offset', Number.MAX_SAFE_INTEGER)
const byte = smallJson('a byte', 255)
const isStructure = (u: unknown): u is Structure => structures.some((s) => s === u)

/**
 * What one region of a dump puts into the image, or the field that cannot be encoded and why.
 *
 * @example
 * import { patchOf } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const g = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false, refcountOrder: 4 }
 * const patch = patchOf({ at: 512, size: 4, structure: 'bytes', fill: 7 }, g)
 * assert.deepEqual(patch, { _tag: 'Right', right: { _tag: 'Fill', at: 512, size: 4, fill: 7 } })
 */
export const patchOf = (u: unknown, g: Geometry): E.Either<string, Patch> => {
  if (!isObject(u)) return E.left(misfit(u, 'is not a region'))
  const { at, size, structure, of: _of, index: _index, ...form } = u
  const offset = inside('at')(readJson(place)(at))
  if (E.isLeft(offset)) return offset
  const named = <A>(e: E.Either<string, A>): E.Either<string, A> => inside(`${String(structure)} at ${offset.right}`)(e)
  if (structure === 'bytes' && form['fill'] !== undefined) {
    const length = inside('size')(readJson(place)(size))
    if (E.isLeft(length)) return named(length)
    return named(
      E.map((fill: number): Patch => ({ _tag: 'Fill', at: offset.right, size: length.right, fill }))(
        inside('fill')(readJson(byte)(form['fill']))
      )
    )
  }
  if (structure !== 'bytes' && !isStructure(structure)) return E.left(`structure: ${misfit(structure, 'is not known')}`)
  const bytes =
    structure === 'bytes' ? inside('bytes')(readJson(anyOctetsJson)(form['bytes'])) : regionBytes(structure, form, g)
  return named(E.map((b: Uint8Array): Patch => ({ _tag: 'Bytes', at: offset.right, bytes: b, structure }))(bytes))
}

/**
 * The regions of a dump that was read as a whole.
 *
 * @example
 * import { dumpRegions } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * assert.deepEqual(dumpRegions({ regions: [] }), { _tag: 'Right', right: [] })
 * assert.deepEqual(dumpRegions({}), { _tag: 'Left', left: 'regions: missing' })
 */
export const dumpRegions = (u: unknown): E.Either<string, readonly unknown[]> => {
  const list = isObject(u) ? u['regions'] : undefined
  return isList(list) ? E.right(list) : E.left(`regions: ${misfit(list, 'is not a list')}`)
}
