/** Every sequence of commands up to a length, over a small alphabet, on the smallest geometries. */
import type { Command } from '../../src/transition/command.js'
import { stamped } from '../arbitrary/script.js'
import { minimalShapes, type Shape } from '../arbitrary/shape.js'
import { begin } from './recording.js'
import { follow, mustBe, type Pair } from './square.js'

/** Commands that meet every edge of a small disk: within a cluster, over its limits, a whole one, the last one. */
export const alphabetOf = ({ options }: Shape): readonly ((pair: Pair, mark: number) => Command)[] => {
  const cluster = 2 ** (options.clusterBits ?? 16)
  const end = (pair: Pair): number => pair.disk.content.length
  const write =
    (at: number, length: number) =>
    (pair: Pair, mark: number): Command => {
      const from = Math.min(at, end(pair))
      return { _tag: 'Write', at: from, bytes: stamped(mark, from, Math.min(length, end(pair) - from)) }
    }
  return [
    write(100, 50),
    write(0, cluster),
    write(cluster + 256, cluster),
    (pair, mark) => write(Math.max(0, end(pair) - 512), 512)(pair, mark)
  ]
}

/** How many sequences there were, and how often a command was refused. */
export interface Visited {
  readonly sequences: number
  readonly refused: number
}

/** Visits every sequence of at most `length` commands on a new image. Fails, with the sequence, where a square does not close. */
export const everySequence = (shape: Shape, length: number): Visited => {
  const alphabet = alphabetOf(shape)
  const counted = { sequences: 0, refused: 0 }
  const visit = (pair: Pair, so: readonly Command[]): void => {
    if (so.length === length) return
    for (const make of alphabet) {
      const command = make(pair, so.length + 1)
      const sequence = [...so, command]
      try {
        const next = follow(pair, command)
        mustBe(next)
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
export const inWords = (command: Command): string =>
  Object.entries(command)
    .map(([key, value]) =>
      value instanceof Uint8Array ? `${value.length} bytes` : key === '_tag' ? String(value) : `${key} ${String(value)}`
    )
    .join(' ')

/** Every sequence on every minimal geometry. */
export const everywhere = (length: number): Visited & { readonly shapes: number } =>
  minimalShapes
    .map((shape) => everySequence(shape, length))
    .reduce<Visited & { readonly shapes: number }>(
      (sum, one) => ({
        shapes: sum.shapes + 1,
        sequences: sum.sequences + one.sequences,
        refused: sum.refused + one.refused
      }),
      { shapes: 0, sequences: 0, refused: 0 }
    )
