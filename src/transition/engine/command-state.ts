/** What a writer knows of its image between two commands, and the state of the command that it carries out. */
import type { Issue } from '../../bytes/issue.js'
import { failOn, type Plan } from '../../bytes/plan.js'
import type { Compressor } from '../../compression/compress.js'
import type { Decompressor } from '../../compression/decompress.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { type Header, header, headerFields } from '../../format/header.js'
import type { HeaderFields } from '../../format/header-values.js'
import type { Chain, Layer } from '../../image/guest/chain.js'
import { activeDisk, type Decryption, type GuestDisk } from '../../image/guest/extents.js'
import type { Metadata } from '../../image/metadata.js'
import { namedRanges, type SectionRange, type TableOffsets } from './sections.js'
import type { Stage } from './stages.js'
import { Transaction } from './transaction.js'

/** An image opened for writing. All that its writer knows is in the image's bytes, except where it looks first. */
export interface WritableImage {
  readonly metadata: Metadata
  readonly g: Geometry
  /** The active disk. */
  readonly disk: GuestDisk
  /** The metadata that the header, the snapshot table and the bitmaps extension name. */
  readonly ranges: readonly SectionRange[]
  /** The tables that other tables name; absent until a command needs them. */
  readonly tables: TableOffsets | undefined
  /** The layers below the image, from the top down. */
  readonly backing: readonly Layer[]
  readonly decompressor: Decompressor
  /** Decrypts its guest data, where their key is known. */
  readonly decryption?: Decryption | undefined
  readonly compressor: Compressor
  /** A host cluster below which none is free. */
  readonly firstFree: number
  /** The host byte after the last compressed payload, where the next may be appended; 0: nowhere. @see CW-02 */
  readonly compressedCursor: number
}

/** What the metadata of an image say. */
export const fromMetadata = (
  metadata: Metadata,
  g: Geometry
): Pick<WritableImage, 'metadata' | 'g' | 'disk' | 'ranges' | 'tables'> => ({
  metadata,
  g,
  disk: activeDisk(metadata, g),
  ranges: namedRanges(metadata, g),
  tables: undefined
})

/** A table of 8-byte entries in consecutive clusters: its byte offset in the image file, and its entries. */
export interface TablePlace {
  readonly at: number
  readonly entries: number
}

/** The state of one command: the image before it, its transaction, and the image as it is by now. */
export class CommandState {
  readonly tx: Transaction
  g: Geometry
  header: Header
  disk: GuestDisk
  backing: readonly Layer[]
  firstFree: number
  compressedCursor: number
  /** Host clusters that lose a reference when the round ends, once for each time that they are listed. */
  released: number[] = []
  /** The stage of that: `retire` where the second words of the round take references away. */
  releaseStage: 'release' | 'retire' = 'release'
  /** Host clusters released in the rounds so far, and the number of claims before that: later claims may be of anything. */
  readonly freed = new Map<number, number>()

  /** @param fileSize bytes of the image file before the command; Infinity where they are not known */
  constructor(
    readonly image: WritableImage,
    readonly fileSize = Infinity
  ) {
    this.tx = new Transaction(image.g)
    this.g = image.g
    this.header = image.metadata.header
    this.disk = image.disk
    this.backing = image.backing
    this.firstFree = image.firstFree
    this.compressedCursor = image.compressedCursor
  }

  /** The active L1 table. */
  get l1(): TablePlace {
    return { at: Number(this.header.l1TableOffset), entries: this.header.l1Size }
  }

  get refcountTable(): TablePlace {
    const { refcountTableOffset, refcountTableClusters } = this.header
    return { at: Number(refcountTableOffset), entries: (refcountTableClusters * clusterSize(this.g)) / 8 }
  }

  /** The active disk over its backing layers. */
  get chain(): Chain {
    return [{ _tag: 'Image', disk: this.disk }, ...this.backing]
  }

  /** Takes over a header and a geometry that the image's bytes already have. */
  become(h: Header, g: Geometry): void {
    this.header = h
    this.g = g
    this.disk = activeDisk({ header: h }, g)
  }

  /** Changes fields of the header, each in its place. */
  *changeHeader(stage: Stage, fields: Partial<HeaderFields>): Plan<void> {
    this.become({ ...this.header, ...fields }, this.g)
    const bytes = header.encode(this.header)
    for (const { key, at, row } of headerFields.rows)
      if (key in fields) yield* this.tx.put('main header', stage, at, bytes.subarray(at, at + row.as.size))
  }

  /**
   * Ends the command at a table entry with this host offset where it is no multiple of the cluster size, with the issues of
   * the entry: it is decoded and judged nowhere else.
   */
  *mustAlign(offset: number, issues: () => readonly Issue[]): Plan<void> {
    if (offset % clusterSize(this.g) !== 0) yield* failOn(issues())
  }

  /** Releases the clusters of a table of `size` bytes at host byte `at` when the round ends. */
  release(at: number, size: number): void {
    const bytes = clusterSize(this.g)
    for (let i = 0; i < Math.ceil(size / bytes); i++) this.released.push(at / bytes + i)
  }
}
