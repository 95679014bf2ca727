/** How much of the disks is copied, in numbers that replace each other, as qemu-img tells it. */
import { isatty } from 'node:tty'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { locations } from '../../image/guest/chain.js'
import { decimals } from '../text/human-size.js'
import { guestSize, type Piece } from '../images/guest.js'
import type { OpenChain } from '../images/open.js'
import { print } from '../files/output.js'
import { run } from '../files/source.js'
import { type CommandError, task, wait } from '../command-error.js'

/** What of a disk is counted: by how many layers down it is, and whether it is zeros without being read. */
export type Counted = (depth: number, zeros: boolean) => boolean

/** Bytes that qemu-img copies at once. */
const copied = 2 ** 21

/** Percentages of the bytes that are to be copied. One that differs by no more than one from the last is not told. */
export class Progress {
  private done = 0
  private last = 0

  constructor(
    private readonly total: number,
    /** Most bytes between two percentages. */
    private readonly step: number,
    private readonly counted: Counted,
    private readonly say: (text: string) => unknown
  ) {
    this.tell(0)
  }

  /** A piece is copied. */
  copied({ length, depth, bytes }: Piece): void {
    if (!this.counted(depth, bytes === undefined)) return
    for (let left = length; left > 0; left -= this.step) {
      this.done += Math.min(left, this.step)
      this.tell((100 * this.done) / this.total)
    }
  }

  /** Everything is. */
  end(): void {
    this.tell(100)
    this.say('\n')
  }

  private tell(percent: number): void {
    if (percent !== 0 && percent !== 100 && Math.abs(percent - this.last) <= 1) return
    this.last = percent
    this.say(`    (${decimals(percent, 2)}/100%)\r`)
  }
}

/** Milliseconds after which work is long. */
const long = 1000

/** Says to a terminal, where nobody asked, how far long work is. */
const toTerminal = (): ((text: string) => void) | undefined => {
  if (!isatty(2)) return undefined
  const began = performance.now()
  return (text) => {
    if (performance.now() - began > long) process.stderr.write(text)
  }
}

/** What the command line says of it. */
export interface ProgressWords {
  readonly progress?: boolean
  readonly quiet?: boolean
}

/** Looks where the disks are, and begins to tell, every `step` bytes at most; `undefined` where there is nobody to tell. */
export const progressOf = (
  inputs: readonly OpenChain[],
  { progress = false, quiet = false }: ProgressWords,
  counted: Counted,
  step = copied
): TaskEither<CommandError, Progress | undefined> =>
  task(async function* () {
    const say = quiet ? undefined : progress ? print : toTerminal()
    if (say === undefined) return undefined
    let total = 0
    for (const input of inputs) {
      const end = guestSize(input)
      const count = run(
        input,
        () => locations(input.chain, 0, end),
        (e) => {
          if (counted(e.depth, e.kind === 'zero' || e.kind === 'absent'))
            total += Math.min(end, e.start + e.length) - e.start
        }
      )
      yield* wait(count)
    }
    return new Progress(total, step, counted, say)
  })
