/**
 * A zstd frame of raw and run-length blocks: legal for every reader, and shorter than the cluster where bytes repeat.
 *
 * @see CMP-10
 */
import { concat, viewOf } from '../bytes/octets.js'

const magic = 0xfd2f_b528
/** Most bytes that a block stands for. */
const maxBlock = 131_072
/** A shorter run costs more as a block of its own than it saves. */
const shortest = 16

const raw = 0
const runLength = 1

/** A header of three bytes, least significant first: whether it is the last block, its type, and the bytes it stands for. */
const block = (type: number, length: number, content: Uint8Array, last: boolean): Uint8Array => {
  const head = Number(last) + 2 * type + 8 * length
  return concat([Uint8Array.of(head & 0xff, (head >> 8) & 0xff, head >> 16), content])
}

/** Where the run of equal bytes ends that starts at `from`. */
const runEnd = (bytes: Uint8Array, from: number): number => {
  let to = from + 1
  while (to < bytes.length && bytes[to] === bytes[from]) to++
  return to
}

/** The blocks for bytes `[from, to)`, which repeat one byte or are taken as they are. */
const blocks = (bytes: Uint8Array, from: number, to: number, type: number): readonly Uint8Array[] => {
  const out: Uint8Array[] = []
  for (let at = from, end = at; at < to; at = end) {
    end = Math.min(to, at + maxBlock)
    out.push(block(type, end - at, bytes.subarray(at, type === raw ? end : at + 1), end === bytes.length))
  }
  return out
}

/** One frame that tells its content's size, which is also its window. */
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
