/**
 * A zstd frame of raw and RLE blocks: valid for every decoder, and shorter than the cluster where bytes repeat.
 *
 * @see CMP-10
 */
import { concat, viewOf } from '../bytes/octets.js'

const magic = 0xfd2f_b528
/** Most bytes of content of a block. */
const maxBlock = 131_072
/** A shorter run saves less than a block of its own costs. */
const shortest = 16

const raw = 0
const runLength = 1

/** A block: a header of three bytes, least significant first, with last-block flag, type and size; then its content. */
const block = (type: number, length: number, content: Uint8Array, last: boolean): Uint8Array => {
  const head = Number(last) + 2 * type + 8 * length
  return concat([Uint8Array.of(head & 0xff, (head >> 8) & 0xff, head >> 16), content])
}

/** The end of the run of equal bytes that begins at `from`. */
const runEnd = (bytes: Uint8Array, from: number): number => {
  let to = from + 1
  while (to < bytes.length && bytes[to] === bytes[from]) to++
  return to
}

/** The blocks of bytes `[from, to)`, as one repeated byte or raw. */
const blocks = (bytes: Uint8Array, from: number, to: number, type: number): readonly Uint8Array[] => {
  const out: Uint8Array[] = []
  for (let at = from, end = at; at < to; at = end) {
    end = Math.min(to, at + maxBlock)
    out.push(block(type, end - at, bytes.subarray(at, type === raw ? end : at + 1), end === bytes.length))
  }
  return out
}

/** Compresses a cluster to one frame, whose content size is its window. */
export const zstdRuns = (cluster: Uint8Array): Uint8Array => {
  const head = new Uint8Array(9)
  viewOf(head).setUint32(0, magic, true)
  head[4] = 0xa0
  viewOf(head).setUint32(5, cluster.length, true)
  const out: Uint8Array[] = [head]
  let plain = 0
  for (let at = 0, end = 0; at < cluster.length; at = end) {
    end = runEnd(cluster, at)
    if (end - at < shortest && end < cluster.length) continue
    const from = end - at < shortest ? end : at
    out.push(...blocks(cluster, plain, from, raw), ...blocks(cluster, from, end, runLength))
    plain = end
  }
  return concat(out)
}
