/** Edges of control flow: how often each was passed. The instrumented program counts into this array. */

/** Most edges that a program may have. */
export const capacity = 2 ** 15

/** The number of passes of each edge since the last {@link Coverage.reached}. */
export const edges = new Uint32Array(capacity)

/** One bit for a number of passes: once, twice, three times, up to 7, 15, 31, 127, and more. */
const bucketOf = (passes: number): number => {
  if (passes <= 3) return passes === 3 ? 4 : passes
  if (passes < 32) return passes < 8 ? 8 : passes < 16 ? 16 : 32
  return passes < 128 ? 64 : 128
}

/** What executions have reached so far: of each edge, the numbers of passes that were seen. */
export class Coverage {
  private readonly seen = new Uint8Array(capacity)
  /** Edges that were passed at all. */
  passed = 0
  /** Passes of all edges since the call before the last one: what an execution cost, the same on every machine. */
  work = 0

  /** Clears the counts; whether they hold an edge, or a number of passes of one, that no execution had before. */
  reached(): boolean {
    let isNew = false
    let work = 0
    for (let i = 0; i < capacity; i++) {
      const passes = edges[i] ?? 0
      if (passes === 0) continue
      edges[i] = 0
      work += passes
      const before = this.seen[i] ?? 0
      const bucket = bucketOf(passes)
      if ((before & bucket) !== 0) continue
      if (before === 0) this.passed++
      this.seen[i] = before | bucket
      isNew = true
    }
    this.work = work
    return isNew
  }
}
