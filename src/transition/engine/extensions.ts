/**
 * Extensions and the backing file name: changed by aligned words of 64 bits, one behind the other, so that the first cluster
 * decodes at every moment. What is written where nobody looks comes first, then the word that shows it.
 */
import { toEight } from '../../bytes/entry.js'
import { concat, empty, equal, viewOf } from '../../bytes/octets.js'
import { orFail, type Plan, readAt } from '../../bytes/plan.js'
import { backingNamePlace } from '../../format/backing.js'
import { type Extension, extension, typeOf } from '../../format/extension.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { type ExtensionArea, extensionArea, extensionStarts } from '../../format/extension-area.js'
import { clusterSize } from '../../format/geometry.js'
import { extensionRange } from '../../image/metadata.js'
import { endRound } from './finish.js'
import { refuse, type Work } from './work.js'

/** Bytes of the first cluster to be written at a byte of it, where nothing has stood that anything pointed to if they are unseen. */
export type Patch = readonly [at: number, bytes: Uint8Array, unseen?: 'unseen']

/** Patches in the order in which they become durable. */
export type Way = readonly Patch[]

/** The type of a record that hides bytes of the area: nobody knows it, so everybody skips it. */
const holeType = 0x686f_6c65

/** The first word of a record that hides the `length` bytes behind it. */
export const hole = (length: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setUint32(0, holeType)
  viewOf(bytes).setUint32(4, length)
  return bytes
}

/** The word that ends the area. @see EXT-02 */
export const endMarker = new Uint8Array(8)

/** The extension area as it stands. Offsets are bytes of the file. */
export interface Area {
  readonly from: number
  /** The backing file name, or the end of the cluster. */
  readonly to: number
  readonly extensions: readonly Extension[]
  /** Where each record starts, and the end marker. */
  readonly starts: readonly number[]
  /** Whether there is an end marker. */
  readonly marked: boolean
  /** The records and the end marker. */
  readonly bytes: Uint8Array
  /** What stands behind them. */
  readonly rest: Uint8Array
}

/** The area as the changes so far have left it. @see EXT-01 */
export function* areaNow(w: Work): Plan<Area> {
  const { from, to } = extensionRange(w.header, w.g)
  if (from % 8 !== 0)
    return yield* refuse<Area>('HDR-02', String(from), 'a multiple of 8', {
      structure: 'header',
      field: 'header_length'
    })
  const all = yield* readAt(from, to - from)
  const { extensions, end, rest } = yield* orFail<ExtensionArea>(extensionArea.decodeAt(all, 0, from))
  const starts = extensionStarts({ extensions, rest })
  const last = extensions.at(-1)
  const next = last === undefined ? 0 : (starts.at(-1) ?? 0) + extension.sizeOf(last)
  const length = next + (end === undefined ? 0 : endMarker.length)
  return {
    from,
    to,
    extensions,
    starts: [...starts, next].map((start) => from + start),
    marked: end !== undefined,
    bytes: all.subarray(0, length),
    rest: all.subarray(length)
  }
}

/** The bytes of an area with these extensions. Padding that is there is kept. @see EXT-12 */
export const areaBytes = (extensions: readonly Extension[]): Uint8Array =>
  extensionArea.encode({
    extensions: extensions.map((e) => ({
      ...e,
      padding: concat([e.padding, new Uint8Array(toEight(extension.sizeOf(e)))])
    })),
    end: extensionTypes.end,
    rest: empty
  })

/** The extensions with this one in the place of the one of its type, or at the end. */
export const withExtension = (extensions: readonly Extension[], e: Extension): readonly Extension[] => {
  const last = extensions.findLastIndex((old) => typeOf(old) === typeOf(e))
  if (last < 0) return [...extensions, e]
  return extensions.flatMap((old, i) => (i === last ? [e] : typeOf(old) === typeOf(e) ? [] : [old]))
}

/** The extensions but for those of these types. */
export const withoutTypes = (extensions: readonly Extension[], types: readonly number[]): readonly Extension[] =>
  extensions.filter((e) => !types.includes(typeOf(e)))

/** Writes patches, each behind a flush but for the unseen. */
export function* inOrder(w: Work, way: Way): Plan<void> {
  for (const [at, bytes, unseen] of way) {
    if (bytes.length > 0) yield* w.tx.put('main header', unseen === undefined ? 'expose' : 'prepare', at, bytes)
    if (unseen === undefined) yield* endRound(w)
  }
}

/** Changes fields of the header that may become durable one before the other, between two flushes. */
function* alone(w: Work, fields: Parameters<Work['changeHeader']>[1]): Plan<void> {
  yield* w.changeHeader('expose', fields)
  yield* endRound(w)
}

/** Says whether the bitmaps are to be trusted, between two flushes. @see BMP-11 */
export const trustBitmaps = (w: Work, bitmaps: boolean): Plan<void> =>
  alone(w, { autoclearFeatures: { ...w.header.autoclearFeatures, bitmaps } })

/** The backing file name; no bytes without a backing file. */
function* backingName(w: Work): Plan<Uint8Array> {
  const place = backingNamePlace(w.header)
  return place === undefined ? empty : yield* readAt(Number(place.at), place.length)
}

/** Takes the backing file name away, and its bound from the area. Without a size there is no backing file. @see BACK-02 */
function* detach(w: Work): Plan<void> {
  const { backingFileOffset, backingFileSize } = w.header
  if (backingFileOffset === 0n) return
  const { from } = extensionRange(w.header, w.g)
  yield* alone(w, { backingFileSize: 0 })
  // Zeros where the name was end an area that had no end marker.
  const start = Math.max(from, Number(backingFileOffset))
  const word = start + toEight(start) + endMarker.length
  const end = Math.min(clusterSize(w.g), Math.max(word, Number(backingFileOffset) + backingFileSize))
  yield* inOrder(w, [[start, new Uint8Array(end - start)]])
  yield* alone(w, { backingFileOffset: 0n })
}

/** Puts a backing file name behind the area of an image that has none. */
function* attach(w: Work, name: Uint8Array): Plan<void> {
  if (name.length === 0) return
  const { from, bytes } = yield* areaNow(w)
  const at = from + bytes.length
  yield* inOrder(w, [[at, name]])
  yield* alone(w, { backingFileOffset: BigInt(at), backingFileSize: name.length })
}

/** Where a copy of the backing file name may stand beside the name, and behind byte `end`. */
const besideName = (w: Work, end: number): number => {
  const free = Math.max(end, Number(w.header.backingFileOffset) + w.header.backingFileSize)
  return free + toEight(free)
}

/** How far the area may reach while the backing file name stays. */
const roomBesideName = (w: Work, { to, marked }: Area): number => {
  const { backingFileOffset, backingFileSize } = w.header
  const size = clusterSize(w.g)
  if (backingFileOffset === 0n) return size
  return marked && besideName(w, 0) + backingFileSize <= size ? size - backingFileSize - toEight(backingFileSize) : to
}

/**
 * Carries out a plan for which the area may reach up to byte `end`. A name in the way moves first: a copy, then the word
 * that points to it. Where there is no room for a copy the image has no backing file while the plan is carried out, and
 * a crash leaves it so.
 */
export function* withRoom(w: Work, end: number, plan: () => Plan<void>): Plan<void> {
  const area = yield* areaNow(w)
  if (end <= area.to) return yield* plan()
  const name = yield* backingName(w)
  if (end > roomBesideName(w, area)) {
    yield* detach(w)
    yield* plan()
    return yield* attach(w, name)
  }
  const at = besideName(w, end)
  yield* inOrder(w, [[at, name]])
  yield* alone(w, { backingFileOffset: BigInt(at) })
  yield* plan()
}

/** Refuses what the first cluster has no room for. @see CR-03 */
export function* fits(w: Work, end: number, name: number): Plan<void> {
  if (end + name > clusterSize(w.g))
    yield* refuse('CR-03', `${end + name} bytes of header, extensions and name`, `at most ${clusterSize(w.g)}`, {
      phase: 'limit',
      structure: 'header'
    })
}

/** Two ways to the same end: one that is right at every moment, and one that needs less room. */
interface Ways {
  readonly safe: Way
  readonly tight: Way
}

/**
 * The ways from tail `a` of an area, which starts at byte `at`, to tail `b`; both end with the end marker. One word changes
 * by itself. To or from nothing the first word shows or hides the rest. Else `b` is put aside, a hole hides `a` up to it,
 * and `b` takes its place in the hole; or, without the room for that, `a` is cut off first, and a crash leaves neither.
 */
const waysBetween = (at: number, a: Uint8Array, b: Uint8Array): Ways => {
  const part = (bytes: Uint8Array, i: number): Uint8Array => bytes.subarray(8 * i, 8 * i + 8)
  const differ = Array.from({ length: b.length / 8 }, (_, i) => i).filter((i) => !equal(part(a, i), part(b, i)))
  const only = (way: Way): Ways => ({ safe: way, tight: way })
  if (a.length === b.length && differ.length <= 1) return only(differ.map((i) => [at + 8 * i, part(b, i)]))
  const shown: Way = [
    [at + 8, b.subarray(8)],
    [at, part(b, 0)]
  ]
  if (a.length <= 8 || b.length === 8) return only(shown)
  const aside = at + Math.max(a.length, b.length)
  return { safe: [[aside, b], [at, hole(aside - at - 8)], ...shown], tight: [[at, endMarker], ...shown] }
}

/** The way, whose first patch is unseen if it stands behind the area. */
const unseenFirst = (way: Way, { from, bytes }: Area): Way => {
  const [first, ...rest] = way
  if (first === undefined || first[0] < from + bytes.length) return way
  return [[first[0], first[1], 'unseen'], ...rest]
}

const endOf = (way: Way): number => Math.max(0, ...way.map(([at, bytes]) => at + bytes.length))

/**
 * Gives the area other extensions, in their order; what stays the same in front stays untouched. At every moment it reads
 * as before or as afterwards. Where that would need more room than the cluster has, a crash can leave the image without
 * the extensions from the first that changes on, the bitmaps untrusted, or without its backing file.
 *
 * @see HDR-12, EXT-12 and CR-03
 */
export function* changeExtensions(
  w: Work,
  change: (extensions: readonly Extension[]) => readonly Extension[],
  name = w.header.backingFileSize
): Plan<void> {
  const area = yield* areaNow(w)
  const bytes = areaBytes(change(withoutTypes(area.extensions, [holeType])))
  if (!area.marked && equal(bytes.subarray(0, -8), area.bytes)) return
  yield* fits(w, area.from + bytes.length, name)
  const differ = bytes.findIndex((b, i) => b !== area.bytes[i])
  const from = area.starts.findLast((start) => start - area.from <= (differ < 0 ? bytes.length : differ)) ?? area.from
  const { safe, tight } = waysBetween(from, area.bytes.subarray(from - area.from), bytes.subarray(from - area.from))
  const room = roomBesideName(w, area)
  const whole = endOf(safe) <= clusterSize(w.g) ? safe : tight
  const way = [safe, tight].find((each) => endOf(each) <= room) ?? whole
  const untrusted = way !== safe && w.header.autoclearFeatures.bitmaps
  if (untrusted) yield* trustBitmaps(w, false)
  // What this command has changed of the header may not be durable: until then what stands behind the area may be seen.
  const unseen = endOf(way) <= area.to && w.tx.claims.every(({ owner }) => owner !== 'main header')
  yield* withRoom(w, endOf(way), () => inOrder(w, unseen ? unseenFirst(way, area) : way))
  if (untrusted)
    yield* w.changeHeader('release', { autoclearFeatures: { ...w.header.autoclearFeatures, bitmaps: true } })
  yield* sweep(w)
}

/** Zeros between the end marker and the name, or the end of the cluster. @see EXT-21 */
function* sweep(w: Work): Plan<void> {
  const { from, bytes, rest } = yield* areaNow(w)
  const used = rest.findLastIndex((b) => b !== 0) + 1
  if (used === 0) return
  yield* w.tx.put('main header', 'release', from + bytes.length, new Uint8Array(used))
  yield* endRound(w)
}

/**
 * Gives the image another backing file name, none if it has no bytes, and other extensions. While the name changes the
 * image has no backing file, since offset and size of the name are two words; a crash leaves it so.
 *
 * @see CR-02 and BACK-01
 */
export function* changeBackingName(
  w: Work,
  name: Uint8Array,
  change: (extensions: readonly Extension[]) => readonly Extension[]
): Plan<void> {
  if (equal(name, yield* backingName(w))) return yield* changeExtensions(w, change)
  yield* detach(w)
  yield* changeExtensions(w, change, name.length)
  yield* attach(w, name)
}
