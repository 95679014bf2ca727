/**
 * Digests: a number of 53 bits for the content of files, or for the difference to other files.
 *
 * A digest is the exclusive or of a number for each sector and one for each length, so that a change of one sector costs one
 * hash. It is no cryptographic hash: two contents have the same digest by chance with a probability of 1e-9 among the
 * thousands of states of an epoch, and of 6e-5 among a million.
 */
import type { FileRef } from '../bytes/plan.js'
import { viewOf } from '../bytes/octets.js'
import type { Files } from './files.js'
import { differing, emptyStore, sector } from './store.js'
import { type Sector, sectorSize } from './sector.js'

/** A whole number from 0 to 2^53 - 1. */
export type Digest = number

const half = 0x1_0000_0000

/** The exclusive or of two digests. */
export const mixed = (a: Digest, b: Digest): Digest =>
  ((Math.floor(a / half) ^ Math.floor(b / half)) >>> 0) * half + (((a >>> 0) ^ (b >>> 0)) >>> 0)

/** A digest of two hashes of 32 bits, mixed so that each bit depends on all. */
const digestOfTwo = (a: number, b: number): Digest => {
  const c = Math.imul(a ^ (b >>> 15), 0x2c1b_3c6d)
  const d = Math.imul(b ^ (c >>> 12), 0x297a_2d39)
  const e = c ^ (d >>> 15)
  return (e >>> 11) * half + (d >>> 0)
}

const seedOf = ({ part, depth }: FileRef): number => Math.imul(2 * depth + (part === 'data' ? 1 : 0) + 1, 0x9e37_79b1)

/** The share of sector `index` of a file in the digest; 0 if it is zeros. */
export const sectorDigest = (file: FileRef, index: number, bytes: Sector): Digest => {
  if (bytes === undefined) return 0
  const view = viewOf(bytes)
  let a = seedOf(file) ^ Math.imul(index | 0, 0x85eb_ca6b)
  let b = ~a ^ Math.floor(index / half)
  for (let at = 0; at < sectorSize; at += 4) {
    const word = view.getUint32(at)
    a = Math.imul(a ^ word, 0xcc9e_2d51)
    a ^= a >>> 15
    b = Math.imul(b + word, 0x1b87_3593)
    b ^= b >>> 13
  }
  return digestOfTwo(a, b)
}

/** The share of the length of a file in the digest; 0 if it is empty. */
export const lengthDigest = (file: FileRef, length: number): Digest =>
  length === 0
    ? 0
    : digestOfTwo(Math.imul(seedOf(file) ^ (length >>> 0), 0x7feb_352d), ~seedOf(file) ^ Math.floor(length / half))

/** The difference of the digests of two lists of the same files, without their lengths. */
export const sectorsDigest = (before: Files, after: Files): Digest =>
  after.reduce((digest, { file, store }, place) => {
    const old = before[place]?.store ?? emptyStore
    return differing(old, store).reduce(
      (sum, i) => mixed(sum, mixed(sectorDigest(file, i, sector(old, i)), sectorDigest(file, i, sector(store, i)))),
      digest
    )
  }, 0)
