/** Crash states straight from their definition: every subset of the changes, applied to plain arrays of bytes. */
import type { FileRef } from '../../src/bytes/plan.js'
import type { FileChange } from '../../src/store/files.js'
import { changedBytes, resized } from './naive.js'

const sectorSize = 512
const nothing = new Uint8Array(0)

/** The bytes of each file. */
type Contents = readonly Uint8Array[]

/** What becomes durable by itself: a sector of a file, as far as it is in the file; or the length of a file. */
interface Piece {
  /** Number of the change. */
  readonly by: number
  readonly place: number
  /** The sector, unless it is a truncation. */
  readonly index?: number
  readonly held: Uint8Array
  /** The new length of the file; for a sector, the least one. */
  readonly length: number
}

const placeOf = (files: readonly FileRef[], file: FileRef): number =>
  files.findIndex(({ part, depth }) => part === file.part && depth === file.depth)

/** The pieces of the changes, in their order. */
const piecesOf = (files: readonly FileRef[], before: Contents, changes: readonly FileChange[]): readonly Piece[] => {
  const now = [...before]
  /** The end of the writes of each sector. */
  const reaches = files.map(() => new Map<number, number>())
  return changes.flatMap((change, by): readonly Piece[] => {
    const place = placeOf(files, change.file)
    const bytes = changedBytes(now[place] ?? nothing, change)
    const reach = reaches[place] ?? new Map<number, number>()
    now[place] = bytes
    if (change._tag === 'Truncate') {
      for (const [index, end] of reach) reach.set(index, Math.min(end, change.length))
      return [{ by, place, held: nothing, length: change.length }]
    }
    const end = Math.min(change.at + (change._tag === 'Write' ? change.bytes : change).length, bytes.length)
    return Array.from(bytes, (_, i) => i)
      .filter((at) => at % sectorSize === 0 && at < end && at + sectorSize > change.at && end > change.at)
      .map((at): Piece => {
        const index = at / sectorSize
        const length = Math.max(reach.get(index) ?? 0, change._tag === 'Write' ? Math.min(end, at + sectorSize) : 0)
        reach.set(index, length)
        return { by, place, index, held: bytes.slice(at, at + sectorSize), length }
      })
  })
}

/** The bytes with a sector replaced as far as it is within them, and zeros after them. */
const withSector = (bytes: Uint8Array, index: number, held: Uint8Array): Uint8Array => {
  const out = Uint8Array.from(bytes)
  const at = Math.min(index * sectorSize, out.length)
  out.set(resized(held, Math.min(sectorSize, out.length - at)), at)
  return out
}

/** The contents after one piece. */
const withPiece = (contents: Contents, { place, index, held, length }: Piece): Contents => {
  const bytes = contents[place] ?? nothing
  if (index === undefined) return contents.with(place, resized(bytes, length))
  const grown = resized(bytes, Math.max(bytes.length, length))
  return contents.with(place, withSector(grown, index, held))
}

/** The contents after some of the pieces; the last one of a sector wins. */
const withPieces = (contents: Contents, pieces: readonly Piece[]): Contents =>
  pieces
    .filter(
      ({ place, index }, i) =>
        index === undefined || !pieces.slice(i + 1).some((later) => later.place === place && later.index === index)
    )
    .reduce(withPiece, contents)

const subsets = <A>(items: readonly A[]): readonly (readonly A[])[] =>
  items.reduce<readonly (readonly A[])[]>((all, item) => all.flatMap((some) => [some, [...some, item]]), [[]])

/** A sector torn at each word between both contents, as long as the longer one, if it is new. */
const torn = (a: Uint8Array, b: Uint8Array, index: number): readonly Uint8Array[] => {
  const length = Math.max(a.length, b.length)
  const sector = (bytes: Uint8Array): Buffer =>
    Buffer.from(resized(resized(bytes, length).subarray(index * sectorSize), sectorSize))
  const [head, tail] = [sector(a), sector(b)]
  return Array.from({ length: sectorSize / 8 }, (_, i) =>
    Buffer.concat([head.subarray(0, 8 * i), tail.subarray(8 * i)])
  )
    .filter((joined) => !joined.equals(head) && !joined.equals(tail))
    .map((joined) => withSector(resized(a, length), index, joined))
}

/** The contents after all changes in order. */
const after = (files: readonly FileRef[], before: Contents, changes: readonly FileChange[]): Contents =>
  changes.reduce((contents, change) => {
    const place = placeOf(files, change.file)
    return contents.with(place, changedBytes(contents[place] ?? nothing, change))
  }, before)

/** The states of the disk, with repetitions. */
export const naiveStates = (
  model: 'P0' | 'P1' | 'P2' | 'P3',
  files: readonly FileRef[],
  before: Contents,
  changes: readonly FileChange[]
): readonly Contents[] => {
  const pieces = piecesOf(files, before, changes)
  switch (model) {
    case 'P0':
      return [...changes.keys(), changes.length].map((end) => after(files, before, changes.slice(0, end)))
    case 'P1':
      return subsets([...changes.keys()]).map((some) =>
        withPieces(
          before,
          pieces.filter(({ by }) => some.includes(by))
        )
      )
    case 'P2':
      return subsets(pieces).map((some) => withPieces(before, some))
    case 'P3':
      return [...naiveStates('P2', files, before, changes), ...tornStates(before, pieces)]
  }
}

/** States in which one sector is torn: between two choices that differ only in the pieces of that sector. */
const tornStates = (before: Contents, pieces: readonly Piece[]): readonly Contents[] => {
  const sectors = new Map(
    pieces.flatMap((piece) => (piece.index === undefined ? [] : [[`${piece.place} ${piece.index}`, piece]]))
  )
  return [...sectors.values()].flatMap(({ place, index = 0 }) => {
    const own = pieces.filter((piece) => piece.place === place && piece.index === index)
    return subsets(pieces.filter((piece) => !own.includes(piece))).flatMap((others) => {
      const versions = [undefined, ...own].map((piece) =>
        withPieces(
          before,
          pieces.filter((each) => each === piece || others.includes(each))
        )
      )
      return versions.flatMap((a) =>
        versions.flatMap((b) =>
          torn(a[place] ?? nothing, b[place] ?? nothing, index).map((bytes) => a.with(place, bytes))
        )
      )
    })
  })
}
