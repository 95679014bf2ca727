/** The record of a mutant as a line of JSON, and the report by folder. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

/**
 * How a mutant ended: the compiler rejects it (`types`), a test fails (`killed`), a process runs into its limit (`stopped`), all
 * tests pass (`survived`), no test reaches it (`unreached`), or no test can find it (`equivalent`).
 */
const Outcomes = t.keyof({
  types: null,
  killed: null,
  stopped: null,
  survived: null,
  unreached: null,
  equivalent: null
})
type Outcomes = t.TypeOf<typeof Outcomes>

export const MutantRecord = t.readonly(
  t.intersection([
    t.type({ key: t.string, file: t.string, line: t.number, operator: t.string, outcome: Outcomes, cpu: t.number }),
    t.partial({
      /** The test that failed. */
      by: t.string,
      /** Test files that were too slow for the budget. */
      leftOut: t.number
    })
  ])
)
export type MutantRecord = t.TypeOf<typeof MutantRecord>

/** The records of a report; a line that is none is an error. */
export const recordsOf = (text: string): readonly MutantRecord[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const decoded = MutantRecord.decode(JSON.parse(line))
      if (E.isLeft(decoded)) throw new Error(`is no record of a mutant: ${line}`)
      return decoded.right
    })

/** Whether nothing finds a mutant, although something could. */
export const isHole = ({ outcome }: MutantRecord): boolean => outcome === 'survived' || outcome === 'unreached'

const columns = ['types', 'equivalent', 'killed', 'stopped', 'survived', 'unreached'] as const

/** The folder of src that a file is in, two levels deep. */
const folderOf = (file: string): string => file.split('/').slice(0, -1).slice(0, 2).join('/')

const row = (name: string, records: readonly MutantRecord[]): string => {
  const counts = columns.map((column) => records.filter(({ outcome }) => outcome === column).length)
  const found = records.filter(({ outcome }) => outcome === 'killed' || outcome === 'stopped').length
  const all = found + records.filter(isHole).length
  const percent = all === 0 ? '-' : `${((100 * found) / all).toFixed(1)} %`
  return [name.padEnd(24), ...counts.map((count) => String(count).padStart(10)), percent.padStart(9)].join(' ')
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

/** The report: the mutants that nothing finds, then the figures of each folder. */
export const report = (records: readonly MutantRecord[]): readonly string[] => {
  const folders = [...new Set(records.map(({ file }) => folderOf(file)))].sort()
  const killed = records.filter(({ outcome }) => outcome === 'killed')
  const cpu = records.reduce((sum, each) => sum + each.cpu, 0)
  return [
    ...records
      .filter(isHole)
      .map(({ outcome, key, line, leftOut = 0 }) => {
        const slow = leftOut === 0 ? '' : ` (${leftOut} slow test files left out)`
        return `${outcome} at line ${line}: ${key}${slow}`
      })
      .sort(),
    ['src'.padEnd(24), ...columns.map((column) => column.padStart(10)), 'score'.padStart(9)].join(' '),
    ...folders.map((folder) =>
      row(
        folder,
        records.filter(({ file }) => folderOf(file) === folder)
      )
    ),
    row('all', records),
    `${cpu.toFixed(0)} s of CPU time in trials, ${median(killed.map((each) => each.cpu)).toFixed(1)} s at the median of the killed`
  ]
}
