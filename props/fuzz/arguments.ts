/** The options of `npm run fuzz`. */
import { parseArgs } from 'node:util'
import { shardOf, wholeNumber } from '../run/campaign.js'
import { isTarget, type Target, targetNames } from './execution.js'

export interface Arguments {
  readonly executions: number
  readonly seed: number
  readonly shard: number
  readonly target?: Target
  readonly corpus?: string
  readonly mutant?: string
  /** An image to replay, and the draw that goes with it. */
  readonly replay?: string
  readonly draw: number
  /** Files that end with summaries. */
  readonly merge?: readonly string[]
}

/** Of `k/n` the number of the shard, and its share of the executions: those of all shards are the sum. */
const shareOf = (text: string, executions: number): { readonly shard: number; readonly executions: number } => {
  const { shard, shards } = shardOf(text)
  return { shard, executions: Math.max(0, Math.ceil((executions - shard + 1) / shards)) }
}

const targetOf = (name: string | undefined): { readonly target?: Target } => {
  if (name === undefined) return {}
  if (!isTarget(name)) throw new Error(`--target ${name}: one of ${targetNames.join(', ')}`)
  return { target: name }
}

const options = {
  executions: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  shard: { type: 'string', default: '1/1' },
  target: { type: 'string' },
  corpus: { type: 'string' },
  mutant: { type: 'string' },
  replay: { type: 'string' },
  draw: { type: 'string', default: '0' },
  merge: { type: 'boolean', default: false }
} as const

/** The options; throws what is wrong with them. */
export const argumentsOf = (args: readonly string[]): Arguments => {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const { seed, draw, target, corpus, mutant, replay, merge } = values
  if (merge !== positionals.length > 0) throw new Error('--merge takes the files that summaries were written to')
  if (replay !== undefined && target === undefined) throw new Error('--replay takes a --target')
  return {
    ...shareOf(values.shard, wholeNumber('executions', values.executions, 1)),
    seed: wholeNumber('seed', seed, 0),
    draw: wholeNumber('draw', draw, 0),
    ...targetOf(target),
    ...(corpus === undefined ? {} : { corpus }),
    ...(mutant === undefined ? {} : { mutant }),
    ...(replay === undefined ? {} : { replay }),
    ...(merge ? { merge: positionals } : {})
  }
}
