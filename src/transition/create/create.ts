/** Creating an image: three clusters of an empty disk, which then gets its size. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { fromMemory, imageFile, type Plan, runSync } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { portable } from '../../compression/decompress.js'
import type { Header } from '../../format/header.js'
import { sectorSize } from '../../format/limits.js'
import { setRefcount } from '../../format/refcount.js'
import type { CommandState } from '../engine/command-state.js'
import { carryOut, endRound } from '../engine/finish.js'
import { open } from '../engine/open.js'
import { grow } from '../resize/resize.js'
import { firstCluster } from './first-cluster.js'
import { complete, type CompleteOptions, type CreateOptions } from './options.js'
import { preallocateDisk } from './refcount-area.js'

/** An image of three clusters: header, refcount table, and the refcount block of these three. @see CR-06 and GEN-04 */
const emptyImage = (o: CompleteOptions, first: Uint8Array): Uint8Array => {
  const size = 2 ** o.clusterBits
  const image = new Uint8Array(3 * size)
  image.set(first)
  viewOf(image).setBigUint64(size, BigInt(2 * size))
  const block = viewOf(image.subarray(2 * size))
  for (let i = 0; i < 3; i++) setRefcount(block, o.refcountOrder, i, 1n)
  return image
}

/** The byte after the last one that is written to the image file. */
const endOf = (writes: readonly HostWrite[]): number =>
  Math.max(...writes.map((w) => (w._tag === 'Write' && w.file.part === 'image' ? w.at + w.bytes.length : 0)))

/** The writes without zeros in the last sector after an L1 table that is the last structure: the file ends with it. @see GEN-03 */
const endingIn = (writes: readonly HostWrite[], { l1TableOffset, l1Size }: Header): readonly HostWrite[] => {
  const end = Number(l1TableOffset) + 8 * l1Size
  if (endOf(writes) - end >= sectorSize) return writes
  return writes.map((w) =>
    w._tag === 'Write' && w.file.part === 'image' && w.at < end ? { ...w, bytes: w.bytes.subarray(0, end - w.at) } : w
  )
}

/** The writes of an empty image, then those that give it its size, and those that allocate its disk. */
function* sized(image: Uint8Array, o: CompleteOptions): Plan<readonly HostWrite[]> {
  const isInArea = o.dataFile === undefined && (o.preallocation === 'falloc' || o.preallocation === 'full')
  const opened = yield* open({ backing: [], decompressor: portable })
  const empty: HostWrite = { _tag: 'Write', file: imageFile, at: 0, bytes: image }
  function* change(w: CommandState): Plan<void> {
    yield* grow(w, o.size, isInArea ? 'off' : o.preallocation)
    if (!isInArea) return
    yield* endRound(w)
    yield* preallocateDisk(w, Math.ceil(Math.max(image.length, w.tx.end) / 2 ** o.clusterBits), o.preallocation)
  }
  const { writes, next } = yield* carryOut(opened.next, change)
  return endingIn([empty, ...writes], next.metadata.header)
}

/**
 * The writes that make a new image of an empty file. It has the bytes of the image that qemu-img creates, unless
 * preallocation of metadata needs more than one refcount block: then those are in another order. An external data file
 * gets the size of the disk.
 *
 * @see CR-06, GEN-04, DATA-06 and DATA-08
 * @example
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 2 ** 30, backing: { name: 'base.qcow2', format: 'qcow2' } })
 * assert.equal(created._tag === 'Right' && created.right[0]?._tag, 'Write')
 * const refused = create({ size: 2 ** 30, clusterBits: 22 })
 * assert.equal(refused._tag === 'Left' && refused.left[0]?.clause, 'OPEN-03')
 */
export const create = (options: CreateOptions): E.Either<readonly Issue[], readonly HostWrite[]> =>
  E.chain((o: CompleteOptions) => {
    const refcountTableOffset = 2n ** BigInt(o.clusterBits)
    const tables = { size: 0n, l1Size: 0, l1TableOffset: 0n, refcountTableOffset, refcountTableClusters: 1 }
    return E.chain((first: Uint8Array) => {
      const image = emptyImage(o, first)
      return runSync(sized(image, o), { read: fromMemory(image), emit: () => undefined })
    })(firstCluster(o, tables))
  })(complete(options))
