/** Possible edits: every way in which one place of an image may be damaged, by its structure. */
import { fromHex } from '../bytes/octets.js'
import { clusterSize } from '../format/geometry.js'
import type { Region } from '../image/dump/regions.js'
import { edges } from './edges.js'
import type { Edit } from '../bytes/edit.js'
import type { ImageParts, Site } from './site.js'

/** An edit, and the structure and field that it changes. */
export interface NamedEdit {
  readonly name: string
  readonly edit: Edit
}

const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n

const wordAt = (file: Uint8Array, { at, size }: Site): bigint =>
  file.subarray(at, at + size).reduce((n, b) => n * 256n + BigInt(b), 0n)

const bytesOf = (n: bigint, size: number): Uint8Array =>
  fromHex(n.toString(16).padStart(2 * size, '0')) ?? new Uint8Array(size)

/** What a number may become: the edges of its rules and of its width, and what is beside it. */
const numbersFor = (site: Site, before: bigint): readonly bigint[] => {
  const max = mask(site.hi - site.lo + 1)
  return [...edges(max, site.rules), before - 1n, before + 1n, 2n * before].filter((n) => n >= 0n && n <= max)
}

/** Where no offset may point, whatever the image. */
const far = [40, 55, 56, 61, 62, 63, 64].flatMap((bits) => [2n ** BigInt(bits), 2n ** BigInt(bits) - 2n ** 21n])

/**
 * What an offset may become: that of another structure, with an overlap of half a cluster, or beside it; one off its own
 * alignment; the end of the file, and offsets past it; and the edges of a number.
 */
const offsetsFor = (a: Surroundings, site: Site, before: bigint): readonly bigint[] => {
  const cluster = BigInt(clusterSize(a.geometry))
  const end = (BigInt(a.file.length) / cluster) * cluster
  const starts = [...new Set(a.regions.map((r) => BigInt(r.at)))].slice(0, 24)
  return [
    ...starts,
    ...starts.map((n) => n + cluster / 2n),
    ...[before - cluster, before + cluster, before + cluster / 2n, before + 512n, before + 1n, before - 1n],
    ...[end - cluster, end, end + cluster, end + 2n * cluster, end + 64n * cluster],
    ...far,
    ...edges(mask(64), site.rules)
  ].filter((n) => n >= 0n && n <= mask(64))
}

/** What may be known of an image to damage a place of it. */
export type Surroundings = Pick<ImageParts, 'file' | 'geometry'> & { readonly regions: readonly Pick<Region, 'at'>[] }

/** The words that may take the place of one, each with another value of the site. */
export const siteWords = (a: Surroundings, site: Site): readonly bigint[] => {
  const word = wordAt(a.file, site)
  const shift = BigInt(site.masked ? 0 : site.lo)
  const room = mask(site.hi + 1) - mask(site.lo)
  const before = (word & room) >> shift
  const wanted =
    site.role === 'bit'
      ? [before ^ 1n]
      : site.role === 'offset'
        ? offsetsFor(a, site, before)
        : numbersFor(site, before)
  const words = wanted.map((n) => (word & ~room) | ((n << shift) & room))
  return [...new Set(words)].filter((n) => n !== word)
}

/** The edit that puts a word in the place of a site. */
export const siteEdit = (structure: string, site: Site, word: bigint): NamedEdit => ({
  name: `${structure}: ${site.name}`,
  edit: { _tag: 'Put', at: site.at, bytes: bytesOf(word, site.size) }
})

/** The edits of one field of a structure, each to another value. */
export const siteEdits = (a: Surroundings, structure: string, site: Site): readonly NamedEdit[] =>
  siteWords(a, site).map((word) => siteEdit(structure, site, word))

/** A structure lost, overwritten, or half of it: zeros, ones, or another structure. */
const structureEdits = (a: ImageParts, r: Region): readonly NamedEdit[] => {
  const size = Math.min(r.bytes.length, a.file.length - r.at)
  const others = a.regions.filter(
    (o, i) => o.at !== r.at && a.regions.findIndex((x) => x.structure === o.structure) === i
  )
  const half = Math.floor(size / 2)
  const edits: readonly Edit[] = [
    { _tag: 'Fill', at: r.at, size, byte: 0 },
    { _tag: 'Fill', at: r.at, size, byte: 0xff },
    { _tag: 'Fill', at: r.at + half, size: size - half, byte: 0 },
    { _tag: 'Fill', at: r.at + half, size: size - half, byte: 0xff },
    { _tag: 'Fill', at: r.at, size: half, byte: 0 },
    ...others.map((o): Edit => ({ _tag: 'Copy', at: r.at, from: o.at, size: Math.min(size, a.file.length - o.at) }))
  ]
  return edits.map((edit) => ({ name: `${r.structure}: whole`, edit }))
}

/** The file cut at the edges of its structures, within them, and beside; or longer than it was. */
const lengthEdits = (a: ImageParts): readonly NamedEdit[] => {
  const cluster = clusterSize(a.geometry)
  const cuts = a.regions.flatMap((r) => {
    const end = r.at + r.bytes.length
    return [r.at, end, r.at + Math.floor(r.bytes.length / 2)].flatMap((n) => [n - 1, n, n + 1])
  })
  const aside = [1, 511, 512, cluster, 16 * cluster].flatMap((n) => [a.file.length - n, a.file.length + n])
  return [...new Set([...cuts, ...aside])]
    .filter((n) => n >= 0 && n !== a.file.length)
    .map((length) => ({ name: 'file: length', edit: { _tag: 'Length', length } }))
}

/** Bytes of compressed payloads changed: the first ones, where the decoders look most closely, and some of the others. */
const payloadEdits = (a: ImageParts): readonly NamedEdit[] =>
  a.payloads.flatMap(({ at, size }) =>
    Array.from({ length: 32 }, (_, i) => at + (i < 24 ? i : 24 + (i - 24) * Math.floor(size / 8)))
      .filter((n) => n < a.file.length)
      .flatMap((n) =>
        [1, 0x80, 0xff].map((flip): NamedEdit => ({
          name: 'compressed payload: byte',
          edit: { _tag: 'Put', at: n, bytes: Uint8Array.of((a.file[n] ?? 0) ^ flip) }
        }))
      )
  )

/** Every edit of an image that damages it, by structure; none twice. */
export const possibleEdits = (a: ImageParts): readonly (readonly NamedEdit[])[] => {
  const fields = [...a.sites].map(([structure, sites]) => sites.flatMap((s) => siteEdits(a, structure, s)))
  const wholes = a.regions.filter((r) => r.structure !== 'bitmap data' && r.bytes.length > 0)
  return [...fields, wholes.flatMap((r) => structureEdits(a, r)), lengthEdits(a), payloadEdits(a)].filter(
    (kind) => kind.length > 0
  )
}
