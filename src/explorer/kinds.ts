/** Kinds: what host bytes and guest bytes are, as the page colours them. */
import type { Structure } from '../image/dump/regions.js'

/** Kinds of host bytes, from the least to the most important one where a map shows several in one cell. */
export const kinds = [
  'free',
  'zero',
  'data',
  'compressed',
  'bitmap',
  'encryption',
  'l2',
  'l1',
  'refcount',
  'snapshot',
  'extension',
  'header'
] as const

export type Kind = (typeof kinds)[number]

/** The name of each kind in a legend. */
export const kindTitles: Readonly<Record<Kind, string>> = {
  free: 'not referenced',
  zero: 'kept for zeros',
  data: 'guest data',
  compressed: 'compressed data',
  bitmap: 'bitmaps',
  encryption: 'encryption area',
  l2: 'L2 tables',
  l1: 'L1 tables',
  refcount: 'refcounts',
  snapshot: 'snapshot table',
  extension: 'extensions, names',
  header: 'header'
}

const byStructure: Readonly<Record<Structure, Kind>> = {
  header: 'header',
  'header extensions': 'extension',
  'backing file name': 'extension',
  'L1 table': 'l1',
  'L2 table': 'l2',
  'refcount table': 'refcount',
  'refcount block': 'refcount',
  'snapshot table': 'snapshot',
  'bitmap directory': 'bitmap',
  'bitmap table': 'bitmap',
  'bitmap data': 'bitmap',
  'encryption area': 'encryption'
}

/** The kind of the bytes of a structure. */
export const kindOf = (structure: Structure): Kind => byStructure[structure]

/** A kind as a small number, and back. */
export const kindNumber = (kind: Kind): number => kinds.indexOf(kind)
export const kindAt = (n: number): Kind => kinds[n] ?? 'free'

/** Kinds of guest bytes, from the least to the most important one. */
export const guestKinds = ['absent', 'zero', 'hole', 'data', 'compressed'] as const

export type GuestKind = (typeof guestKinds)[number]

/** The name of each kind of guest bytes in a legend. */
export const guestTitles: Readonly<Record<GuestKind, string>> = {
  absent: 'not allocated: backing file, or zeros',
  zero: 'zeros',
  hole: 'zeros in a hole of the file',
  data: 'data',
  compressed: 'compressed data'
}
