/** Shards: parts of a run, which together do what the whole run does. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

/** Shard `shard` of `shards`, from 1 on. */
export interface Shard {
  readonly shard: number
  readonly shards: number
}

export const wholeRun: Shard = { shard: 1, shards: 1 }

const isShard = (u: unknown): u is Shard =>
  t.type({ shard: t.number, shards: t.number }).is(u) && u.shard >= 1 && u.shard <= u.shards

/** `k/n`, with k from 1 to n. */
export const shardOption: t.Type<Shard, string> = new t.Type(
  'Shard',
  isShard,
  (u, context) => {
    const [, shard, shards] = /^(\d{1,6})\/(\d{1,6})$/.exec(String(u)) ?? []
    const parsed = { shard: Number(shard), shards: Number(shards) }
    return isShard(parsed)
      ? E.right(parsed)
      : t.failure(u, context, `option '--shard': '${String(u)}' is not k/n with k from 1 to n`)
  },
  ({ shard, shards }) => `${shard}/${shards}`
)

/** The numbers below `count`, or all numbers, that are a shard's: every n-th. */
export function* numbersOf({ shard, shards }: Shard, count = Infinity): Generator<number> {
  for (let i = shard - 1; i < count; i += shards) yield i
}
