/** Images as they are named: a format over a file, with what is opened in place of the files that the image itself names. */
import type { JsonObject } from '../../bytes/json.js'
import type { Place } from '../files/file.js'
import { splitUrl } from '../files/url.js'
import type { Secrets } from './secrets.js'

/** The format of a file. */
export type Format = 'qcow2' | 'raw'

/** The words of `detect-zeroes`. */
export const detections = ['off', 'on', 'unmap'] as const

/** How written zeros are stored. */
export type DetectZeroes = (typeof detections)[number]

/** What options say of an image; what they leave open is as the image above it says, or the command. */
export interface NodeOptions {
  readonly driver?: Format
  readonly file?: Place
  /** Whether nothing may be written. */
  readonly readOnly?: boolean
  /** Whether it is read also while other processes write it, and all below it. */
  readonly forceShare?: boolean
  /** Whether what is written goes to an overlay that is gone at the end. */
  readonly temporary?: boolean
  /** Whether what is read from the backing files is stored in the image. */
  readonly copyOnRead?: boolean
  /** Whether each write is durable before its line is answered. */
  readonly writeThrough?: boolean
  /** Whether discards are carried out; they are unless this is false. */
  readonly discards?: boolean
  /** Whether written zeros become zero clusters, and whether those are freed; `off` unless it is given. */
  readonly detectZeroes?: DetectZeroes
  /** Whether the driver is asked for lazy refcounts, which version 2 has none of. */
  readonly lazyRefcounts?: boolean
  /** What is known of the backing file beside its name, or in place of it; `none` for an image that is opened without one. */
  readonly backing?: NodeOptions | 'none'
  /** The external data file in place of the one that the image names. */
  readonly dataFile?: Place
  /** How it is encrypted. */
  readonly encryptFormat?: 'luks' | 'aes'
  /** The id of the secret that decrypts it. */
  readonly keySecret?: string
  /** The secrets that it and the images below it may name. */
  readonly secrets?: Secrets
}

/** An image of which format and file are known. */
export interface ImageNode extends NodeOptions {
  readonly driver: Format
  readonly file: Place
}

/** The JSON of a place by QEMU's options: the driver `raw` for a part of a file. */
const placeJson = ({ name, part }: Place): JsonObject => {
  const file = { driver: 'file', filename: name }
  return part === undefined ? file : { driver: 'raw', ...part, file }
}

/** What reports call a file at a place: its name, or `json:{…}` for a part of it. */
const placeName = (place: Place): string =>
  place.part === undefined ? place.name : `json:${JSON.stringify(placeJson(place))}`

/** What reports call an image: the name of its file, or `json:{…}` for one in a part of it. */
export const nodeName = ({ driver, file }: ImageNode): string => {
  if (file.part === undefined || driver === 'raw') return placeName(file)
  return `json:${JSON.stringify({ driver, file: placeJson(file) })}`
}

/** A name of a file, or of a part of it, that no other has. */
export const realName = ({ resolved, part }: Place, path: string): string =>
  (resolved ?? path) + (part === undefined ? '' : `\0${part.offset}`)

/** What reports call the file with the guest bytes of an image: that of the data file, where there is one. */
export const holderName = ({ file, dataFile }: ImageNode, data: Pick<Place, 'name'> | undefined): string =>
  placeName(data === undefined ? file : (dataFile ?? data))

/** The image in a file of this name. */
export const nodeAt = (name: string, driver: Format = 'qcow2'): ImageNode => ({ driver, file: splitUrl(name) })
