/** Damages: images of the corpus with one wound or two, numbered; the same number is always the same damage. */
import { load, type Loaded } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { type Edit, edited } from './edit.js'
import { anatomyOf } from './site.js'
import { type Wound, woundsOf } from './wound.js'

/** A sound image, or a nearly sound one, and every wound that it may be dealt. */
export interface Patient {
  readonly name: string
  readonly loaded: Loaded
  readonly wounds: readonly (readonly Wound[])[]
}

/** A damaged image. */
export interface Damage {
  /** What was changed. */
  readonly fields: readonly string[]
  readonly edits: readonly Edit[]
}

export const patientOf = (name: string): Patient => {
  const loaded = load(name)
  return { name, loaded, wounds: woundsOf(anatomyOf(loaded.image)) }
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

/** Every so many damages have a second wound. */
const doubled = 4

/**
 * Damage `number` of an image: kinds of structures by turns, and of each kind one wound after the other in an order
 * that looks drawn, so that none comes twice before all have come once. Every fourth has a second wound anywhere.
 */
export const damageOf = ({ wounds }: Patient, number: number, seed = 0): Damage => {
  const kind = wounds[number % wounds.length] ?? []
  const turn = Math.floor(number / wounds.length)
  const prime = 1_000_003
  const first = kind[(drawn(kind.length, seed, number % wounds.length) + turn * prime) % kind.length]
  const others = wounds[drawn(wounds.length, seed, number, 1)] ?? []
  const second = number % doubled === doubled - 1 ? others[drawn(others.length, seed, number, 2)] : undefined
  const all = [first, second].flatMap((w) => w ?? [])
  return { fields: all.map((w) => w.name), edits: all.map((w) => w.edit) }
}

/** The image after some edits, with its companions. */
export const damagedImage = (sound: Loaded, edits: readonly Edit[]): Loaded => {
  const image = edited(sound.image, edits)
  return { ...sound, image, files: new Map([...sound.files, [imageName, image]]) }
}
