/** How much of the disks is copied, in percentages that overwrite each other, as qemu-img prints it. */
import { isatty } from 'node:tty'
import { isZeroExtent, locations } from '../../image/guest/chain.js'
import { task, wait } from '../command-error.js'
import { print } from '../files/output.js'
import { run } from '../files/source.js'
import { guestSize, type Piece } from '../images/guest.js'
import type { OpenChain } from '../images/open.js'
import { decimals } from '../text/numbers.js'

/** Whether bytes are part of the total, by how many layers down they are, and whether they are zeros without being read. */
export type IsCounted = (depth: number, zeros: boolean) => boolean

/** Bytes that qemu-img copies at once. */
const defaultStep = 2 ** 21

/** Percentages of the bytes to copy. One that differs by at most one from the last is not printed. */
class Progress {
  private done = 0
  private last = 0

  /** @param step most bytes between two percentages */
  constructor(
    private readonly total: number,
    private readonly step: number,
    private readonly isCounted: IsCounted,
    private readonly show: (text: string) => unknown
  ) {
    this.update(0)
  }

  /** Adds a piece that is copied. */
  copied({ length, depth, bytes }: Piece): void {
    if (!this.isCounted(depth, bytes === undefined)) return
    for (let left = length; left > 0; left -= this.step) {
      this.done += Math.min(left, this.step)
      this.update((100 * this.done) / this.total)
    }
  }

  /** Prints that everything is copied. */
  end(): void {
    this.update(100)
    this.show('\n')
  }

  private update(percent: number): void {
    if (percent !== 0 && percent !== 100 && Math.abs(percent - this.last) <= 1) return
    this.last = percent
    this.show(`    (${decimals(percent, 2)}/100%)\r`)
  }
}

/** Milliseconds after which a terminal shows progress that was not asked for. */
const patience = 1000

/** Shows text on a terminal once the work takes long; `undefined` where there is none. */
export const onTerminal = (): ((text: string) => void) | undefined => {
  if (!isatty(2)) return undefined
  const start = performance.now()
  return (text) => {
    if (performance.now() - start > patience) process.stderr.write(text)
  }
}

/** Whether progress is printed. */
export interface ProgressOptions {
  readonly progress?: boolean
  readonly quiet?: boolean
}

/** Adds up the bytes to copy, and begins to show their progress; `undefined` where nobody sees it. */
export const progressOf = task(async function* (
  inputs: readonly OpenChain[],
  { progress = false, quiet = false }: ProgressOptions,
  isCounted: IsCounted,
  step: number = defaultStep
) {
  const show = quiet ? undefined : progress ? print : onTerminal()
  if (show === undefined) return undefined
  let total = 0
  for (const input of inputs) {
    const end = guestSize(input)
    const count = run(
      input,
      () => locations(input.chain, 0, end),
      (e) => {
        if (isCounted(e.depth, isZeroExtent(e))) total += Math.min(end, e.start + e.length) - e.start
      }
    )
    yield* wait(count)
  }
  return new Progress(total, step, isCounted, show)
})
