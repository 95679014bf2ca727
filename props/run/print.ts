/** What a run of tests prints. */
import { failedIn, hasTests, type Outcome } from './test-file.js'

export const say = (line: string): boolean => process.stdout.write(`${line}\n`)
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
const indented = (text: string, by: string): string => text.replaceAll(/^(?=.)/gm, by)
const counts = (passed: number, failed: number, skipped: number): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** The command that runs a test again; `title` begins with the path of its file. */
const replay = (title: string, options: string): string => {
  const [path = '', ...names] = title.split(' > ')
  return ['npm test --', path, ...(names.length > 0 ? ['--grep', quoted(names.join(' > '))] : []), options]
    .join(' ')
    .trimEnd()
}

/** Prints one line for a file, what it printed if that is of interest, and each failure with the command that replays it. */
export const printFile = ({ path, report, seconds, output }: Outcome, verbose: boolean): void => {
  if (!hasTests(report)) return
  const { passed, failures, neverRan, skipped, cases, notes } = report
  const failed = failedIn(report)
  const figures = [
    counts(passed, failed, skipped.length),
    ...(cases > 0 ? [plural(cases, 'case')] : []),
    `${seconds.toFixed(1)} s`
  ]
  say(`${failed > 0 ? 'FAILED' : '    ok'}  ${path.padEnd(40)}  ${figures.join(', ')}`)
  notes.forEach((line) => say(indented(line, ' '.repeat(8))))
  if (output !== '' && (failed > 0 || verbose)) say(indented(output.trimEnd(), '      | '))
  failures.forEach(({ title, text, options }) => {
    say(`\n  ${title}`)
    say(indented(text, '    '))
    say(`    replay: ${replay(title, options)}`)
  })
  neverRan.forEach((title) => say(`  never ran: ${title}`))
}

/** Prints the totals, why tests were skipped and, as the last line, `N passed, N failed`; returns whether the run has failed. */
export const printTotals = (outcomes: readonly Outcome[], seconds: number): boolean => {
  const reports = outcomes.map(({ report }) => report)
  const total = (of: (report: Outcome['report']) => number): number => reports.reduce((sum, each) => sum + of(each), 0)
  const passed = total((report) => report.passed)
  const skipped = reports.flatMap((report) => report.skipped)
  const noneRan = passed + total(failedIn) === 0
  if (noneRan) say('No test ran.')
  const failed = total(failedIn) + (noneRan ? 1 : 0)
  const files = plural(reports.filter(hasTests).length, 'file')
  say(
    `\n${files}, ${plural(
      total((report) => report.cases),
      'case'
    )}, ${seconds.toFixed(1)} s`
  )
  for (const why of new Set(skipped))
    say(`${plural(skipped.filter((other) => other === why).length, 'test')} skipped: ${why}`)
  say(`${passed} passed, ${failed} failed`)
  return failed > 0
}
