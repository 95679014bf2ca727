/** Whole images: valid ones, nearly valid ones with one fault, and hostile ones with several. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { edited } from '../bytes/edit.js'
import { assembledImage } from './assembly.js'
import type { Choices } from './choices.js'
import { type Fault, faultOf } from './fault.js'
import { layoutOf } from './layout.js'
import { type Sketch, sketchOf, type Slot } from './sketch.js'

/** How many rules an image is made to break: none, one, or several. */
export type ImageKind = 'valid' | 'nearly valid' | 'hostile'

/** A generated image. */
export interface FuzzImage {
  readonly kind: ImageKind
  readonly bytes: Uint8Array
  readonly faults: readonly Fault[]
  /** Clauses of what the image makes use of, the most specific first. */
  readonly uses: readonly ClauseId[]
}

const hasKind = ({ tables }: Sketch, kind: Slot['kind']): boolean =>
  tables.some((table) => table.some((s) => s.kind === kind))

/** What a sketch has of what readers may not know, and the clause of each. */
const features: readonly (readonly [ClauseId, (s: Sketch) => boolean])[] = [
  ['DATA-01', ({ g }) => g.externalDataFile],
  ['SUB-01', ({ g }) => g.extendedL2],
  ['CMP-10', (s) => s.zstd && hasKind(s, 'compressed')],
  ['HDR-04', ({ zstd }) => zstd],
  ['CMP-07', (s) => !s.zstd && hasKind(s, 'compressed')],
  ['L2-03', (s) => hasKind(s, 'zero') || hasKind(s, 'zeroAllocated')],
  ['BACK-06', ({ hasBacking }) => hasBacking],
  ['SNAP-01', ({ snapshots }) => snapshots > 0],
  ['BMP-01', ({ hasBitmap }) => hasBitmap],
  ['REF-02', ({ g }) => g.refcountOrder !== 4],
  ['HDR-02', ({ g }) => g.version === 2],
  ['RD-08', ({ g, size }) => size % 2 ** g.clusterBits !== 0],
  ['RD-03', (s) => hasKind(s, 'normal')],
  ['OPEN-03', ({ g }) => g.clusterBits !== 16],
  ['RD-05', () => true]
]

/** Most faults of a hostile image. */
const mostFaults = 5

/** The image of choices. */
export const imageOf = (c: Choices): FuzzImage => {
  const kind = c.of<ImageKind>(['valid', 'nearly valid', 'nearly valid', 'hostile'])
  const more = 1 + c.below(mostFaults - 1)
  const sketch = sketchOf(c)
  const layout = layoutOf(sketch)
  const image = assembledImage(sketch, layout)
  const wanted = { valid: 0, 'nearly valid': 1, hostile: 1 + more }[kind]
  const faults = Array.from({ length: wanted }, () => faultOf(c, sketch, layout, image)).filter((f) => f !== undefined)
  const uses = features.flatMap(([clause, has]) => (has(sketch) ? [clause] : []))
  return {
    kind: faults.length === 0 ? 'valid' : kind,
    bytes: edited(
      image,
      faults.map(({ edit }) => edit)
    ),
    faults,
    uses
  }
}
