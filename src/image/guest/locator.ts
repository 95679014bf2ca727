/** Where single guest bytes are: the tables of the layers of a chain, of which those used last are kept. */
import type { Issue } from '../../bytes/issue.js'
import { LastUsed } from '../../bytes/last-used.js'
import type { FileRef } from '../../bytes/plan.js'
import { clusterSize, l1Coverage, l2Entries, l2EntrySize } from '../../format/geometry.js'
import { l2Sound } from '../../format/l2-rules.js'
import * as limits from '../../format/limits.js'
import { L1View, L2View } from '../../format/views.js'
import { type Chain, layerSize, type Layer, type LocatedExtent } from './chain.js'
import {
  clusterExtents,
  cut,
  type Extent,
  type GuestDisk,
  issuesOf,
  l1IssuesOf,
  l1Piece,
  type Table
} from './extents.js'

/** A part of a table that has to be read before a byte can be located. */
export interface Wanted {
  readonly kind: 'wanted'
  readonly file: FileRef
  readonly at: number
  /** Bytes. */
  readonly length: number
  /** Takes the bytes, which stay as they are. */
  readonly keep: (bytes: Uint8Array) => void
}

/** Why an entry cannot be followed. */
export interface Refused {
  readonly kind: 'refused'
  readonly issues: readonly Issue[]
}

const absent = (start: number, end: number): Extent => ({ kind: 'absent', start, length: end - start })

/** Most bytes of an L2 table that are read at once: a slice. */
const mostOfTable = 2 ** 16

/** The L2 slices of all layers of a chain, by the number of the slice and the depth of its layer. */
type Slices = LastUsed<Table>

/** The tables of one layer: each piece of the L1 table is read once, and slices of L2 tables when they are used. */
class LayerTables {
  private readonly l1 = new Map<number, L1View>()
  private readonly file: FileRef
  private readonly entries: number
  private readonly size: number
  /** Guest bytes of an L2 table. */
  private readonly coverage: number
  /** L2 entries of a slice. */
  private readonly sliceEntries: number
  private readonly isSound: Table['isSound']

  /** @param layers how many layers the chain has */
  constructor(
    private readonly disk: GuestDisk,
    private readonly depth: number,
    private readonly layers: number,
    private readonly slices: Slices
  ) {
    const { g, l1Size } = disk
    this.file = { part: 'image', depth }
    this.entries = Math.min(l1Size, limits.maxL1Entries)
    this.size = clusterSize(g)
    this.coverage = l1Coverage(g)
    this.sliceEntries = Math.min(l2Entries(g), mostOfTable / l2EntrySize(g))
    this.isSound = l2Sound(g)
  }

  /** The extent that begins at guest byte `start`, up to `end` at most. */
  find(start: number, end: number): Extent | Wanted | Refused {
    const i1 = Math.floor(start / this.coverage)
    if (i1 >= this.entries) return absent(start, end)
    const piece = Math.floor(i1 / l1Piece)
    const l1 = this.l1.get(piece)
    if (l1 === undefined) return this.wantedPiece(piece)
    const offset = l1.l2TableOffset(i1 - piece * l1Piece)
    if (offset === 0) return absent(start, Math.min(end, (i1 + 1) * this.coverage))
    const slice = Math.floor(start / (this.sliceEntries * this.size))
    const table = this.slices.get(slice * this.layers + this.depth)
    return table === undefined ? this.wantedSlice(i1, offset, slice) : this.findIn(table, slice, start, end)
  }

  private findIn(table: Table, slice: number, start: number, end: number): Extent | Refused {
    const { size } = this
    const base = slice * this.sliceEntries * size
    const i = Math.floor((start - base) / size)
    const guest = base + i * size
    const issues = issuesOf(table, i, guest)
    if (issues.length > 0) return { kind: 'refused', issues }
    const run = table.view.run(i, Math.min(table.view.length, Math.ceil((end - base) / size)))
    const found = clusterExtents(table, i, run, guest).find((e) => e.start + e.length > start)
    return found === undefined ? absent(start, end) : cut(found, start, end)
  }

  private wantedPiece(piece: number): Wanted {
    const first = piece * l1Piece
    return {
      kind: 'wanted',
      file: this.file,
      at: this.disk.l1TableOffset + 8 * first,
      length: 8 * Math.min(l1Piece, this.entries - first),
      keep: (bytes) => this.l1.set(piece, new L1View(bytes))
    }
  }

  private wantedSlice(i1: number, offset: number, slice: number): Wanted | Refused {
    const { disk, isSound, sliceEntries } = this
    const issues = l1IssuesOf(disk, i1, offset)
    if (issues.length > 0) return { kind: 'refused', issues }
    const length = sliceEntries * l2EntrySize(disk.g)
    const at = offset + ((slice * sliceEntries) % l2Entries(disk.g)) * l2EntrySize(disk.g)
    return {
      kind: 'wanted',
      file: this.file,
      at,
      length,
      keep: (bytes) =>
        this.slices.add(slice * this.layers + this.depth, { disk, view: new L2View(bytes, disk.g), at, isSound })
    }
  }
}

/** Locates guest bytes of a chain by the tables that it keeps. */
export class Locator {
  private readonly tables: readonly (LayerTables | undefined)[]

  /** @param tableBytes most bytes of L2 tables that are kept, but for one slice of each layer: a byte may be located by all of them */
  constructor(
    private readonly chain: Chain,
    tableBytes: number
  ) {
    const slices: Slices = new LastUsed(Math.max(chain.length, Math.floor(tableBytes / mostOfTable)))
    this.tables = chain.map((layer, depth) =>
      layer._tag === 'Image' ? new LayerTables(layer.disk, depth, chain.length, slices) : undefined
    )
  }

  /** The extent of the chain that begins at guest byte `start`, up to `end` at most. @see RD-05, BACK-06 and RD-07 */
  find(start: number, end: number): LocatedExtent | Wanted | Refused {
    let to = end
    for (let depth = 0; ; depth++) {
      const layer = this.chain[depth]
      const next = this.chain[depth + 1]
      const found = layer === undefined ? absent(start, to) : this.findIn(layer, depth, start, to)
      if (found.kind === 'wanted' || found.kind === 'refused') return found
      if (found.kind !== 'absent' || next === undefined || layerSize(next) <= start) return { ...found, depth }
      to = Math.min(start + found.length, layerSize(next))
    }
  }

  private findIn(layer: Layer, depth: number, start: number, end: number): Extent | Wanted | Refused {
    if (layer._tag === 'Image') return this.tables[depth]?.find(start, end) ?? absent(start, end)
    const host = (layer.start ?? 0) + start
    return start < layer.size
      ? { kind: 'data', start, length: Math.min(end, layer.size) - start, host }
      : { kind: 'zero', start, length: end - start, host }
  }
}
