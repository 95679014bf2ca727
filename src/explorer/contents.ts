/** The contents of guest clusters: their first bytes, decompressed, and where a guest byte is stored. */
import { onEmit, type Plan } from '../bytes/plan.js'
import { clusterSize } from '../format/geometry.js'
import { portable } from '../compression/decompress.js'
import { activeDisk, type Decryption, type Extent, extents, type GuestDisk } from '../image/guest/extents.js'
import { readGuest } from '../image/guest/read.js'
import { diskOf } from './guest-map.js'
import type { ImageIndex } from './image-index.js'
import { entryOfData } from './selection.js'

/** What a host byte holds of the guest disk. */
export interface Contents {
  readonly at: number
  readonly guest: number
  /** The first bytes of the guest cluster, decompressed. */
  readonly bytes: Uint8Array
  readonly size: number
  /** Why they cannot be read. */
  readonly failed?: string
}

/** Bytes of a cluster that are shown. */
const shown = 256

/** The disk of the tree that a table is of. */
function* diskOfTree(index: ImageIndex, of: string): Plan<GuestDisk | undefined> {
  const { metadata: m, geometry: g } = index
  if (m === undefined || g === undefined) return undefined
  const snapshot = /^snapshot (\d+)$/.exec(of)?.[1]
  return snapshot === undefined ? activeDisk(m, g) : yield* diskOf(m, g, Number(snapshot))
}

/**
 * What the guest sees of the cluster that host byte `at` is part of; undefined where it holds no guest data. Encrypted data
 * are read with their decryption.
 */
export function* contentsAt(index: ImageIndex, at: number, decryption?: Decryption): Plan<Contents | undefined> {
  const g = index.geometry
  const run = [...index.data.within(at, at + 1)][0]
  if (g === undefined || run === undefined) return undefined
  const entry = entryOfData(index, g, run, at)
  const disk = yield* diskOfTree(index, entry.table?.of ?? '')
  if (disk === undefined) return undefined
  const size = clusterSize(g)
  const guest = entry.guest - (entry.guest % size)
  const length = Math.max(0, Math.min(shown, disk.size - guest))
  const bytes = yield* readGuest(
    [{ _tag: 'Image', disk: { ...disk, ...(decryption === undefined ? {} : { decryption }) } }],
    guest,
    length,
    portable
  )
  return { at, guest, bytes, size }
}

/** Where a guest byte is stored: its host offset, where it has one, and how. */
export interface GuestPlace {
  readonly at: number | undefined
  readonly how: Extent['kind']
}

/** Where guest byte `guest` of a disk is stored. */
export function* placeOfGuest(disk: GuestDisk, guest: number): Plan<GuestPlace> {
  const found: { place: GuestPlace } = { place: { at: undefined, how: 'absent' } }
  yield* onEmit(extents(disk, guest, guest + 1), function* (e: Extent): Plan<void> {
    found.place = { at: e.host, how: e.kind }
  })
  return found.place
}
