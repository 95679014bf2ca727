/** Work that threads share: numbered shares, each of which one thread claims. */

/** The queue of one thread. Threads with the same memory share the work. */
export class WorkQueue {
  /** The share that was asked for last, and whether this thread has claimed it. */
  at = -1
  own = false
  private claimed = -1
  private readonly next: Int32Array

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.next = new Int32Array(memory)
  }

  /**
   * Whether this thread has share `n`, which never goes down: it claims the next free one where the last is before `n`.
   *
   * Law: of all threads that ask for every share in order, exactly one gets each.
   */
  claim(n: number): boolean {
    while (this.claimed < n) this.claimed = Atomics.add(this.next, 0, 1)
    this.at = n
    this.own = this.claimed === n
    return this.own
  }

  /** Lets no thread claim another share. Those claimed are still done, so that the first failure of all is found. */
  stop(): void {
    Atomics.store(this.next, 0, 2 ** 30)
  }
}
