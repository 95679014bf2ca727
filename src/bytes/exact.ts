/** Byte offsets and lengths past 2^53, where a number holds only some of the integers. */

/** Bytes of the largest disk that an L1 table of 32 MiB covers. What reaches past them is past the end of every disk. */
const mostOfDisk = 2n ** 61n

/** What offsets and lengths are multiples of there. Up to 2^61 bytes, which is more than any disk has, numbers hold all of these. */
const sector = 512n

const safe = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * Whether bytes `[at, at + length)` have exact numbers, if a disk reaches so far: below 2^53 all have, from there on whole
 * sectors.
 */
export const isExactRange = (at: number | bigint, length: number | bigint): boolean => {
  const end = BigInt(at) + BigInt(length)
  return end <= safe || end > mostOfDisk || (BigInt(at) | BigInt(length)) % sector === 0n
}

/** The message for what no number holds exactly. */
export const inexact = (what: string): string => `${what}: past ${safe} bytes only multiples of ${sector} are supported`

/** A whole number with all of its digits: `1152921504606846464`, and not `1152921504606846500`, which is as near to others. */
export const digits = (n: number): string => (Number.isSafeInteger(n) ? `${n}` : BigInt(n).toString())
