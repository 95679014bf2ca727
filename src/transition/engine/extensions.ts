/**
 * Changes of the extensions and of the backing file name, by aligned words of 64 bits, one after the other, so that a crash
 * leaves a first cluster that decodes: first the bytes that nothing refers to, then the word that makes them visible.
 */
import { extensionRange } from '../../format/extension-area.js'
import { toEight } from '../../bytes/entry.js'
import { empty, equal } from '../../bytes/octets.js'
import { failOn, type Plan, readAt } from '../../bytes/plan.js'
import { backingNamePlace } from '../../format/backing.js'
import type { Extension } from '../../format/extension.js'
import { holeType } from '../../format/extension-kinds.js'
import { clusterSize } from '../../format/geometry.js'
import type { CommandState } from './command-state.js'
import { areaBytes, areaNow, endMarker, hole, type PlacedArea, tooLong, withoutTypes } from './extension-area.js'
import { endRound } from './finish.js'

/** Bytes that are written to the first cluster; `hidden` where no reader has seen what they replace. */
export type HeaderWrite = readonly [at: number, bytes: Uint8Array, hidden?: 'hidden']

/** Writes to the first cluster in the order in which they become durable. */
export type HeaderWrites = readonly HeaderWrite[]

/** Performs the writes, each in a round of its own, except hidden ones, which join the next. */
export function* writeInOrder(w: CommandState, writes: HeaderWrites): Plan<void> {
  for (const [at, bytes, hidden] of writes) {
    if (bytes.length > 0) yield* w.tx.put('main header', hidden === undefined ? 'expose' : 'prepare', at, bytes)
    if (hidden === undefined) yield* endRound(w)
  }
}

/** Changes fields of the header in a round of their own; they may become durable in any order. */
function* changeAlone(w: CommandState, fields: Parameters<CommandState['changeHeader']>[1]): Plan<void> {
  yield* w.changeHeader('expose', fields)
  yield* endRound(w)
}

/** Sets whether the bitmaps are trusted, in a round of its own. @see BMP-11 */
export const trustBitmaps = (w: CommandState, bitmaps: boolean): Plan<void> =>
  changeAlone(w, { autoclearFeatures: { ...w.header.autoclearFeatures, bitmaps } })

/** The backing file name; empty without a backing file. */
function* backingName(w: CommandState): Plan<Uint8Array> {
  const place = backingNamePlace(w.header)
  return place === undefined ? empty : yield* readAt(Number(place.at), place.length)
}

/** Removes the backing file name, which bounds the area. Without a size there is no backing file. @see BACK-02 */
function* detach(w: CommandState): Plan<void> {
  const { backingFileOffset, backingFileSize } = w.header
  if (backingFileOffset === 0n) return
  const { from } = extensionRange(w.header, w.g)
  yield* changeAlone(w, { backingFileSize: 0 })
  // Zeros where the name was end an area that had no end marker.
  const start = Math.max(from, Number(backingFileOffset))
  const word = start + toEight(start) + endMarker.length
  const end = Math.min(clusterSize(w.g), Math.max(word, Number(backingFileOffset) + backingFileSize))
  yield* writeInOrder(w, [[start, new Uint8Array(end - start)]])
  yield* changeAlone(w, { backingFileOffset: 0n })
}

/** Writes a backing file name after the area of an image that has none. */
function* attach(w: CommandState, name: Uint8Array): Plan<void> {
  if (name.length === 0) return
  const { from, bytes } = yield* areaNow(w)
  const at = from + bytes.length
  yield* writeInOrder(w, [[at, name]])
  yield* changeAlone(w, { backingFileOffset: BigInt(at), backingFileSize: name.length })
}

/** The offset for a copy of the backing file name: after the name, and from byte `end` on. */
const besideName = (w: CommandState, end: number): number => {
  const free = Math.max(end, Number(w.header.backingFileOffset) + w.header.backingFileSize)
  return free + toEight(free)
}

/** The end of the area at most, while there is a backing file name. */
const roomBesideName = (w: CommandState, { to, marked }: PlacedArea): number => {
  const { backingFileOffset, backingFileSize } = w.header
  const size = clusterSize(w.g)
  if (backingFileOffset === 0n) return size
  return marked && besideName(w, 0) + backingFileSize <= size ? size - backingFileSize - toEight(backingFileSize) : to
}

/**
 * Carries out a plan for which the area may reach up to byte `end`. A backing file name in the way moves first: a copy, then
 * the word that points to it. Where there is no room for a copy the image has no backing file while the plan is carried out,
 * and a crash leaves it without.
 */
export function* withRoom(w: CommandState, end: number, plan: () => Plan<void>): Plan<void> {
  const area = yield* areaNow(w)
  if (end <= area.to) return yield* plan()
  const name = yield* backingName(w)
  if (end > roomBesideName(w, area)) {
    yield* detach(w)
    yield* plan()
    return yield* attach(w, name)
  }
  const at = besideName(w, end)
  yield* writeInOrder(w, [[at, name]])
  yield* changeAlone(w, { backingFileOffset: BigInt(at) })
  yield* plan()
}

/** Refuses an area that ends at byte `end`, and `name` bytes of backing file name, where the cluster has no room. @see CR-03 */
export const mayExtend = (w: CommandState, end: number, name: number): Plan<void> =>
  failOn(tooLong(end + name, clusterSize(w.g)))

/** Two orders of writes with the same outcome. */
interface Alternatives {
  /** A crash leaves the old bytes or the new ones. */
  readonly safe: HeaderWrites
  /** Needs less room; a crash may leave neither. */
  readonly tight: HeaderWrites
}

/**
 * The writes that replace tail `a` of an area, from byte `at` on, by tail `b`; both end with the end marker. One word changes
 * by itself. To or from nothing, the first word shows or hides the rest. Otherwise `b` is written past both, a hole hides
 * `a` up to it, and `b` is written again inside the hole; without the room for that, `a` is cut off first.
 */
const replacing = (at: number, a: Uint8Array, b: Uint8Array): Alternatives => {
  const part = (bytes: Uint8Array, i: number): Uint8Array => bytes.subarray(8 * i, 8 * i + 8)
  const differ = Array.from({ length: b.length / 8 }, (_, i) => i).filter((i) => !equal(part(a, i), part(b, i)))
  const only = (writes: HeaderWrites): Alternatives => ({ safe: writes, tight: writes })
  if (a.length === b.length && differ.length <= 1) return only(differ.map((i) => [at + 8 * i, part(b, i)]))
  const shown: HeaderWrites = [
    [at + 8, b.subarray(8)],
    [at, part(b, 0)]
  ]
  if (a.length <= 8 || b.length === 8) return only(shown)
  const aside = at + Math.max(a.length, b.length)
  return { safe: [[aside, b], [at, hole(aside - at - 8)], ...shown], tight: [[at, endMarker], ...shown] }
}

/** The writes, the first of which is hidden if it is past the area. */
const firstHidden = (writes: HeaderWrites, { from, bytes }: PlacedArea): HeaderWrites => {
  const [first, ...rest] = writes
  if (first === undefined || first[0] < from + bytes.length) return writes
  return [[first[0], first[1], 'hidden'], ...rest]
}

const endOf = (writes: HeaderWrites): number => Math.max(0, ...writes.map(([at, bytes]) => at + bytes.length))

/**
 * Gives the image other extensions, in this order. Those before the first that changes are not written. A crash leaves the
 * old extensions or the new ones. Where that needs more room than the cluster has, a crash may leave the image without the
 * extensions from the first that changes on, with bitmaps that are not trusted, or without its backing file.
 *
 * @see HDR-12, EXT-12 and CR-03
 */
export function* changeExtensions(
  w: CommandState,
  change: (extensions: readonly Extension[]) => readonly Extension[],
  name = w.header.backingFileSize
): Plan<void> {
  const area = yield* areaNow(w)
  const bytes = areaBytes(change(withoutTypes(area.extensions, [holeType])))
  if (!area.marked && equal(bytes.subarray(0, -8), area.bytes)) return
  yield* mayExtend(w, area.from + bytes.length, name)
  const differ = bytes.findIndex((b, i) => b !== area.bytes[i])
  const from = area.starts.findLast((start) => start - area.from <= (differ < 0 ? bytes.length : differ)) ?? area.from
  const { safe, tight } = replacing(from, area.bytes.subarray(from - area.from), bytes.subarray(from - area.from))
  const room = roomBesideName(w, area)
  const fitting = endOf(safe) <= clusterSize(w.g) ? safe : tight
  const writes = [safe, tight].find((each) => endOf(each) <= room) ?? fitting
  const untrusted = writes !== safe && w.header.autoclearFeatures.bitmaps
  if (untrusted) yield* trustBitmaps(w, false)
  // What this command has changed of the header may not be durable: until then bytes past the area may be seen.
  const hidden = endOf(writes) <= area.to && w.tx.claims.every(({ section }) => section !== 'main header')
  yield* withRoom(w, endOf(writes), () => writeInOrder(w, hidden ? firstHidden(writes, area) : writes))
  if (untrusted)
    yield* w.changeHeader('release', { autoclearFeatures: { ...w.header.autoclearFeatures, bitmaps: true } })
  yield* clearRest(w)
}

/** Clears the bytes between the end marker and the backing file name, or the end of the cluster. @see EXT-21 */
function* clearRest(w: CommandState): Plan<void> {
  const { from, bytes, rest } = yield* areaNow(w)
  const used = rest.findLastIndex((b) => b !== 0) + 1
  if (used === 0) return
  yield* w.tx.put('main header', 'release', from + bytes.length, new Uint8Array(used))
  yield* endRound(w)
}

/**
 * Gives the image another backing file name, or none if it is empty, and other extensions. Offset and size of the name are
 * two words: while they change the image has no backing file, and a crash leaves it without.
 *
 * @see CR-02 and BACK-01
 */
export function* changeBackingName(
  w: CommandState,
  name: Uint8Array,
  change: (extensions: readonly Extension[]) => readonly Extension[]
): Plan<void> {
  if (equal(name, yield* backingName(w))) return yield* changeExtensions(w, change)
  yield* detach(w)
  yield* changeExtensions(w, change, name.length)
  yield* attach(w, name)
}
