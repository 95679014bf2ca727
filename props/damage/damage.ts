/** Damages: images of the corpus with one edit or two, numbered; the same number is always the same damage. */
import { load, type Loaded } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { type Edit, edited } from '../../src/bytes/edit.js'
import { partsOf } from '../../src/fuzz/site.js'
import { type NamedEdit, possibleEdits } from '../../src/fuzz/possible-edits.js'

/** A sound image, or a nearly sound one, and every edit that may damage it. */
export interface SoundImage {
  readonly name: string
  readonly loaded: Loaded
  readonly possible: readonly (readonly NamedEdit[])[]
}

/** A damaged image. */
export interface Damage {
  /** What was changed. */
  readonly fields: readonly string[]
  readonly edits: readonly Edit[]
}

export const soundImage = (name: string): SoundImage => {
  const loaded = load(name)
  const parts = partsOf(loaded.image)
  if (parts === undefined) throw new Error(`${name} is damaged already`)
  return { name, loaded, possible: possibleEdits(parts) }
}

/** A number below `n` that looks drawn, the same for the same numbers. */
const drawn = (n: number, ...from: readonly number[]): number => {
  const mixed = from.reduce((h, x) => {
    const a = Math.imul(h ^ x, 0x85eb_ca6b)
    const b = Math.imul(a ^ (a >>> 15), 0xc2b2_ae35)
    return b ^ (b >>> 13)
  }, 0x9e37_79b1)
  return (mixed >>> 0) % n
}

/** Every so many damages have a second edit. */
const doubled = 4

/**
 * Damage `number` of an image: kinds of structures by turns, and of each kind one edit after the other in an order
 * that looks drawn, so that none comes twice before all have come once. Every fourth has a second edit anywhere.
 */
export const damageOf = ({ possible }: SoundImage, number: number, seed = 0): Damage => {
  const kind = possible[number % possible.length] ?? []
  const turn = Math.floor(number / possible.length)
  const prime = 1_000_003
  const first = kind[(drawn(kind.length, seed, number % possible.length) + turn * prime) % kind.length]
  const others = possible[drawn(possible.length, seed, number, 1)] ?? []
  const second = number % doubled === doubled - 1 ? others[drawn(others.length, seed, number, 2)] : undefined
  const all = [first, second].flatMap((w) => w ?? [])
  return { fields: all.map((w) => w.name), edits: all.map((w) => w.edit) }
}

/** The image after some edits, with its companions. */
export const damagedImage = (sound: Loaded, edits: readonly Edit[]): Loaded => {
  const image = edited(sound.image, edits)
  return { ...sound, image, files: new Map([...sound.files, [imageName, image]]) }
}
