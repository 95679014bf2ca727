/** The outline: the structures of an image as a tree, of which each level is read when it is opened. */
import { label } from '../bytes/octets.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { extension } from '../format/extension.js'
import { extensionArea, extensionStarts, extensionRange } from '../format/extension-area.js'
import { extensionNames } from '../format/extension-kinds.js'
import { backingNamePlace } from '../format/backing.js'
import { clusterSize, type Geometry, l1Coverage } from '../format/geometry.js'
import { header } from '../format/header.js'
import { luksSize } from '../format/luks.js'
import { presentedSize } from '../format/header-rules.js'
import { snapshotDiskSize, snapshotEntry, snapshotStarts } from '../format/snapshot.js'
import { bitmapEntry, bitmapStarts } from '../format/bitmap-directory.js'
import { BitmapTableView, L1View, RefcountTableView } from '../format/views.js'
import { luksPointer, type Metadata, snapshotTablePlace, trustedBitmaps } from '../image/metadata.js'
import type { Kind } from './kinds.js'
import { offsetText, sizeText } from './numbers.js'

/** A table whose entries lead to structures: those are its children. */
export interface TableRef {
  readonly structure: 'L1 table' | 'refcount table' | 'bitmap table'
  readonly at: number
  readonly entries: number
}

/** A node of the tree. */
export interface Node {
  /** Unique in the tree. */
  readonly id: string
  readonly kind: Kind
  readonly title: string
  readonly detail: string
  /** Byte offset and length in the file. */
  readonly at: number
  readonly size: number
  /** Its children where they are known, or the table that they are read from. */
  readonly children: readonly Node[] | TableRef
}

const leaf = (id: string, kind: Kind, title: string, detail: string, at: number, size: number): Node => ({
  id,
  kind,
  title,
  detail,
  at,
  size,
  children: []
})

const headerNode = (m: Metadata): Node =>
  leaf('header', 'header', 'Header', `version ${m.header.version}`, 0, header.sizeOf(m.header))

const extensionNodes = (m: Metadata, g: Geometry): readonly Node[] => {
  const area = m.extensions
  if (area === undefined) return []
  const { from } = extensionRange(m.header, g)
  const starts = extensionStarts(area)
  const children = area.extensions.map((e, i) =>
    leaf(
      `extension/${i}`,
      'extension',
      extensionNames[e._tag],
      sizeText(extension.sizeOf(e)),
      from + (starts[i] ?? 0),
      extension.sizeOf(e)
    )
  )
  const size = extensionArea.sizeOf(area)
  const detail = String(children.length)
  return [{ id: 'extensions', kind: 'extension', title: 'Extensions', detail, at: from, size, children }]
}

const backingNodes = (m: Metadata): readonly Node[] => {
  const place = backingNamePlace(m.header)
  if (m.backingName === undefined || place === undefined) return []
  return [leaf('backing', 'extension', 'Backing file', label(m.backingName), Number(place.at), place.length)]
}

const isReadable = (offset: bigint): boolean => offset <= BigInt(Number.MAX_SAFE_INTEGER)

/** A disk: its L1 table, whose entries lead to L2 tables. */
const diskNode = (id: string, title: string, disk: bigint, offset: bigint, entries: number): readonly Node[] => {
  if (!isReadable(offset)) return []
  const at = Number(offset)
  const children: TableRef = { structure: 'L1 table', at, entries }
  return [{ id, kind: 'l1', title, detail: sizeText(Number(disk)), at, size: 8 * entries, children }]
}

const refcountNodes = ({ header: h }: Metadata, g: Geometry): readonly Node[] => {
  if (!isReadable(h.refcountTableOffset)) return []
  const at = Number(h.refcountTableOffset)
  const size = h.refcountTableClusters * clusterSize(g)
  const children: TableRef = { structure: 'refcount table', at, entries: size / 8 }
  const detail = `${2 ** g.refcountOrder} bits each`
  return [{ id: 'refcounts', kind: 'refcount', title: 'Refcounts', detail, at, size, children }]
}

const snapshotNodes = (m: Metadata): readonly Node[] => {
  if (m.snapshots.length === 0) return []
  const { at, size } = snapshotTablePlace(m)
  const starts = snapshotStarts(m.snapshots)
  const children = m.snapshots.map((s, i): Node => {
    const disk = diskNode(`snapshot/${i}/disk`, 'Disk', snapshotDiskSize(s, m.header.size), s.l1TableOffset, s.l1Size)
    return {
      id: `snapshot/${i}`,
      kind: 'snapshot',
      title: label(s.name),
      detail: `id ${label(s.id)}`,
      at: at + (starts[i] ?? 0),
      size: snapshotEntry.sizeOf(s),
      children: disk
    }
  })
  const detail = String(children.length)
  return [{ id: 'snapshots', kind: 'snapshot', title: 'Snapshots', detail, at, size, children }]
}

const bitmapNodes = (m: Metadata): readonly Node[] => {
  const directory = trustedBitmaps(m)
  if (directory === undefined || m.bitmaps.length === 0) return []
  const at = Number(directory.bitmapDirectoryOffset)
  const starts = bitmapStarts(m.bitmaps)
  const children = m.bitmaps.map((b, i): Node => {
    const table = Number(b.bitmapTableOffset)
    const rows: TableRef = { structure: 'bitmap table', at: table, entries: b.bitmapTableSize }
    const detail = `${b.bitmapTableSize} entries`
    const size = 8 * b.bitmapTableSize
    const own: Node = {
      id: `bitmap/${i}/table`,
      kind: 'bitmap',
      title: 'Table',
      detail,
      at: table,
      size,
      children: rows
    }
    return {
      id: `bitmap/${i}`,
      kind: 'bitmap',
      title: label(b.name),
      detail: `a bit for ${sizeText(2 ** b.granularityBits)}`,
      at: at + (starts[i] ?? 0),
      size: bitmapEntry.sizeOf(b),
      children: [own]
    }
  })
  const size = Number(directory.bitmapDirectorySize)
  return [{ id: 'bitmaps', kind: 'bitmap', title: 'Bitmaps', detail: String(children.length), at, size, children }]
}

const encryptionNodes = (m: Metadata): readonly Node[] => {
  const pointer = m.header.cryptMethod === 2 ? luksPointer(m) : undefined
  if (pointer === undefined || !isReadable(pointer.offset) || !isReadable(pointer.length)) return []
  const [at, size] = [Number(pointer.offset), Number(pointer.length)]
  const keys = size - luksSize
  const children =
    keys < 0
      ? []
      : [
          leaf('luks/header', 'encryption', 'LUKS header', sizeText(luksSize), at, luksSize),
          leaf('luks/keys', 'encryption', 'Key material', sizeText(keys), at + luksSize, keys)
        ]
  return [{ id: 'luks', kind: 'encryption', title: 'Encryption area', detail: sizeText(size), at, size, children }]
}

/** The top of the tree: what the header names, as far as it decodes. */
export const outline = (m: Metadata): readonly Node[] => {
  const g = m.geometry
  if (g === undefined) return [headerNode(m)]
  const h = m.header
  return [
    headerNode(m),
    ...extensionNodes(m, g),
    ...backingNodes(m),
    ...diskNode('active', 'Active disk', presentedSize(h), h.l1TableOffset, h.l1Size),
    ...refcountNodes(m, g),
    ...snapshotNodes(m),
    ...bitmapNodes(m),
    ...encryptionNodes(m)
  ]
}

/** Children of a table that are read at a time. */
const pageSize = 200
/** Entries that are looked at for them, and those that one request reads. */
const mostEntries = 2 ** 17
const piece = 2 ** 13

/** A page of the structures that a table leads to, and the entry that the next page starts with. */
export interface Page {
  readonly nodes: readonly Node[]
  readonly next: number | undefined
}

const titles = { 'L1 table': 'L2 table', 'refcount table': 'Block', 'bitmap table': 'Bits' } as const
const tableKinds = { 'L1 table': 'l2', 'refcount table': 'refcount', 'bitmap table': 'bitmap' } as const

const offsetsOf = ({ structure }: TableRef, bytes: Uint8Array): ((i: number) => number) => {
  switch (structure) {
    case 'L1 table': {
      const view = new L1View(bytes)
      return (i) => view.l2TableOffset(i)
    }
    case 'refcount table': {
      const view = new RefcountTableView(bytes)
      return (i) => view.refcountBlockOffset(i)
    }
    case 'bitmap table': {
      const view = new BitmapTableView(bytes)
      return (i) => view.clusterOffset(i)
    }
  }
}

const childOf = (id: string, table: TableRef, g: Geometry, i: number, at: number): Node => {
  const detail = table.structure === 'L1 table' ? `guest ${offsetText(i * l1Coverage(g))}` : offsetText(at)
  const title = `${titles[table.structure]} ${i}`
  return leaf(`${id}/${i}`, tableKinds[table.structure], title, detail, at, clusterSize(g))
}

/** The structures that the entries of a table lead to, from entry `from` on; entries past the end of the file lead nowhere. */
export function* childrenOf(id: string, table: TableRef, g: Geometry, fileLength: number, from: number): Plan<Page> {
  const nodes: Node[] = []
  const end = Math.min(table.entries, Math.max(0, Math.ceil((fileLength - table.at) / 8)))
  const last = Math.min(end, from + mostEntries)
  for (let first = from; first < last; first += piece) {
    const n = Math.min(piece, last - first)
    const offsetAt = offsetsOf(table, yield* readAt(table.at + 8 * first, 8 * n))
    for (let i = 0; i < n; i++) {
      if (offsetAt(i) === 0) continue
      if (nodes.length === pageSize) return { nodes, next: first + i }
      nodes.push(childOf(id, table, g, first + i, offsetAt(i)))
    }
  }
  return { nodes, next: last < end ? last : undefined }
}
