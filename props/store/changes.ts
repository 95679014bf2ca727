/** Generators of small files and changes of them, mostly near the edges of sectors and of the file. */
import fc from 'fast-check'
import type { FileRef } from '../../src/bytes/plan.js'
import type { FileChange } from '../../src/store/files.js'

export const image: FileRef = { part: 'image', depth: 0 }
export const data: FileRef = { part: 'data', depth: 0 }

const sectorSize = 512

/** Offsets in the first sectors. */
export const offsets = (sectors: number): fc.Arbitrary<number> =>
  fc
    .tuple(fc.nat({ max: sectors }), fc.constantFrom(0, 0, 1, 8, 500, 511))
    .map(([sector, within]) => sector * sectorSize + within)

/** Lengths that leave a sector, cross its edge, or cover it. */
export const extents = (sectors: number): fc.Arbitrary<number> =>
  fc
    .tuple(fc.nat({ max: sectors }), fc.constantFrom(0, 1, 8, 20, 511))
    .map(([sector, rest]) => sector * sectorSize + rest)

/** Few distinct bytes, zeros among them, so that a write often changes nothing. */
const fills = fc.nat({ max: 3 })
const filled = (length: number, fill: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (fill === 3 ? 1 + ((i >> 3) % 3) : fill))

export const contents = (sectors: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(extents(sectors), fills).map(([length, fill]) => filled(length, fill))

/** Changes of these files within the first sectors, each of at most `reach` sectors. */
export const changes = (files: readonly FileRef[], sectors: number, reach: number): fc.Arbitrary<FileChange> => {
  const file = fc.constantFrom(...files)
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        _tag: fc.constant('Write'),
        file,
        at: offsets(sectors),
        bytes: contents(reach)
      })
    },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Truncate'), file, length: offsets(sectors) }) },
    {
      weight: 1,
      arbitrary: fc.record({ _tag: fc.constant('Punch'), file, at: offsets(sectors), length: extents(reach) })
    }
  )
}
