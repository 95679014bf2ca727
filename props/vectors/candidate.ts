/** Candidates for vectors: an image, where it comes from, and what is to be seen in it. */
import { load, loadExpect, names } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { editsText } from '../../src/bytes/edit.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { damagedImage, damageOf, soundImage } from '../damage/damage.js'
import { soundImages } from '../damage/sound-images.js'
import type { Subject } from '../damage/verdict.js'
import { singles } from './singles.js'

/** A candidate. */
export interface Candidate {
  readonly id: string
  readonly title: string
  /** The clause that the image was made for; that it breaks or uses comes first otherwise. */
  readonly clause?: ClauseId
  /** A clause that the image seems to use, and that its reader can do without. */
  readonly without?: ClauseId
  readonly files: Vector['files']
  readonly loaded: Subject
  /** What is changed in it: of candidates with the same change that come out alike only some are kept. */
  readonly kind: string
}

/** Longest packed file, in bytes; but for LUKS, whose key material does not compress. */
const mostPacked = 2 ** 16

/** Of the images of the corpus with large clusters one of each kind is enough. */
const repeated = /^matrix-(?:128k|256k|512k|1m)-w(?!16)/

/** The images of the corpus. */
function* ofCorpus(size: (packed: string) => number): Generator<Candidate> {
  for (const name of names()) {
    const { title, files, info } = loadExpect(name)
    const large = Object.values(files).some((file) => size(file) > mostPacked)
    if (repeated.test(name) || (large && info.stdout?.encrypted !== true)) continue
    yield {
      id: name,
      title,
      files: Object.fromEntries(Object.entries(files).map(([file, packed]) => [file, { packed: `images/${packed}` }])),
      loaded: load(name),
      kind: name
    }
  }
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

/** How many damages of each sound image are tried. */
const tried = 400

/** Sound images with one field changed, and with two: one change of each image after the other. */
function* damaged(): Generator<Candidate> {
  const sounds = soundImages.map(soundImage)
  for (let n = 0; n < tried; n++)
    for (const sound of sounds) {
      const { title, files } = sound.loaded.expect
      const { fields, edits } = damageOf(sound, n)
      const text = editsText(edits)
      const what = fields.join(', and ')
      yield {
        id: `${slug(what)}-in-${sound.name}-${n}`,
        title: `${title}, with ${what} changed`,
        files: Object.fromEntries(
          Object.entries(files).map(([file, packed]) => [
            file,
            { packed: `images/${packed}`, ...(file === imageName ? { edits: text } : {}) }
          ])
        ),
        loaded: damagedImage(sound.loaded, edits),
        kind: what.replace(/ \d+/g, '')
      }
    }
}

/** All candidates: the images of the corpus, those with one feature each, and the damaged ones. `size` is that of a file of the corpus. */
export function* candidates(size: (packed: string) => number): Generator<Candidate> {
  yield* singles()
  yield* ofCorpus(size)
  yield* damaged()
}
