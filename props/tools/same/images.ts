/** The images that both commits are asked about, each with a recipe that makes it again. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { loadExpect, names, packed } from '../../../corpus/load.js'
import { imageName } from '../../../corpus/recipe.js'
import { viewOf } from '../../../src/bytes/octets.js'
import { damagedImage, damageOf, type SoundImage, soundImage } from '../../damage/damage.js'
import { editsText } from '../../../src/bytes/edit.js'
import { imageOf, sketches } from '../../damage/generated.js'
import { hostile, writeHostile } from '../../damage/hostile.js'
import { soundImages } from '../../damage/sound-images.js'
import { patchedBytes } from '../../image/check/patched-corpus.js'
import { patchedImages } from '../../image/check/overlooked.js'
import type { FileData, Item } from './protocol.js'
import { Random } from '../../../src/fuzz/random.js'
import { scriptFiles } from './scripts.js'

/** An item before it has its number. */
export type Unnumbered = Omit<Exclude<Item, { kind: 'script' }>, 'id'>

type Files = ReadonlyMap<string, Uint8Array>

const data = (gzip: Uint8Array): FileData => ({ gzip: Buffer.from(gzip).toString('base64') })

/** Companions are shared by many images. */
const companions = new Map<Uint8Array, FileData>()

const companion = (bytes: Uint8Array): FileData => {
  const known = companions.get(bytes) ?? data(gzipSync(bytes))
  companions.set(bytes, known)
  return known
}

const filesOf = (files: Files): Unnumbered['files'] =>
  Object.fromEntries(
    [...files].map(([name, bytes]) => [
      name,
      name === imageName ? data(gzipSync(bytes, { level: 1 })) : companion(bytes)
    ])
  )

/** Every image of the corpus. */
function* corpusItems(): Generator<Unnumbered> {
  for (const name of names()) {
    const files = Object.entries(loadExpect(name).files).map(([file, kept]) => [file, data(packed(kept))] as const)
    yield { kind: 'corpus', recipe: name, files: Object.fromEntries(files) }
  }
}

function* describedItems(): Generator<Unnumbered> {
  for (const d of patchedImages)
    yield {
      kind: 'described damage',
      recipe: `${d.base}: ${d.steps.join(', ')}`,
      files: filesOf(
        new Map([
          [imageName, patchedBytes(d)],
          ['img.raw', new Uint8Array(d.dataFileLength ?? 0)]
        ])
      )
    }
}

/** Images with tables as large as they may be: files with holes below a folder, which are not changed. */
export function* hostileItems(folder: string): Generator<Unnumbered> {
  for (const [i, each] of hostile.entries()) {
    const path = join(folder, `hostile-${i}`)
    writeHostile(path, each)
    const asks = each.commands.map(([verb = '', ...rest]) => ({ words: [verb, imageName, ...rest], makes: [] }))
    yield { kind: 'hostile', recipe: each.name, files: { [imageName]: { path } }, asks }
  }
}

/** Whether a header names so many snapshots that reading them takes seconds. */
const isSlow = (image: Uint8Array): boolean => image.length >= 64 && viewOf(image).getUint32(60) > 128

/** One in so many of the slow images is asked about. */
const slowShare = 32

/** Damaged images of the corpus, without end. */
function* damagedItems(seed: number): Generator<Unnumbered> {
  const loaded = new Map<string, SoundImage>()
  for (let number = 0; ; number++)
    for (const name of soundImages) {
      const sound = loaded.get(name) ?? soundImage(name)
      loaded.set(name, sound)
      const { edits } = damageOf(sound, number, seed)
      const { files, image } = damagedImage(sound.loaded, edits)
      if (isSlow(image) && number % slowShare !== slowShare - 1) continue
      yield { kind: 'damaged', recipe: `${name}: ${editsText(edits)}`, files: filesOf(files) }
    }
}

/** Images of sketches, without end. */
function* sketchedItems(seed: number): Generator<Unnumbered> {
  const each = 500
  for (let round = 0; ; round++)
    for (const [i, sketch] of fc.sample(sketches, { seed: seed + round, numRuns: each }).entries())
      yield { kind: 'sketched', recipe: `sketch ${i} of seed ${seed + round}`, files: filesOf(imageOf(sketch).files) }
}

const words: readonly [bigint, ...bigint[]] = [
  0n,
  1n,
  512n,
  1n << 62n,
  1n << 63n,
  (1n << 63n) | 1024n,
  (1n << 63n) | 513n,
  (1n << 56n) | 512n,
  1n << 55n,
  0xffff_ffff_ffff_ffffn
]

/** Another word, at a multiple of 8 in the first part of a cluster. */
const patchWord = (bytes: Uint8Array, random: Random): string => {
  const sector = 512 * random.below(Math.max(1, Math.floor(bytes.length / 512)))
  const at = sector + 8 * random.below(16)
  const value = random.of(words) ^ BigInt(random.below(3) === 0 ? 1 << random.below(20) : 0)
  if (at + 8 <= bytes.length) viewOf(bytes).setBigUint64(at, value)
  return `${at}=${value.toString(16)}`
}

/** Images that scripts have made, every other one of them with a few words changed; without end. */
function* scriptedItems(seed: number): Generator<Unnumbered> {
  for (let n = 0; ; n++) {
    const random = new Random(seed + n)
    const { files, recipe } = scriptFiles(seed, n)
    const image = files.get(imageName)?.slice() ?? new Uint8Array(0)
    const patches = Array.from({ length: n % 2 === 0 ? 0 : 1 + random.below(3) }, () => patchWord(image, random))
    yield {
      kind: patches.length === 0 ? 'scripted' : 'scripted, damaged',
      recipe: [recipe, ...patches].join('; '),
      files: filesOf(new Map([...files, [imageName, image]]))
    }
  }
}

/** As many images: at most a third of them of the corpus and described, then damaged, sketched and scripted ones by turns. */
export function* imageItems(count: number, seed: number): Generator<Unnumbered> {
  const endless = [
    damagedItems(seed),
    sketchedItems(seed),
    scriptedItems(seed),
    sketchedItems(-seed),
    damagedItems(~seed)
  ]
  const known = [...corpusItems(), ...describedItems()]
  const step = Math.max(1, Math.ceil((3 * known.length) / Math.max(1, count)))
  let made = 0
  for (const item of known.filter((_, i) => i % step === 0)) if (made++ < count) yield item
  for (; made < count; made++) {
    const next = endless[made % endless.length]?.next()
    if (next?.done === false) yield next.value
  }
}
