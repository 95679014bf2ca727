/** Mutations: an image becomes another by edits of fields, of bytes, and of places that refer to each other. */
import { viewOf } from '../bytes/octets.js'
import { headerFields } from '../format/header.js'
import { type Edit, edited } from '../bytes/edit.js'
import { weighted } from './choices.js'
import { siteEdits } from './possible-edits.js'
import { type ImageParts, partsOf, type Site } from './site.js'
import type { Random } from './random.js'

/** A field of a structure. */
interface Place {
  readonly structure: string
  readonly site: Site
}

/** An image that others are made from. */
export interface Parent {
  readonly image: Uint8Array
  /** Its structures; absent where nothing can be found in it. */
  readonly parts?: ImageParts
  /** Fields by structure: a mutation draws the structure first, since tables have many. */
  readonly places: readonly (readonly Place[])[]
  readonly pointers: readonly Site[]
}

export const parentOf = (image: Uint8Array): Parent => {
  const parts = partsOf(image)
  if (parts === undefined) return { image, places: [], pointers: [] }
  const places = [...parts.sites].map(([structure, sites]) => sites.map((site) => ({ structure, site })))
  return { image, parts, places, pointers: places.flat().flatMap(({ site }) => (site.role === 'offset' ? [site] : [])) }
}

/** One of a list; nothing of an empty one. */
const oneOf = <A>(random: Random, list: readonly A[]): A | undefined => list[random.below(list.length)]

/** Most bytes of an image: what makes it longer is left out. */
export const longest = 2 ** 18

const fieldEdit = ({ parts, places }: Parent, random: Random): Edit | undefined => {
  const place = oneOf(random, oneOf(random, places) ?? [])
  if (parts === undefined || place === undefined) return undefined
  return oneOf(random, siteEdits(parts, place.structure, place.site))?.edit
}

/** A pointer gets the target of another one, or points at the table that it or another one is in. */
const crossEdit = ({ image, parts, pointers }: Parent, random: Random): Edit | undefined => {
  const [to, from] = [oneOf(random, pointers), oneOf(random, pointers)]
  if (parts === undefined || to === undefined || to.size !== from?.size) return undefined
  if (random.below(2) === 0) return { _tag: 'Copy', at: to.at, from: from.at, size: to.size }
  const size = 2 ** parts.geometry.clusterBits
  const home = BigInt(from.at - (from.at % size))
  const bytes = image.slice(to.at, to.at + to.size)
  if (bytes.length !== 8) return undefined
  const view = viewOf(bytes)
  view.setBigUint64(0, (view.getBigUint64(0) & 0xff00_0000_0000_01ffn) | home)
  return { _tag: 'Put', at: to.at, bytes }
}

/** A structure, or half of one, becomes zeros, ones, or another structure. */
const structureEdit = ({ image, parts }: Parent, random: Random): Edit | undefined => {
  const [to, from] = [oneOf(random, parts?.regions ?? []), oneOf(random, parts?.regions ?? [])]
  if (to === undefined || from === undefined) return undefined
  const whole = Math.min(to.bytes.length, image.length - to.at)
  const size = random.below(2) === 0 ? whole : whole >> 1
  const kind = random.below(3)
  return kind === 2
    ? { _tag: 'Copy', at: to.at, from: from.at, size }
    : { _tag: 'Fill', at: to.at, size, byte: 255 * kind }
}

/** Numbers at which widths, signs and common sizes end. */
const boundaries = [0, 1, 2, 7, 8, 15, 16, 31, 32, 52, 53, 54, 55, 56, 61, 62, 63].flatMap((bits) => [
  2n ** BigInt(bits) - 1n,
  2n ** BigInt(bits),
  2n ** 64n - 2n ** BigInt(bits)
])

/** An aligned word becomes a number at a boundary, or the offset of a sector of the file. */
const wordEdit = ({ image }: Parent, random: Random): Edit => {
  const bytes = new Uint8Array(oneOf(random, [1, 2, 4, 8, 8, 8]) ?? 8)
  const at = random.below(Math.max(1, image.length >> 3)) * 8 + random.below(8 / bytes.length) * bytes.length
  const sector = BigInt(random.below((image.length >> 9) + 2)) << 9n
  const word = random.below(2) === 0 ? (oneOf(random, boundaries) ?? 0n) : sector | (BigInt(random.below(4)) << 62n)
  for (let i = 0; i < bytes.length; i++) bytes[bytes.length - 1 - i] = Number((word >> BigInt(8 * i)) & 255n)
  return { _tag: 'Put', at, bytes }
}

const bitEdit = ({ image }: Parent, random: Random): Edit => {
  const at = random.below(image.length)
  return { _tag: 'Put', at, bytes: Uint8Array.of((image[at] ?? 0) ^ (1 << random.below(8))) }
}

/** A byte of the first ones of a compressed payload, where the decoders look most closely. */
const payloadEdit = (parent: Parent, random: Random): Edit | undefined => {
  const payload = oneOf(random, parent.parts?.payloads ?? [])
  if (payload === undefined) return undefined
  const at = payload.at + random.below(Math.min(payload.size, 64))
  return at < parent.image.length ? { _tag: 'Put', at, bytes: Uint8Array.of(random.below(256)) } : undefined
}

/** The file is cut, at an edge of a sector or beside one, or grows by zeros. */
const lengthEdit = ({ image }: Parent, random: Random): Edit => {
  const beside = random.below(3) - 1
  const sectors = (image.length >> 9) + (random.below(3) === 0 ? 16 : 0)
  return { _tag: 'Length', length: Math.min(longest, Math.max(0, 512 * random.below(sectors + 1) + beside)) }
}

/** Sectors of another image take the place of those at the same offset, or anywhere. */
const spliceEdit = ({ image }: Parent, random: Random, other: Uint8Array): Edit => {
  const from = 512 * random.below((other.length >> 9) + 1)
  const bytes = other.subarray(from, from + 512 * (1 + random.below(8)))
  const at = random.below(2) === 0 ? from : 512 * random.below((image.length >> 9) + 1)
  return { _tag: 'Put', at, bytes: bytes.slice(0, Math.max(0, image.length - at)) }
}

/** Whether the header names more than a few thousand snapshots, or an L1 table of 128 KiB or more. */
export const asksForMuch = (image: Uint8Array): boolean => {
  if (image.length < headerFields.size) return false
  const { nbSnapshots, l1Size } = headerFields.atWith(viewOf(image), () => ({}))
  return nbSnapshots > 2 ** 12 || l1Size > 2 ** 14
}

/** Kinds of edits. */
const kinds = weighted<(parent: Parent, random: Random, other: Uint8Array) => Edit | undefined>(
  [8, fieldEdit],
  [3, crossEdit],
  [2, wordEdit],
  [1, structureEdit],
  [1, bitEdit],
  [1, payloadEdit],
  [1, lengthEdit],
  [1, spliceEdit]
)

/** The image after one to six edits, fewer more often; none of every 16th, so that sound images are tried too. */
export const mutated = (parent: Parent, random: Random, other: Uint8Array): Uint8Array => {
  if (random.below(16) === 0) return parent.image
  const edits: Edit[] = []
  do {
    const edit = random.of(kinds)(parent, random, other)
    if (edit !== undefined) edits.push(edit)
  } while (edits.length < 6 && random.below(2) === 0)
  return edited(parent.image, edits)
}
