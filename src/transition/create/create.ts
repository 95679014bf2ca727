/** Creating an image: three clusters that describe an empty disk, which then gets its size. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { fromMemory, type Plan, runSync } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { portable } from '../../compression/decompress.js'
import { setRefcount } from '../../format/refcount.js'
import { type CreateOptions, firstClusterOf, settled, type Settled } from './options.js'
import { finish, type Step } from '../engine/finish.js'
import { open } from '../engine/open.js'
import { type Opened, Work } from '../engine/work.js'
import { grow } from '../resize/resize.js'
import { readThrough } from '../engine/transaction.js'

/** Header, refcount table and the first refcount block, which counts these three clusters. @see CR-06 and GEN-04 */
const emptyImage = (o: Settled, first: Uint8Array): Uint8Array => {
  const size = 2 ** o.clusterBits
  const image = new Uint8Array(3 * size)
  image.set(first)
  viewOf(image).setBigUint64(size, BigInt(2 * size))
  const block = viewOf(image.subarray(2 * size))
  for (let i = 0; i < 3; i++) setRefcount(block, o.refcountOrder, i, 1n)
  return image
}

function* sized(opened: Opened, { size, preallocation }: Settled): Plan<Step> {
  const w = new Work(opened)
  return yield* readThrough(
    w.tx,
    (function* (): Plan<Step> {
      yield* grow(w, size, preallocation)
      return yield* finish(w)
    })()
  )
}

function* settle(image: Uint8Array, o: Settled): Plan<readonly HostWrite[]> {
  const { next } = yield* open({ backing: [], decompressor: portable })
  const { writes } = yield* sized(next, o)
  return [{ _tag: 'Write', file: { part: 'image', depth: 0 }, at: 0, bytes: image }, ...writes]
}

/**
 * The writes that make a new image out of an empty file: the same image that qemu-img creates, or with preallocation the
 * same tables in another layout. An external data file gets the size of the disk.
 *
 * @see CR-06, GEN-04, DATA-06 and DATA-08
 */
export const create = (options: CreateOptions): E.Either<readonly Issue[], readonly HostWrite[]> =>
  E.chain((o: Settled) => {
    const refcountTableOffset = 2n ** BigInt(o.clusterBits)
    const tables = { size: 0n, l1Size: 0, l1TableOffset: 0n, refcountTableOffset, refcountTableClusters: 1 }
    return E.chain((first: Uint8Array) => {
      const image = emptyImage(o, first)
      return runSync(settle(image, o), { read: fromMemory(image), emit: () => undefined })
    })(firstClusterOf(o, tables))
  })(settled(options))
