/** How much of the disks is copied, in percentages that overwrite each other, as qemu-img prints it. */
import { isatty } from 'node:tty'
import { isZeroExtent, locations } from '../../image/guest/chain.js'
import { get, task } from '../command-error.js'
import { print } from '../files/output.js'
import { run } from '../files/source.js'
import { guestSize, type Piece } from '../images/guest.js'
import type { OpenChain } from '../images/open.js'
import { decimals } from '../text/numbers.js'

/** Whether bytes are part of the total, by how many layers down they are, and whether they are zeros without being read. */
export type IsCounted = (depth: number, zeros: boolean) => boolean

/** Bytes that qemu-img copies at once. */
const defaultStep = 2 ** 21

/** Percentages that overwrite each other, from 0 to 100. One that differs by too little from the last is not printed. */
class Percentages {
  private last = 0

  /** @param least the percentage is printed where it differs by more from the last */
  constructor(
    private readonly show: (text: string) => unknown,
    private readonly least: number
  ) {
    this.update(0)
  }

  /** So many percent are done. */
  update(percent: number): void {
    if (percent !== 0 && percent !== 100 && Math.abs(percent - this.last) <= this.least) return
    this.last = percent
    this.show(`    (${decimals(percent, 2)}/100%)\r`)
  }

  /** So many of the bytes are done, which are not all unless the caller says so. */
  reach(bytes: number, size: number): void {
    if (bytes < size) this.update((100 * bytes) / size)
  }

  /** Nothing more is shown. */
  end(): void {
    this.show('\n')
  }
}

/** Percentages of the bytes to copy. */
class Progress {
  private done = 0
  private readonly percentages: Percentages

  /** @param step most bytes between two percentages */
  constructor(
    private readonly total: number,
    private readonly step: number,
    private readonly isCounted: IsCounted,
    show: (text: string) => unknown
  ) {
    this.percentages = new Percentages(show, 1)
  }

  /** Adds a piece that is copied. */
  copied({ length, depth, bytes }: Piece): void {
    if (!this.isCounted(depth, bytes === undefined)) return
    for (let left = length; left > 0; left -= this.step) {
      this.done += Math.min(left, this.step)
      this.percentages.update((100 * this.done) / this.total)
    }
  }

  /** Prints that everything is copied. */
  end(): void {
    this.percentages.update(100)
    this.percentages.end()
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
  /** Whether the extents of a disk that cannot be read are left out. */
  readonly salvage?: boolean
}

const showOf = ({ progress = false, quiet = false }: ProgressOptions): ((text: string) => unknown) | undefined =>
  quiet ? undefined : progress ? print : onTerminal()

/** Begins to show percentages as qemu-img's other commands do; `undefined` where nobody sees them. */
export const percentagesOf = (options: ProgressOptions): Percentages | undefined => {
  const show = showOf(options)
  return show === undefined ? undefined : new Percentages(show, 2)
}

/** Adds up the bytes to copy, and begins to show their progress; `undefined` where nobody sees it. */
export const progressOf = task(async function* (
  inputs: readonly OpenChain[],
  options: ProgressOptions,
  isCounted: IsCounted,
  step: number = defaultStep
) {
  const show = showOf(options)
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
    const counted = await count()
    if (options.salvage !== true) yield* get(counted)
  }
  return new Progress(total, step, isCounted, show)
})
