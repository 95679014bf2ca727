/** Dirty bitmaps of one image, copied into another. */
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../bytes/octets.js'
import { hasBitmaps } from '../../format/bitmap-directory.js'
import { presentedSize } from '../../format/header-rules.js'
import { dirtyRanges } from '../../image/guest/bitmap-ranges.js'
import type { AnyCommand } from '../../transition/command.js'
import { type CommandError, commandError, failure, get, inContext, task, wait } from '../command-error.js'
import { run, type Source } from '../files/source.js'
import { bitmapNamed, openableMetadata, type OpenableMetadata } from './openable-metadata.js'

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

type Image = Pick<Source, 'name' | 'length' | 'world'>

const markedOf = task(async function* (image: Image, m: OpenableMetadata, bitmap: OpenableMetadata['bitmaps'][number]) {
  const ranges: (readonly [number, number])[] = []
  const read = run(
    image,
    () => dirtyRanges(m, m.geometry, bitmap),
    ({ start, length, dirty }) => {
      if (dirty) ranges.push([start, start + length])
    }
  )
  yield* get(E.mapLeft(inContext(`Cannot copy the bitmap '${label(bitmap.name)}'`))(await read()))
  return {
    name: label(bitmap.name),
    granularity: 2 ** bitmap.granularityBits,
    enabled: bitmap.flags.auto,
    size: Number(presentedSize(m.header)),
    ranges
  }
})

/** The bitmap of this name in an open image, which must be one that can be used. @see BMP-09 */
export const markedIn = task(async function* (image: Image, name: string) {
  const m = yield* wait(openableMetadata(image))
  return yield* wait(markedOf(image, m, yield* get(bitmapNamed(image.name, m, name))))
})

/**
 * All bitmaps of an image of version 3, each of which must be one that can be used. @see BMP-09
 *
 * @param skip is called for a bitmap in use, which is left out; without it such a bitmap is a failure
 */
export const allMarked = task(async function* (image: Image, skip?: (error: CommandError) => void) {
  const m = yield* wait(openableMetadata(image))
  if (!hasBitmaps(m.geometry.version))
    return yield* get(failure('Source lacks bitmap support [BMP-14]', { clause: 'BMP-14', file: image.name }))
  const out: Marked[] = []
  for (const bitmap of m.bitmaps) {
    if (skip !== undefined && bitmap.flags.inUse)
      skip(
        commandError(`warning: Skipping inconsistent bitmap '${label(bitmap.name)}'`, {
          clause: 'BMP-09',
          file: image.name
        })
      )
    else out.push(yield* wait(markedOf(image, m, bitmap)))
  }
  return out
})

/** Bitmaps, each of which must be that of a disk of so many bytes; `context` names one of another size in the failure. */
export const keepSizes = (
  file: string,
  disk: number,
  marked: readonly Marked[],
  context = (_: string): string => ''
): E.Either<CommandError, void> => {
  const other = marked.find(({ size }) => size !== disk)
  if (other === undefined) return E.right(undefined)
  const sizes = `(destination size is ${disk}, source size is ${other.size})`
  return failure(`${context(other.name)}Bitmaps are of different sizes ${sizes}`, { file })
}

/** What makes a bitmap like it. */
export const added = ({ name, granularity, enabled, ranges }: Marked): readonly AnyCommand[] => [
  { _tag: 'BitmapAdd', name, granularity, enabled },
  { _tag: 'BitmapMark', name, ranges }
]
