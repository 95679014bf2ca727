/** Figures of a comparison, and the floors below which it says nothing. */
import type { Item, Result } from './protocol.js'

const raise = (counts: Map<string, number>, key: string, by = 1): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([key, n]) => `${n} ${key}`)
    .join(', ')

/** Answers that there must be: of those to a verb this share has the code. */
const floors: readonly (readonly [verb: string, code: string, share: number])[] = [
  ['check', '0', 0.05],
  ['check', '1', 0.02],
  ['check', '2', 0.05],
  ['check', '3', 0.01],
  ['map', '0', 0.1],
  ['map', '1', 0.05],
  ['info', '0', 0.3],
  ['info', '1', 0.02],
  ['dump', '0', 0.3],
  ['explain', '0', 0.3],
  ['convert', '0', 0.1],
  ['convert', '1', 0.05],
  ['compare', '0', 0.1],
  ['io', '0', 0.1],
  ['snapshot', '0', 0.1],
  ['snapshot', '1', 0.05]
]

/** So many of the items that take longest are named. */
const slowest = 3

/** With fewer images than this, floors are not asked for. */
const few = 1000

/** What has been compared. */
export class Tally {
  readonly kinds = new Map<string, number>()
  readonly codes = new Map<string, Map<string, number>>()
  readonly clauses = new Map<string, number>()
  readonly late: string[] = []
  private readonly slow: (readonly [took: number, name: string])[] = []
  intended = 0
  commands = 0
  scripts = 0
  lines = 0
  refused = 0
  writes = 0

  get images(): number {
    return [...this.kinds.values()].reduce((sum, n) => sum + n, 0)
  }

  add(item: Item, result: Result): void {
    if ('script' in item) this.scripts++
    else raise(this.kinds, item.kind)
    this.note(result.took ?? 0, `${item.kind} ${item.recipe}`)
    for (const [label, code, , writes] of result.answers) {
      if ('script' in item) this.addLine(code, writes)
      else this.addCommand(label, code)
    }
  }

  private note(took: number, name: string): void {
    this.slow.push([took, name.slice(0, 100)])
    if (this.slow.length > 1000) this.slow.sort(([a], [b]) => b - a).splice(slowest)
  }

  private addLine(code: string, writes: number): void {
    this.lines++
    this.writes += writes
    if (code === 'done') return
    this.refused++
    raise(this.clauses, code)
  }

  private addCommand(label: string, code: string): void {
    this.commands++
    const verb = label.split(' ', 1).join()
    const codes = this.codes.get(verb) ?? new Map<string, number>()
    this.codes.set(verb, codes)
    raise(codes, code)
  }

  /** Why the comparison says too little. */
  thin(): readonly string[] {
    const missing = floors.flatMap(([verb, code, share]) => {
      const codes = this.codes.get(verb) ?? new Map<string, number>()
      const [all, some] = [[...codes.values()].reduce((sum, n) => sum + n, 0), codes.get(code) ?? 0]
      return some >= share * all && some > 0 ? [] : [`only ${some} of ${all} answers to ${verb} have exit code ${code}`]
    })
    const lines =
      this.scripts < few / 10 || (this.refused > 0.02 * this.lines && this.refused < 0.6 * this.lines)
        ? []
        : [`${this.refused} of ${this.lines} lines of scripts are refused`]
    return [...(this.images < few ? [] : missing), ...lines]
  }

  /** Lines for the reader. */
  report(): readonly string[] {
    return [
      `images: ${listed(this.kinds)}`,
      ...[...this.codes]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(
          ([verb, codes]) =>
            `  ${(verb === '' ? '(none)' : verb).padEnd(20)} exit codes: ${listed(new Map([...codes].map(([code, n]) => [`× ${code}`, n])))}`
        ),
      `scripts: ${this.scripts}, ${this.lines} lines, ${this.refused} refused: ${listed(this.clauses)}`,
      ...(this.intended > 0 ? [`not compared, since a difference is intended: ${this.intended} answers`] : []),
      `slowest: ${this.slow
        .toSorted(([a], [b]) => b - a)
        .slice(0, slowest)
        .map(([took, name]) => `${(took / 1000).toFixed(1)} s of processor time for ${name}`)
        .join('; ')}`,
      ...this.late.map((each) => `unanswered by both: ${each}`)
    ]
  }

  total(differences: number): string {
    const asked = `${this.images} images, ${this.commands} commands, ${this.scripts} scripts of ${this.lines} lines (${this.lines - this.refused} accepted, ${this.refused} refused), ${this.writes} writes`
    return `${asked}: ${differences} differences`
  }
}
