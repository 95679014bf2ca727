/** What a run has counted. */
import type { Command } from '../../src/transition/command.js'
import type { Counts } from '../run/campaign.js'
import type { Difference, Parting } from './differences.js'

const raise = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const listed = (counts: Readonly<Record<string, number>> = {}): string =>
  Object.entries(counts)
    .toSorted(([key, a], [other, b]) => (a === b ? (key < other ? -1 : 1) : b - a))
    .map(([key, n]) => `${n} ${key}`)
    .join(', ')

/** The figures, a line each. `rows` are those by which differences may be explained. */
export const tallyLines = (counts: Counts, rows: readonly Difference[]): readonly string[] => {
  const all = (key: string): number => counts['all']?.[key] ?? 0
  const seconds = all('milliseconds') / 1000
  const sum = Object.values(counts['commands'] ?? {}).reduce((a, b) => a + b, 0)
  return [
    `${all('scripts')} scripts in ${seconds.toFixed(0)} s, ${(all('scripts') / seconds).toFixed(1)} a second`,
    `${sum} commands: ${listed(counts['commands'])}`,
    `refusals: ${listed(counts['refusals'])}`,
    `differences explained: ${listed(counts['differences'])}`,
    `${all('relays')} times a file changed hands, ${all('maps')} maps compared, ${all('views')} disks and snapshots read by QEMU, ${all('bitmaps')} bitmaps by qemu-nbd`,
    ...rows
      .filter(({ clause }) => counts['differences']?.[clause] === undefined)
      .map(({ clause, why }) => `unused: ${clause}, ${why}`)
  ]
}

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

  /** The figures. */
  counts(): Counts {
    const { scripts, maps, relays, views, bitmaps } = this
    const milliseconds = Math.round(performance.now() - this.began)
    return {
      all: { scripts, maps, relays, views, bitmaps, milliseconds },
      commands: Object.fromEntries(this.commands),
      refusals: Object.fromEntries(this.refusals),
      differences: Object.fromEntries(this.differences)
    }
  }
}
