/** XXH64 with seed 0: its low half is the checksum of a zstd frame. */
import { viewOf } from '../bytes/octets.js'

const prime1 = 0x9e3779b185ebca87n
const prime2 = 0xc2b2ae3d27d4eb4fn
const prime3 = 0x165667b19e3779f9n
const prime4 = 0x85ebca77c2b2ae63n
const prime5 = 0x27d4eb2f165667c5n

const low = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotate = (value: bigint, by: bigint): bigint => low(value << by) | (value >> (64n - by))
const round = (lane: bigint, input: bigint): bigint => low(rotate(low(lane + input * prime2), 31n) * prime1)

/** The 64 bits of the hash. */
export const xxh64 = (bytes: Uint8Array): bigint => {
  const view = viewOf(bytes)
  let at = 0
  let hash = prime5
  if (bytes.length >= 32) {
    let lanes: readonly [bigint, bigint, bigint, bigint] = [low(prime1 + prime2), prime2, 0n, low(-prime1)]
    for (; at + 32 <= bytes.length; at += 32) {
      const input = (lane: number): bigint => view.getBigUint64(at + 8 * lane, true)
      const [a, b, c, d] = lanes
      lanes = [round(a, input(0)), round(b, input(1)), round(c, input(2)), round(d, input(3))]
    }
    const [a, b, c, d] = lanes
    hash = rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)
    for (const lane of lanes) hash = low((hash ^ round(0n, lane)) * prime1 + prime4)
  }
  hash = low(hash + BigInt(bytes.length))
  for (; at + 8 <= bytes.length; at += 8)
    hash = low(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * prime1 + prime4)
  if (at + 4 <= bytes.length) {
    hash = low(rotate(hash ^ low(BigInt(view.getUint32(at, true)) * prime1), 23n) * prime2 + prime3)
    at += 4
  }
  for (; at < bytes.length; at++) hash = low(rotate(hash ^ low(BigInt(view.getUint8(at)) * prime5), 11n) * prime1)
  hash = low((hash ^ (hash >> 33n)) * prime2)
  hash = low((hash ^ (hash >> 29n)) * prime3)
  return hash ^ (hash >> 32n)
}
