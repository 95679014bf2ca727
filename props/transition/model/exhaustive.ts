/** Every sequence of commands up to a length, over a small alphabet, on the smallest geometries. */
import type { Command } from '../../../src/transition/command.js'
import { stamped } from '../../arbitrary/script.js'
import { minimalShapes, type Shape } from '../../arbitrary/shape.js'
import { wholeRun } from '../../../src/node/fuzz/shard.js'
import { begin } from './recording.js'
import { follow, mustBe, type Pair } from './square.js'

/** A command that fits the disk it meets; `mark` is what its bytes are to say. */
type Fitting = (pair: Pair, mark: number) => Command

/** Commands that meet every edge of a small disk: within a cluster, over its limits, a whole one, the last one. */
const alphabetOf = ({ options }: Shape): readonly Fitting[] => {
  const cluster = 2 ** (options.clusterBits ?? 16)
  const end = ({ disk }: Pair): number => disk.content.length
  const range = (pair: Pair, at: number, length: number) => {
    const from = Math.min(at, end(pair))
    return { at: from, length: Math.min(length, end(pair) - from) }
  }
  const bytes = (pair: Pair, mark: number, at: number, length: number) => {
    const named = range(pair, at, length)
    return { at: named.at, bytes: stamped(mark, named.at, named.length) }
  }
  return [
    (pair, mark) => ({ _tag: 'Write', ...bytes(pair, mark, 100, 50) }),
    (pair, mark) => ({ _tag: 'Write', ...bytes(pair, mark, cluster + 256, cluster) }),
    (pair, mark) => ({ _tag: 'WriteCompressed', ...bytes(pair, mark, 0, cluster) }),
    (pair) => ({ _tag: 'WriteZeroes', ...range(pair, 0, cluster + 512), unmap: false }),
    (pair) => ({ _tag: 'WriteZeroes', ...range(pair, cluster, cluster), unmap: true }),
    (pair) => ({ _tag: 'Discard', ...range(pair, 0, 2 * cluster) }),
    () => ({ _tag: 'SnapshotCreate', name: 's' }),
    () => ({ _tag: 'SnapshotApply', name: 's' }),
    () => ({ _tag: 'SnapshotDelete', name: 's' }),
    (pair) => ({ _tag: 'Resize', size: end(pair) + 2 * cluster }),
    () => ({ _tag: 'Resize', size: 512 }),
    () => ({ _tag: 'BitmapAdd', name: 'b', granularity: 512, enabled: true }),
    () => ({ _tag: 'BitmapRemove', name: 'b' })
  ]
}

/** How many sequences there were, and how often a command was refused. */
interface Visited {
  readonly sequences: number
  readonly refused: number
}

/**
 * Visits every sequence of at most `length` commands on a new image that begins with one of the commands that are `asked`. Fails,
 * with the sequence, where a square does not close.
 */
const everySequence = (shape: Shape, length: number, asked: (first: number) => boolean): Visited => {
  const alphabet = alphabetOf(shape)
  const counted = { sequences: 0, refused: 0 }
  const visit = (pair: Pair, so: readonly Command[]): void => {
    if (so.length === length) return
    for (const [i, make] of alphabet.entries()) {
      if (so.length === 0 && !asked(i)) continue
      const command = make(pair, so.length + 1)
      const sequence = [...so, command]
      try {
        const next = follow(pair, command)
        if (next.machine !== pair.machine) mustBe(next)
        counted.sequences++
        if (next.refused !== undefined) counted.refused++
        visit(next, sequence)
      } catch (error) {
        if (error instanceof Error && error.cause === undefined)
          throw new Error(`${JSON.stringify(shape)}\n${sequence.map(inWords).join('\n')}\n${error.message}`, {
            cause: error
          })
        throw error
      }
    }
  }
  visit(begin(shape), [])
  return counted
}

/** A command on one line. */
const inWords = (command: Command): string =>
  Object.entries(command)
    .map(([key, value]) =>
      value instanceof Uint8Array ? `${value.length} bytes` : key === '_tag' ? String(value) : `${key} ${String(value)}`
    )
    .join(' ')

/** Every sequence on every minimal geometry; of a shard those whose geometry and first command are its own. */
export const everywhere = (length: number, { shard, shards } = wholeRun): Visited & { readonly shapes: number } => {
  const visited = minimalShapes.map((shape, s) =>
    everySequence(shape, length, (first) => (s + first) % shards === shard - 1)
  )
  return {
    shapes: visited.length,
    sequences: visited.reduce((sum, one) => sum + one.sequences, 0),
    refused: visited.reduce((sum, one) => sum + one.refused, 0)
  }
}
