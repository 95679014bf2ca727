/** The options of `npm run fuzz`. */
import { parseArgs } from 'node:util'
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

const whole = (name: string, text: string, least: number): number => {
  const n = Number(text)
  if (!/^\d+$/.test(text) || n < least || n >= 2 ** 32)
    throw new Error(`--${name} ${text}: a whole number from ${least} on`)
  return n
}

/** Of `k/n` the number of the shard, and its share of the executions. */
const shardOf = (text: string, executions: number): { readonly shard: number; readonly executions: number } => {
  const [, k = '', n = ''] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const [shard, shards] = [Number(k), Number(n)]
  if (k === '' || shard < 1 || shard > shards) throw new Error(`--shard ${text}: k/n with k from 1 to n`)
  return { shard, executions: Math.ceil(executions / shards) }
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
    ...shardOf(values.shard, whole('executions', values.executions, 1)),
    seed: whole('seed', seed, 0),
    draw: whole('draw', draw, 0),
    ...targetOf(target),
    ...(corpus === undefined ? {} : { corpus }),
    ...(mutant === undefined ? {} : { mutant }),
    ...(replay === undefined ? {} : { replay }),
    ...(merge ? { merge: positionals } : {})
  }
}
