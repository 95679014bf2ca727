/** Shares: work that every thread goes through in the same order, and of which each share is done by one of them. */

/** The shares of one thread. Threads given the same memory take turns. */
export class WorkQueue {
  /** The share asked for last, and whether it is this thread's. */
  at = -1
  own = false
  private taken = -1
  private readonly next: Int32Array

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.next = new Int32Array(memory)
  }

  /**
   * Whether share `n` is this thread's: it takes the next one whenever the one it has lies behind. `n` never goes down.
   *
   * Law: of all threads that ask for every share in order, exactly one is told yes.
   */
  claim(n: number): boolean {
    while (this.taken < n) this.taken = Atomics.add(this.next, 0, 1)
    this.at = n
    this.own = this.taken === n
    return this.own
  }

  /** Lets nobody take another share. Those that are taken are still done, so that the first failure of all is found. */
  stop(): void {
    Atomics.store(this.next, 0, 2 ** 30)
  }
}
