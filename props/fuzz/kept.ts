/** The corpus of a campaign: images that reached new edges, in a folder, and the seeds that they came from. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { load } from '../../corpus/load.js'
import { imageOf, sketches } from '../damage/generated.js'
import { soundImages } from '../damage/sound-images.js'
import type { Random } from '../../src/fuzz/random.js'

/** Most bytes of a seed, and images that are generated beside those of the corpus. */
const largestSeed = 2 ** 16
const generated = 150

/** Small images of the corpus, and generated ones: the same every time. */
export const seeds = (): readonly Uint8Array[] => [
  ...soundImages.map((name) => load(name).image).filter(({ length }) => length > 0 && length <= largestSeed),
  ...fc.sample(sketches, { seed: 1, numRuns: generated }).map((sketch) => imageOf(sketch).image)
]

/** The name of a file with these bytes. */
export const nameOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

/** The length that images are to have in the median, in bytes. */
const usual = 8192

/** Images that others are made from. */
export class Kept {
  private readonly images: Uint8Array[] = []

  /** With the seeds, and what earlier campaigns have left in the folder. */
  constructor(
    private readonly folder: string,
    first: readonly Uint8Array[]
  ) {
    mkdirSync(folder, { recursive: true })
    const before = readdirSync(folder).filter((name) => name.endsWith('.qcow2'))
    this.images.push(...first, ...before.map((name) => new Uint8Array(readFileSync(join(folder, name)))))
  }

  get size(): number {
    return this.images.length
  }

  /** One of the images: of two that are drawn the one whose length is nearer to the usual. */
  pick(random: Random): Uint8Array {
    const [a, b] = [this.any(random), this.any(random)]
    const far = ({ length }: Uint8Array): number => Math.abs(Math.log2(Math.max(1, length) / usual))
    return far(a) <= far(b) ? a : b
  }

  any(random: Random): Uint8Array {
    return this.images[random.below(this.images.length)] ?? new Uint8Array(0)
  }

  /** Keeps an image, under a name that other shards may write too. */
  add(image: Uint8Array): void {
    this.images.push(image)
    const path = join(this.folder, `${nameOf(image)}.qcow2`)
    const writing = `${path}.${process.pid}`
    writeFileSync(writing, image)
    renameSync(writing, path)
  }
}
