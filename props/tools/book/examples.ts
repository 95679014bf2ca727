/** The images that the book decodes in its pages, and where they have each structure. */
import { gzipSync } from 'node:zlib'
import { load } from '../../../corpus/load.js'
import { buildIndex, ImageIndex } from '../../../src/explorer/image-index.js'
import { viewOf } from '../../../src/bytes/octets.js'
import { fromMemory, runSync } from '../../../src/bytes/plan.js'
import { extensionTypes } from '../../../src/format/extension-kinds.js'
import { luksHeader } from '../../../src/format/luks.js'
import { snapshotFixed } from '../../../src/format/snapshot.js'
import type { Structure } from '../../../src/image/dump/regions.js'
import { exampleImage } from './example-image.js'

/** An image, and the page that decodes it. */
interface Example {
  readonly page: string
  readonly image: Uint8Array
  readonly index: ImageIndex
}

const example = (page: string, image: Uint8Array): Example => {
  const index = new ImageIndex(image.length)
  runSync(buildIndex(index), { read: fromMemory(image), emit: () => undefined })
  return { page, image, index }
}

const main = example('example', exampleImage())
const subclusters = example('example-subclusters', load('case-41-subclusters').image)
const luks = example('example-luks', load('case-59-luks').image)

/** The images of the book. */
export const examples: readonly Example[] = [main, subclusters, luks]

/** Where an image has a structure. */
interface Place {
  readonly in: Example
  /** Byte offset in the file. */
  readonly at: number
}

/** The first place of a structure, or of what is searched in its bytes. */
const first = (of: Example, structure: Structure, search: (bytes: Uint8Array) => number = () => 0): Place => {
  const place = of.index.places.find((each) => each.structure === structure)
  if (place === undefined) throw new Error(`no ${structure} in ${of.page}`)
  return { in: of, at: place.at + search(of.image.subarray(place.at, place.at + place.size)) }
}

/** The byte of the first entry of 8 bytes that is so. */
const entry =
  (is: (high: number, low: number) => boolean) =>
  (bytes: Uint8Array): number => {
    const view = viewOf(bytes)
    const found = Array.from({ length: bytes.length >> 3 }, (_, i) => 8 * i).find((at) =>
      is(view.getUint32(at), view.getUint32(at + 4))
    )
    if (found === undefined) throw new Error('an example has no such entry')
    return found
  }

const isSet = entry((high, low) => (high | low) !== 0)

/** The byte of the payload of an extension. */
const payload =
  (type: number) =>
  (bytes: Uint8Array): number =>
    entry((high) => high === type)(bytes) + 8

const after = ({ in: of, at }: Place, bytes: number): Place => ({ in: of, at: at + bytes })

const compressedFlag = 0x4000_0000

/** The place of each structure, by its title in the reference. */
const places: Readonly<Record<string, Place>> = {
  header: first(main, 'header'),
  'additional header fields': first(main, 'header'),
  'header extension': first(main, 'header extensions'),
  'feature name table entry': first(subclusters, 'header extensions', payload(extensionTypes.FeatureNames)),
  'full disk encryption pointer': first(luks, 'header extensions', payload(extensionTypes.Encryption)),
  'bitmaps extension': first(main, 'header extensions', payload(extensionTypes.Bitmaps)),
  'L1 table entry': first(main, 'L1 table', isSet),
  'L2 entry of a standard cluster': first(main, 'L2 table', isSet),
  'L2 entry of a compressed cluster': first(
    main,
    'L2 table',
    entry((high) => (high & compressedFlag) !== 0)
  ),
  'subcluster bitmap': after(first(subclusters, 'L2 table', isSet), 8),
  'refcount table entry': first(main, 'refcount table', isSet),
  'refcount block entry': first(main, 'refcount block'),
  'snapshot table entry': first(main, 'snapshot table'),
  'extra data of a snapshot': after(first(main, 'snapshot table'), snapshotFixed.size),
  'bitmap directory entry': first(main, 'bitmap directory'),
  'bitmap table entry': first(main, 'bitmap table', isSet),
  'LUKS header': first(luks, 'encryption area'),
  'LUKS key slot': after(first(luks, 'encryption area'), luksHeader.size)
}

/** The place in the book that decodes byte `byte` of the structure of this title. */
export const decodedAt = (title: string, byte: number): string | undefined => {
  const place = places[title]
  return place === undefined ? undefined : `${place.in.page}.html#at=0x${(place.at + byte).toString(16)}`
}

/** The page of the explorer on an image, with links into the book. */
export const examplePage = (
  explorer: string,
  { page, image }: Example,
  clauses: Readonly<Record<string, string>>
): string => {
  const packed = gzipSync(image, { level: 9 }).toString('base64')
  return explorer.replace(
    'id="image">null<',
    () => `id="image">${JSON.stringify({ name: `${page}.qcow2`, packed, clauses })}<`
  )
}
