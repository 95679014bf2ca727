/** Where a guest disk has bytes that may be something else than zeros: nothing else of it need be read. */
import * as E from 'fp-ts/lib/Either.js'
import { locations } from '../../image/guest/chain.js'
import { run } from '../files/world.js'
import { guestSize } from './guest.js'
import type { OpenChain } from './open.js'
import { refusalLine } from './usable.js'

/** Guest bytes `[from, to)`. */
export type Range = readonly [from: number, to: number]

/** Ranges in order, which do not touch. */
export class Used {
  /** Where each of them begins and ends. */
  private readonly bounds: number[] = []
  private next = 0

  /** Adds a range behind, or next to, the last one. */
  add(from: number, to: number): void {
    if (this.bounds.at(-1) === from) this.bounds.pop()
    else this.bounds.push(from)
    this.bounds.push(to)
  }

  /** The first part of `[from, to)` that lies in a range, if any does; `from` never goes down from one call to the next. */
  first(from: number, to: number): Range | undefined {
    while ((this.bounds[this.next + 1] ?? Infinity) <= from) this.next += 2
    const [start = Infinity, end = Infinity] = this.bounds.slice(this.next, this.next + 2)
    return start < to && from < to ? [Math.max(from, start), Math.min(to, end)] : undefined
  }
}

/** Finds them in an open chain; the reason when it cannot be read. */
export const usedOf = async (open: OpenChain): Promise<E.Either<string, Used>> => {
  const used = new Used()
  const size = guestSize(open)
  const done = await run(
    open.world,
    () => locations(open.chain, 0, size),
    (e) => {
      if (e.kind !== 'zero' && e.kind !== 'absent') used.add(e.start, Math.min(size, e.start + e.length))
    }
  )
  return E.isLeft(done) ? E.left(refusalLine(open.names[0] ?? '', done.left)) : E.right(used)
}

/** The parts of `[from, to)` that lie in a range of any of them, in order. */
export function* usedIn(all: readonly Used[], from: number, to: number): Generator<Range> {
  for (let at = from; ;) {
    const found = all.flatMap((used) => {
      const range = used.first(at, to)
      return range === undefined ? [] : [range]
    })
    const next = found.reduce<Range | undefined>((a, b) => (a === undefined || b[0] < a[0] ? b : a), undefined)
    if (next === undefined) return
    yield next
    at = next[1]
  }
}
