/** Dirty bitmaps of one image, taken over into another. */
import * as E from 'fp-ts/lib/Either.js'
import { equal, fromText, label } from '../../bytes/octets.js'
import { presentedSize } from '../../format/header-rules.js'
import { dirtyRanges } from '../../image/guest/bitmap-ranges.js'
import type { AnyCommand } from '../../transition/command.js'
import { refusalLine, type Usable, usableIn } from './usable.js'
import { complain } from '../files/output.js'
import { run, type World } from '../files/world.js'

/** A bitmap, and the guest bytes that it marks, `[from, to)` each. */
export interface Marked {
  readonly name: string
  /** Guest bytes of a granule. */
  readonly granularity: number
  readonly enabled: boolean
  /** Bytes of the guest disk. */
  readonly size: number
  readonly ranges: readonly (readonly [from: number, to: number])[]
}

const markedOf = async (
  file: string,
  world: World,
  m: Usable,
  bitmap: Usable['bitmaps'][number]
): Promise<E.Either<string, Marked>> => {
  const ranges: (readonly [number, number])[] = []
  const done = await run(
    world,
    () => dirtyRanges(m, m.geometry, bitmap),
    ({ start, length, dirty }) => {
      if (dirty) ranges.push([start, start + length])
    }
  )
  if (E.isLeft(done)) return E.left(`Cannot copy the bitmap '${label(bitmap.name)}': ${refusalLine(file, done.left)}`)
  return E.right({
    name: label(bitmap.name),
    granularity: 2 ** bitmap.granularityBits,
    enabled: bitmap.flags.auto,
    size: Number(presentedSize(m.header)),
    ranges
  })
}

/** The bitmap of this name in an open image; the reason when there is none, or it cannot be used. @see BMP-09 */
export const markedIn = async (file: string, world: World, name: string): Promise<E.Either<string, Marked>> => {
  const m = await usableIn(file, world)
  if (E.isLeft(m)) return m
  const bitmap = m.right.bitmaps.find((b) => equal(b.name, fromText(name)))
  return bitmap === undefined ? E.left(`'${file}' has no bitmap '${name}'`) : markedOf(file, world, m.right, bitmap)
}

/** All bitmaps of an image of version 3; one in use is the reason against it, or left out with a warning. @see BMP-09 */
export const allMarked = async (
  file: string,
  world: World,
  skipBroken: boolean
): Promise<E.Either<string, readonly Marked[]>> => {
  const m = await usableIn(file, world)
  if (E.isLeft(m)) return m
  if (m.right.geometry.version === 2) return E.left('Source lacks bitmap support [BMP-14]')
  const out: Marked[] = []
  for (const bitmap of m.right.bitmaps) {
    if (skipBroken && bitmap.flags.inUse) {
      complain(`warning: Skipping inconsistent bitmap '${label(bitmap.name)}'`)
      continue
    }
    const marked = await markedOf(file, world, m.right, bitmap)
    if (E.isLeft(marked)) return marked
    out.push(marked.right)
  }
  return E.right(out)
}

/** Why a bitmap cannot be taken over by a disk of another size. */
export const sizesDiffer = (disk: number, { size }: Marked): string =>
  `Bitmaps are of different sizes (destination size is ${disk}, source size is ${size})`

/** What makes a bitmap like it. */
export const added = ({ name, granularity, enabled, ranges }: Marked): readonly AnyCommand[] => [
  { _tag: 'BitmapAdd', name, granularity, enabled },
  { _tag: 'BitmapMark', name, ranges }
]
