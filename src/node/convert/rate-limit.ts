/** A limit on the bytes that a command writes each second, as qemu-img's `-r` sets it. */
import { setTimeout } from 'node:timers/promises'

/** Seconds of bytes that are written without a wait. */
const burst = 0.1

/** Longest wait that a timer takes, in seconds. */
const longestWait = 2 ** 20

/**
 * A leaky bucket: bytes run out of it at the rate. A write waits until what is left of those before it is at most the bytes of
 * a tenth of a second, as in QEMU's throttle groups.
 */
export class RateLimit {
  /** Seconds that the bytes in the bucket take. */
  private level = 0
  private last = performance.now()

  /** @param rate bytes a second; 0: no limit */
  constructor(private readonly rate: number) {}

  /** Waits until so many bytes may be written, and counts them. */
  async admit(bytes: number): Promise<void> {
    if (this.rate === 0 || bytes === 0) return
    await this.drain(burst)
    this.level += bytes / this.rate
  }

  /** Waits until the bytes that are counted have taken their time. */
  settle(): Promise<void> {
    return this.drain(0)
  }

  private async drain(seconds: number): Promise<void> {
    for (;;) {
      const now = performance.now()
      this.level = Math.max(0, this.level - (now - this.last) / 1000)
      this.last = now
      if (this.level <= seconds) return
      await setTimeout(1000 * Math.min(longestWait, this.level - seconds))
    }
  }
}
