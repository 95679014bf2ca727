/** Allocated ranges: where a guest disk has bytes that may not be zeros. Nothing else of it need be read. */
import { isZeroExtent, locations } from '../../image/guest/chain.js'
import { task, wait } from '../command-error.js'
import { run } from '../files/source.js'
import { guestSize } from './guest.js'
import type { OpenChain } from './open.js'

/** Guest bytes `[from, to)`. */
export type GuestRange = readonly [from: number, to: number]

/** Ranges in order, which do not touch. */
export class AllocatedRanges {
  /** Where each of them begins and ends. */
  private readonly bounds: number[] = []
  private next = 0

  /** Adds a range after, or next to, the last one. */
  add(from: number, to: number): void {
    if (this.bounds.at(-1) === from) this.bounds.pop()
    else this.bounds.push(from)
    this.bounds.push(to)
  }

  /** The first part of `[from, to)` that lies in a range, if any does; `from` never goes down from one call to the next. */
  first(from: number, to: number): GuestRange | undefined {
    while ((this.bounds[this.next + 1] ?? Infinity) <= from) this.next += 2
    const [start = Infinity, end = Infinity] = this.bounds.slice(this.next, this.next + 2)
    return start < to && from < to ? [Math.max(from, start), Math.min(to, end)] : undefined
  }
}

/** The allocated ranges of an open chain. */
export const allocatedRanges = task(async function* (open: OpenChain) {
  const ranges = new AllocatedRanges()
  const size = guestSize(open)
  const add = run(
    open,
    () => locations(open.chain, 0, size),
    (e) => {
      if (!isZeroExtent(e)) ranges.add(e.start, Math.min(size, e.start + e.length))
    }
  )
  yield* wait(add)
  return ranges
})

/** The parts of `[from, to)` that lie in a range of any of them, in order. */
export function* allocatedIn(all: readonly AllocatedRanges[], from: number, to: number): Generator<GuestRange> {
  for (let at = from; ;) {
    const found = all.flatMap((ranges) => {
      const range = ranges.first(at, to)
      return range === undefined ? [] : [range]
    })
    const next = found.reduce<GuestRange | undefined>((a, b) => (a === undefined || b[0] < a[0] ? b : a), undefined)
    if (next === undefined) return
    yield next
    at = next[1]
  }
}
