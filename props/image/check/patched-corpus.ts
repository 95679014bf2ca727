/** Images of the corpus, patched in memory by the steps of recipes. */
import * as E from 'fp-ts/lib/Either.js'
import { edits } from '../../../corpus/edits.js'
import { load } from '../../../corpus/load.js'

/** Performs steps on an image, as recipes write them, without the file's name: `patch PLACE HEX...`, `truncate LENGTH`. */
const after = (image: Uint8Array, steps: readonly string[]): Uint8Array =>
  steps.reduce<Buffer>((bytes, step) => {
    const [verb = '', ...args] = step.split(' ')
    const done = edits[verb]?.(bytes, args) ?? E.left('no such step')
    if (E.isLeft(done)) throw new Error(`${step}: ${done.left}`)
    return done.right
  }, Buffer.from(image))

/**
 * Sound images of 4 KiB clusters: header, refcount table, refcount block, L1 table, L2 table, and what the name says. Each is
 * an image of the corpus and the steps that mend it.
 */
const bases = {
  /** Data in clusters 5 and 6. */
  plain: ['odd-compatible-bits', 'patch compatible_features 0000000000000000'],
  plainV2: ['broken-l2-zero-v2', 'patch l2 8000000000005000'],
  /** Two L1 entries, the second without an L2 table. */
  twoTables: ['broken-l1-entry-twice', 'patch l1+8 0000000000000000'],
  longerL1: ['odd-l1-longer'],
  /** A compressed cluster in cluster 5. */
  deflated: ['odd-deflate-two-blocks'],
  /** One snapshot, id 1 and name a: its L1 table in cluster 7, the snapshot table in cluster 8. */
  snapshot: ['odd-snapshot-name-empty', 'patch snapshot_table+14 0001'],
  /** Two snapshots: the entries start at bytes 0 and 72 of the table in cluster 10. */
  twoSnapshots: ['broken-snapshot-ids-equal', 'patch snapshot_table+136 32'],
  /** A bitmap of 16 bits: its data in cluster 9, its table in 10, the directory in 11. */
  bitmap: ['odd-bitmaps-untrusted', 'patch autoclear_features 0000000000000001'],
  /** Extended L2 entries in 16 KiB clusters: the L2 table in cluster 4. */
  extended: ['broken-subcluster-zero-bit', 'patch l2+7 00'],
  /** Guest clusters 0 and 1 in a data file. */
  dataFile: ['broken-data-file-offset', 'patch l2+8 8000000000001000']
} as const satisfies Readonly<Record<string, readonly [string, ...(readonly string[])]>>

export type Base = keyof typeof bases

/** A sound image. */
export const sound = (base: Base): Uint8Array => {
  const [name, ...steps] = bases[base]
  return after(load(name).image, steps)
}

/** Severity, clause, structure, field, byte offset and size, and guest offset and size where there are any. */
export type Row = readonly [string, string, string, string, number, number, (readonly [number, number])?]

/** Section, byte offset and size of an owner, the entry that leads there, and its guest offset. */
export type OwnerRow = readonly [string, number, number, number?, number?]

/** A patched image, and everything that is found of it beside what QEMU finds. */
export interface PatchedImage {
  readonly title: string
  readonly base: Base
  readonly steps: readonly string[]
  /** Bytes of the data file. */
  readonly dataFileLength?: number
  readonly found: readonly Row[]
  readonly owners?: readonly (readonly [OwnerRow, OwnerRow])[]
}

/** The image of a damage. */
export const patchedBytes = (d: PatchedImage): Uint8Array => after(sound(d.base), d.steps)
