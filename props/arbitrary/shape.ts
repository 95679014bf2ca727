/** Shapes of images: what they are created as, from the smallest geometries to the largest. */
import fc from 'fast-check'
import type { Traits } from '../../spec/disk.js'
import type { CreateOptions } from '../../src/transition/create/options.js'

/**
 * An image to be made, and the raw file behind it: `backing` bytes of a pattern, none for 0. An external data file is
 * `tail` bytes longer than the disk. So many host clusters as are `leaked` count one, and nothing refers to them.
 */
export interface Shape {
  readonly options: CreateOptions
  readonly backing: number
  readonly tail?: number
  readonly leaked?: number
}

/**
 * What the abstract disk needs to know of a shape.
 *
 * @example
 * import { backingOf, minimalShapes, traitsOf } from 'qcow2-spec/arbitraries'
 * import { blankDisk } from 'qcow2-spec/spec'
 * import * as assert from 'node:assert/strict'
 *
 * const disks = minimalShapes.map((shape) => blankDisk(traitsOf(shape), shape.options.size, backingOf(shape)))
 * assert.equal(disks[0]?.content.length, 8192)
 */
export const traitsOf = ({ options, backing }: Shape): Traits => ({
  version: options.version ?? 3,
  grain: 2 ** (options.clusterBits ?? 16),
  dataFile: options.dataFile !== undefined,
  backingSize: Math.ceil(backing / 512) * 512
})

/**
 * The bytes of the file behind a shape: no two sectors alike.
 *
 * @example
 * import { backingOf, minimalShapes } from 'qcow2-spec/arbitraries'
 * import * as assert from 'node:assert/strict'
 *
 * assert.ok(minimalShapes.every((shape) => backingOf(shape).length === shape.backing))
 */
export const backingOf = ({ backing }: Shape): Uint8Array =>
  Uint8Array.from({ length: backing }, (_, i) => (i % 512 < 4 ? Math.floor(i / 512) >> (i % 4) : 0xb0 + (i % 7)))

/** Minimal geometries: clusters of a sector, so that every table fills up within a few commands. */
export const minimalShapes: readonly Shape[] = [
  { options: { size: 8192, clusterBits: 9 }, backing: 0 },
  { options: { size: 8192, clusterBits: 9, version: 2 }, backing: 0 },
  { options: { size: 5632, clusterBits: 9, refcountOrder: 0 }, backing: 0 },
  { options: { size: 8192, clusterBits: 9, refcountOrder: 1 }, backing: 0 },
  { options: { size: 4096, clusterBits: 9, refcountOrder: 2, compressionType: 'zstd' }, backing: 0 },
  { options: { size: 8192, clusterBits: 9, refcountOrder: 3 }, backing: 0 },
  { options: { size: 8192, clusterBits: 9, refcountOrder: 5 }, backing: 0 },
  { options: { size: 40960, clusterBits: 9, refcountOrder: 6 }, backing: 0 },
  { options: { size: 8192, clusterBits: 10 }, backing: 5000 },
  { options: { size: 8192, clusterBits: 9, version: 2 }, backing: 12288 },
  { options: { size: 8192, clusterBits: 9 }, backing: 12288 },
  { options: { size: 65536, clusterBits: 14, extendedL2: true }, backing: 0 },
  { options: { size: 49152, clusterBits: 14, extendedL2: true }, backing: 40000 },
  { options: { size: 8192, clusterBits: 9, dataFile: { name: 'data.raw', raw: false } }, backing: 0 },
  { options: { size: 8704, clusterBits: 10, lazyRefcounts: true }, backing: 0 },
  { options: { size: 8192, clusterBits: 10, dataFile: { name: 'data.raw', raw: false } }, backing: 5000 }
]

const order = fc.constantFrom(4, 0, 1, 2, 3, 5, 6)

/** Images of any geometry that QEMU makes, of at most a few L2 tables. */
export const arbitraryShape: fc.Arbitrary<Shape> = fc
  .record({
    clusterBits: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 9, max: 16 }) }, fc.integer({ min: 17, max: 21 })),
    clusters: fc.integer({ min: 1, max: 40 }),
    sectorsLess: fc.nat(3),
    refcountOrder: order,
    kind: fc.constantFrom('v3', 'v2', 'extended', 'data file', 'zstd', 'lazy'),
    backing: fc.oneof(fc.constant(0), fc.constant(0.5), fc.constant(1.5))
  })
  .map(({ clusterBits, clusters, sectorsLess, refcountOrder, kind, backing }): Shape => {
    const bits = kind === 'extended' ? Math.max(14, clusterBits) : clusterBits
    const most = Math.max(1, Math.min(clusters, 2 ** (22 - bits)))
    const size = Math.max(512, most * 2 ** bits - 512 * sectorsLess)
    const options: CreateOptions = {
      size,
      clusterBits: bits,
      ...(kind === 'v2' ? { version: 2 } : { refcountOrder }),
      ...(kind === 'extended' ? { extendedL2: true } : {}),
      ...(kind === 'data file' ? { dataFile: { name: 'data.raw', raw: false } } : {}),
      ...(kind === 'zstd' ? { compressionType: 'zstd' } : {}),
      ...(kind === 'lazy' ? { lazyRefcounts: true } : {})
    }
    return { options, backing: Math.floor(size * backing) }
  })
