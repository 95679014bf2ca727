/** What a run has counted. */
import type { Command } from '../../src/transition/command.js'
import type { Difference, Parting } from './differences.js'

const raise = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([key, n]) => `${n} ${key}`)
    .join(', ')

/** Figures of a run. */
export class Tally {
  scripts = 0
  maps = 0
  relays = 0
  views = 0
  bitmaps = 0
  private readonly began = performance.now()
  private readonly commands = new Map<string, number>()
  private readonly refusals = new Map<string, number>()
  private readonly differences = new Map<string, number>()

  /** With the rows that differences may be explained by. */
  constructor(private readonly rows: readonly Difference[]) {}

  carriedOut(command: Command): void {
    raise(this.commands, command._tag)
  }

  refused(clause: string): void {
    raise(this.refusals, clause)
  }

  /** The row that explains a difference. */
  explained(parting: Parting): Difference | undefined {
    const row = this.rows.find((each) => each.explains(parting))
    if (row !== undefined) raise(this.differences, row.clause)
    return row
  }

  /** The figures, a line each. */
  lines(): readonly string[] {
    const seconds = (performance.now() - this.began) / 1000
    const unused = this.rows.filter(({ clause }) => !this.differences.has(clause))
    const sum = [...this.commands.values()].reduce((a, b) => a + b, 0)
    return [
      `${this.scripts} scripts in ${seconds.toFixed(0)} s, ${(this.scripts / seconds).toFixed(1)} a second`,
      `${sum} commands: ${listed(this.commands)}`,
      `refusals: ${listed(this.refusals)}`,
      `differences explained: ${listed(this.differences)}`,
      `${this.relays} times a file changed hands, ${this.maps} maps compared, ${this.views} disks and snapshots read by QEMU, ${this.bitmaps} bitmaps by qemu-nbd`,
      ...unused.map(({ clause, why }) => `unused: ${clause}, ${why}`)
    ]
  }
}
