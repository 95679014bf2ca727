/** Compressing what goes into a new image: clusters are packed while others are read, and put in their turn. */
import type { HostWrite } from '../../bytes/host-write.js'
import type { SequentialImageWriter } from '../../transition/create/image-writer.js'
import type { CompressionType, Packed } from '../compression/compress.js'
import { openPackers } from '../compression/packers.js'
import { drain, type Sink } from './sink.js'

/** Bytes of clusters that are compressed together. */
const batchSize = 2 ** 20

/** What waits for its turn: zeros, or clusters that are being compressed, and how many of their bytes are of the disk. */
type Turn =
  | { readonly _tag: 'Zeros'; readonly at: number; readonly length: number }
  | { readonly _tag: 'Packed'; readonly at: number; readonly length: number; readonly packed: Promise<Packed> }

/** A sink that compresses; clusters that do not get smaller are put as they are. */
export const openPacking = async (
  fill: SequentialImageWriter,
  type: CompressionType,
  perform: (write: HostWrite) => void
): Promise<Sink> => {
  const packers = await openPackers(type)
  const size = fill.clusterSize
  const turns: Turn[] = []
  const next = async (): Promise<void> => {
    const turn = turns.shift()
    if (turn === undefined) return
    const { at, length } = turn
    if (turn._tag === 'Zeros') {
      drain(fill.zeros(at, length), perform)
      return
    }
    const { bytes, payloads, lengths } = await turn.packed
    let from = 0
    for (const [i, n] of lengths.entries()) {
      const whole = bytes.subarray(i * size, Math.min(length, (i + 1) * size))
      drain(
        n === 0 ? fill.data(at + i * size, whole) : fill.payload(at + i * size, payloads.subarray(from, from + n)),
        perform
      )
      from += n
    }
  }
  const push = async (turn: Turn): Promise<void> => {
    if (turn._tag === 'Packed') turn.packed.catch(() => undefined)
    turns.push(turn)
    while (turns.length > packers.most) await next()
  }
  return {
    put: async ({ at, length, bytes }) => {
      if (bytes === undefined) return push({ _tag: 'Zeros', at, length })
      const step = Math.max(size, batchSize)
      for (let done = 0; done < length; done += step) {
        const part = bytes.subarray(done, done + step)
        const own = new Uint8Array(Math.ceil(part.length / size) * size)
        own.set(part)
        await push({ _tag: 'Packed', at: at + done, length: part.length, packed: packers.pack({ bytes: own, size }) })
      }
    },
    end: async () => {
      while (turns.length > 0) await next()
    },
    close: () => packers.close()
  }
}
