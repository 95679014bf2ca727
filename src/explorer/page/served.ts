/** What the page was served with: an image, and the places of the clauses in the book. */
import type { ImageSource } from './protocol.js'

const given: unknown = JSON.parse(document.getElementById('image')?.textContent ?? 'null')
const settings: ReadonlyMap<string, unknown> = new Map(
  typeof given === 'object' && given !== null ? Object.entries(given) : []
)

/** The file of a gzip file in base64. */
const unpacked = (packed: string): Promise<Blob> => {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).blob()
}

/** The image that the page was served with, if any: its URL, or the image itself. */
export const servedImage = async (): Promise<ImageSource | undefined> => {
  const [name, url, packed] = ['name', 'url', 'packed'].map((key) => settings.get(key))
  if (typeof name !== 'string') return undefined
  if (typeof packed === 'string') return { _tag: 'File', name, blob: await unpacked(packed) }
  return typeof url === 'string' ? { _tag: 'Url', name, url: new URL(url, location.href).href } : undefined
}

const places = settings.get('clauses')
const placeOf: ReadonlyMap<string, unknown> = new Map(
  typeof places === 'object' && places !== null ? Object.entries(places) : []
)

/** The place of a clause in the book, where the page is part of it. */
export const bookPlace = (clause: string): string | undefined => {
  const place = placeOf.get(clause)
  return typeof place === 'string' ? place : undefined
}
