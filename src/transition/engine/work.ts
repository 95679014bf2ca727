/** An image opened for writing: what is known of it between two commands. */
import type { Issue } from '../../bytes/issue.js'
import { issue } from '../../bytes/issue.js'
import { failWith, type Plan } from '../../bytes/plan.js'
import type { Compressor } from '../../compression/compress.js'
import type { Decompressor } from '../../compression/decompress.js'
import type { StructOf } from '../../bytes/struct.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { type Header, header, headerFields } from '../../format/header.js'
import type { Chain, Layer } from '../../image/guest/chain.js'
import { activeDisk, type Disk } from '../../image/guest/extents.js'
import type { Metadata } from '../../image/metadata.js'
import { namedSections, type Section, type TableOffsets } from './sections.js'
import { type Stage, Transaction } from './transaction.js'

/** What the metadata of an image say. */
interface Known {
  readonly metadata: Metadata
  readonly g: Geometry
  /** The active disk. */
  readonly disk: Disk
  readonly sections: readonly Section[]
  /** The tables that other tables name, once a command had to know. */
  readonly tables: TableOffsets | undefined
}

/** What follows from the metadata of an image. */
export const knownOf = (metadata: Metadata, g: Geometry): Known => ({
  metadata,
  g,
  disk: activeDisk(metadata, g),
  sections: namedSections(metadata, g),
  tables: undefined
})

/** An image as a writer knows it: nothing in it that the image's bytes do not say, but for where to look first. */
export interface Opened extends Known {
  /** The layers below the image, from the top down. */
  readonly backing: readonly Layer[]
  readonly decompressor: Decompressor
  readonly compressor: Compressor
  /** No host cluster below this one has a count of 0. */
  readonly firstFree: number
  /** Host byte behind the last compressed payload, where the next may go on; 0: nowhere. @see CW-02 */
  readonly compressedCursor: number
}

/** A contiguous table: byte offset in the image file, and entries of 8 bytes. */
export interface TablePlace {
  readonly at: number
  readonly entries: number
}

/** One command at work on an image: what was known, what has changed, and where things are by now. */
export class Work {
  readonly tx: Transaction
  g: Geometry
  /** The header as changed so far, and the active disk as it says. */
  header: Header
  disk: Disk
  backing: readonly Layer[]
  firstFree: number
  compressedCursor: number
  /** Host clusters that lose a reference when the round ends, as often as they are named. */
  released: number[] = []
  /** When that may be: `retire` if it is the second words of the round that take references away. */
  releaseStage: 'release' | 'retire' = 'release'
  /** Host clusters given up in the rounds so far, and how many claims there were by then: later ones may be of something else. */
  readonly freed = new Map<number, number>()

  constructor(readonly opened: Opened) {
    this.tx = new Transaction(opened.g)
    this.g = opened.g
    this.header = opened.metadata.header
    this.disk = opened.disk
    this.backing = opened.backing
    this.firstFree = opened.firstFree
    this.compressedCursor = opened.compressedCursor
  }

  /** The active L1 table. */
  get l1(): TablePlace {
    return { at: Number(this.header.l1TableOffset), entries: this.header.l1Size }
  }

  get refcountTable(): TablePlace {
    const { refcountTableOffset, refcountTableClusters } = this.header
    return { at: Number(refcountTableOffset), entries: (refcountTableClusters * clusterSize(this.g)) / 8 }
  }

  /** The disk over the layers below it. */
  get chain(): Chain {
    return [{ _tag: 'Image', disk: this.disk }, ...this.backing]
  }

  /** Goes on with another header and geometry, which the image's bytes say. */
  become(header: Header, g: Geometry): void {
    this.header = header
    this.g = g
    this.disk = activeDisk({ header }, g)
  }

  /** Changes fields of the header, each in its place. */
  *changeHeader(stage: Stage, fields: Partial<StructOf<typeof headerFields.fields>>): Plan<void> {
    this.become({ ...this.header, ...fields }, this.g)
    const bytes = header.encode(this.header)
    for (const { key, at, row } of headerFields.rows)
      if (key in fields) yield* this.tx.put('main header', stage, at, bytes.subarray(at, at + row.as.size))
  }
}

/** Ends a command with nothing changed: the clause that forbids it, and what was found in place of what. */
export const refuse = <A = never>(
  clause: Issue['clause'],
  found: string,
  expected: string,
  place: Partial<Pick<Issue, 'structure' | 'field' | 'at' | 'size' | 'phase' | 'source'>> = {}
): Plan<A> =>
  failWith<A>([
    issue({
      clause,
      phase: 'inconsistent',
      source: 'both',
      structure: 'image',
      field: '',
      at: 0,
      size: 0,
      ...place,
      found,
      expected
    })
  ])
