/** The known header extensions: one row each, which decoder, encoder, JSON, judgement, reports and writers read. */
import { map } from 'fp-ts/lib/Record.js'
import { type ByteType, rawBytes } from '../bytes/byte-type.js'
import type { Rule } from '../bytes/judgement.js'
import { atMost, oneOf, refusing } from '../bytes/rule.js'
import { bitmapsExtension, encryptionPointer, featureNames } from './extension-payload.js'
import { maxBackingFormat } from './limits.js'

/** A kind of header extension whose payload is an `A`. */
export interface ExtensionKind<A> {
  /** The number in its record. */
  readonly type: number
  /** How it is called. */
  readonly title: string
  readonly payload: ByteType<A>
  /** What its length in bytes must be. */
  readonly length?: Rule<bigint>
}

const rows = {
  BackingFormat: {
    type: 0xe279_2aca,
    title: 'backing file format',
    payload: rawBytes,
    length: refusing('OPEN-25', atMost(maxBackingFormat, 'EXT-06'))
  },
  DataFile: { type: 0x4441_5441, title: 'external data file name', payload: rawBytes },
  Encryption: {
    type: 0x0537_be77,
    title: 'full disk encryption pointer',
    payload: encryptionPointer,
    length: refusing('OPEN-25', oneOf([encryptionPointer.size], 'EXT-09'))
  },
  FeatureNames: { type: 0x6803_f857, title: 'feature name table', payload: featureNames },
  Bitmaps: {
    type: 0x2385_2875,
    title: 'bitmaps',
    payload: bitmapsExtension,
    length: refusing('OPEN-25', oneOf([bitmapsExtension.size], 'EXT-10'))
  }
} as const

type PayloadOf<K> = K extends { readonly payload: ByteType<infer A> } ? A : never

/** The payload of each kind of extension. */
export type Payloads = { readonly [Tag in keyof typeof rows]: PayloadOf<(typeof rows)[Tag]> }

/** The known header extensions, in the order in which a writer puts them. @see EXT-04 and EXT-20 */
export const extensionKinds: { readonly [Tag in keyof Payloads]: ExtensionKind<Payloads[Tag]> } = rows

const isTag = (key: string): key is keyof Payloads => key in rows

/** The tags of known extensions, in the order in which a writer puts them. @see EXT-20 */
export const knownTags: readonly (keyof Payloads)[] = Object.keys(rows).filter(isTag)

/** All tags in that order, extensions of no known kind last. */
export const extensionTags: readonly (keyof Payloads | 'Other')[] = [...knownTags, 'Other']

/** The type number of each known extension, and of the end marker. @see EXT-04 */
export const extensionTypes = { end: 0, ...map((kind: { readonly type: number }) => kind.type)(rows) }

/** The type of an extension that hides bytes of the area: no program knows it, so that every reader skips it. */
export const holeType = 0x686f_6c65

/** How each extension is called. */
export const extensionNames = { ...map((kind: { readonly title: string }) => kind.title)(rows), Other: 'other' }
