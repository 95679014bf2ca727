/** The extension area of the first cluster: as the image has it, and as bytes of other extensions. */
import { toEight } from '../../bytes/entry.js'
import type { Issue } from '../../bytes/issue.js'
import { concat, empty, viewOf } from '../../bytes/octets.js'
import { orFail, type Plan, readAt } from '../../bytes/plan.js'
import { type Extension, extension, typeOf } from '../../format/extension.js'
import { type ExtensionArea, extensionArea, extensionRange, extensionStarts } from '../../format/extension-area.js'
import { extensionTypes, holeType } from '../../format/extension-kinds.js'
import type { CommandState } from './command-state.js'
import { mayHave, refusal } from './refuse.js'

/** The first word of an extension that hides the `length` bytes after it. */
export const hole = (length: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setUint32(0, holeType)
  viewOf(bytes).setUint32(4, length)
  return bytes
}

/** The word that ends the area. @see EXT-02 */
export const endMarker = new Uint8Array(8)

/** The extension area in its place. Offsets are bytes of the image file. */
export interface PlacedArea {
  readonly from: number
  /** The backing file name, or the end of the cluster. */
  readonly to: number
  readonly extensions: readonly Extension[]
  /** The offset of each extension, then that of the end marker. */
  readonly starts: readonly number[]
  /** Whether there is an end marker. */
  readonly marked: boolean
  /** The extensions and the end marker. */
  readonly bytes: Uint8Array
  /** The bytes after them. */
  readonly rest: Uint8Array
}

/** The area as the command has left it. @see EXT-01 and HDR-02 */
export function* areaNow(w: CommandState): Plan<PlacedArea> {
  const { from, to } = extensionRange(w.header, w.g)
  yield* mayHave(w.header, { headerLength: from })
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

/** The bytes of an area with these extensions and an end marker. Padding that they have is kept. @see EXT-12 */
export const areaBytes = (extensions: readonly Extension[]): Uint8Array =>
  extensionArea.encode({
    extensions: extensions.map((e) => ({
      ...e,
      padding: concat([e.padding, new Uint8Array(toEight(extension.sizeOf(e)))])
    })),
    end: extensionTypes.end,
    rest: empty
  })

/** The extensions with `e` in the place of the last one of its type, or at the end. */
export const withExtension = (extensions: readonly Extension[], e: Extension): readonly Extension[] => {
  const last = extensions.findLastIndex((old) => typeOf(old) === typeOf(e))
  if (last < 0) return [...extensions, e]
  return extensions.flatMap((old, i) => (i === last ? [e] : typeOf(old) === typeOf(e) ? [] : [old]))
}

/** The extensions except those of these types. */
export const withoutTypes = (extensions: readonly Extension[], types: readonly number[]): readonly Extension[] =>
  extensions.filter((e) => !types.includes(typeOf(e)))

/** The issue of a header, extensions and backing file name of `size` bytes in a cluster of `room` bytes, if they do not fit. @see BACK-03 and CR-03 */
export const tooLong = (size: number, room: number): readonly Issue[] => {
  const found = `${size} bytes of header, extensions and backing file name`
  const place = { structure: 'header', at: 0, size: room }
  return size <= room
    ? []
    : [refusal('CR-03', found, `at most the ${room} bytes of a cluster`, { ...place, phase: 'limit' })]
}
