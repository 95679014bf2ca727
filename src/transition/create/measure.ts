/** Measuring: how large the file of a new image may get, before it is made. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { bitmapBits } from '../../format/bitmap.js'
import { type BitmapEntry, bitmapEntry } from '../../format/bitmap-directory.js'
import { clusterSize, l2EntrySize, neededL1Entries } from '../../format/geometry.js'
import { firstCluster } from './first-cluster.js'
import { complete, type CompleteOptions, type CreateOptions } from './options.js'
import { refcountClusters } from './refcount-area.js'

/** Sizes of an image file, in bytes. @see CR-06 */
export interface Measured {
  /** Enough for the data that are to be stored, with the metadata of the whole disk. */
  readonly required: number
  /** The same once the guest has written every byte. */
  readonly fullyAllocated: number
}

const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit

const sizesOf = (o: CompleteOptions, stored: number): Measured => {
  const unit = clusterSize(o)
  const disk = roundUp(o.size, unit)
  const tables = Math.ceil(((disk / unit) * l2EntrySize(o)) / unit)
  const clusters = disk / unit + 1 + tables + Math.ceil((tables * 8) / unit)
  const refcounts = refcountClusters(o, clusters)
  const fullyAllocated = (clusters + refcounts.table + refcounts.blocks) * unit
  const isAllocated = o.preallocation === 'full' || o.preallocation === 'falloc'
  return { required: fullyAllocated - disk + (isAllocated ? disk : stored), fullyAllocated }
}

/**
 * The sizes that a new image file may get, as qemu-img measures them. Names of a backing file and of an external data file take
 * no space; neither do bitmaps.
 *
 * @param stored bytes of the guest clusters that are to be stored: whole clusters, each that holds any data
 * @see CR-06
 * @example
 * import { measure } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const measured = measure({ size: 2 ** 20 }, 65536)
 * assert.deepEqual(measured._tag === 'Right' && measured.right, { required: 393216, fullyAllocated: 1376256 })
 */
export const measure = (
  { backing: _backing, dataFile: _dataFile, ...options }: CreateOptions,
  stored = 0
): E.Either<readonly Issue[], Measured> =>
  E.chain((o: CompleteOptions) => {
    const unit = BigInt(clusterSize(o))
    const tables = {
      size: BigInt(o.size),
      l1Size: Number(neededL1Entries(o, BigInt(o.size))),
      l1TableOffset: 3n * unit,
      refcountTableOffset: unit,
      refcountTableClusters: 1
    }
    return E.map(() => sizesOf(o, stored))(firstCluster(o, tables))
  })(complete(options))

/**
 * Bytes that dirty bitmaps of a disk take in an image with clusters of `unit` bytes: every bit, their tables, and the directory.
 *
 * @param disk bytes of the guest disk
 */
export const measureBitmaps = (bitmaps: readonly BitmapEntry[], disk: bigint, unit: number): number => {
  const each = bitmaps.map((bitmap) => {
    const clusters = Math.ceil(Number(bitmapBits(disk, bitmap.granularityBits)) / 8 / unit)
    return clusters * unit + roundUp(clusters * 8, unit)
  })
  const directory = bitmaps.reduce((sum, bitmap) => sum + bitmapEntry.sizeOf(bitmap), 0)
  return each.reduce((sum, bytes) => sum + bytes, roundUp(directory, unit))
}
