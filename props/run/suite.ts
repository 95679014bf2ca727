/** The suites of the test files: uvu's, with a record kept of each test's outcome, so that none gets lost. */
import { inspect } from 'node:util'
import * as uvu from 'uvu'
import { drawFromEnvironment } from './seed.js'

type Work = () => void | Promise<void>

interface Hook {
  (work: Work): void
  readonly each: (work: Work) => void
}

/** Registers tests; `run` hands them over to be run. A test that cannot run here is skipped, and says why. */
export interface Suite {
  (title: string, work: Work): void
  readonly skip: (title: string, why: string) => void
  readonly before: Hook
  readonly after: Hook
  readonly run: () => void
}

/** A test, a hook or a file that failed, why, and the options beside its title that replay it. */
export interface Failure {
  readonly title: string
  readonly text: string
  readonly options: string
}

/** What a test file came to. `registered` counts every test, `passed` and `skipped` only those a filter lets through. */
export interface Report {
  readonly registered: number
  readonly passed: number
  readonly failures: readonly Failure[]
  /** Tests that neither passed nor left a failure, and so have failed by never having run. */
  readonly silent: readonly string[]
  /** Why each skipped test was skipped. */
  readonly skipped: readonly string[]
  /** How many generated cases the properties ran. */
  readonly cases: number
  readonly notes: readonly string[]
}

const scope: { file: string; filters: readonly string[] } = { file: '', filters: [] }
/** The full titles of the tests to be run, and whether each has passed. */
const tests = new Map<string, boolean>()
const failures: Failure[] = []
const skipped: string[] = []
const notes: string[] = []
const counted = { registered: 0, suites: 0, cases: 0 }
const { brief } = drawFromEnvironment()
const current = { properties: 0, options: '' }

/** Names the file whose suites follow, and lets only those tests run whose full title contains every filter. */
export const enter = (file: string, filters: readonly string[]): void => {
  scope.file = file
  scope.filters = filters
}

/** How many properties the running test has checked so far. */
export const propertiesSoFar = (): number => current.properties

/** Adds a property to the running test: the cases it ran and, if it failed, the options that replay it. */
export const checked = (cases: number, options = ''): void => {
  counted.cases += cases
  current.properties += 1
  current.options = options
}

/** A line to stand below the file's own in the runner's output: a figure worth knowing. */
export const note = (line: string): void => {
  notes.push(line)
}

/** The lines of a stack that lie in tests and in what they test. */
const frames = (stack: string | undefined): readonly string[] =>
  (stack ?? '')
    .split('\n')
    .filter((line) => /^ +at /.test(line) && !/node:|node_modules|props\/(suite|run-file|check)\.js/.test(line))

/** The text of whatever was thrown: its message, the difference an assertion found, and where. */
export const reason = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return `thrown: ${inspect(thrown)}`
  const details = 'details' in thrown && typeof thrown.details === 'string' ? [thrown.details.trimEnd()] : []
  return [thrown.message, ...details, ...frames(thrown.stack)].join('\n')
}

/** Records a failure of a test, or of whatever else has a title to replay it by; once, however often it recurs. */
export const fail = (title: string, text: string): void => {
  if (failures.some((failure) => failure.title === title && failure.text === text)) return
  failures.push({ title, text, options: current.options })
}

/** The same work, which first leaves a record if it throws. */
const recorded =
  (title: string, prefix: string, work: Work): Work =>
  async () => {
    try {
      await work()
    } catch (thrown) {
      fail(title, prefix + reason(thrown))
      throw thrown instanceof Error ? thrown : new Error(reason(thrown))
    }
  }

/** A suite of tests. In a file, no two tests may have the same full title: file, suite and test. */
export const suite = (name: string): Suite => {
  const inner = uvu.suite(name)
  const full = (...title: readonly string[]): string => [scope.file, name, ...title].join(' > ')
  const chosen = (title: string): boolean => scope.filters.every((filter) => full(title).includes(filter))
  const size = { registered: 0, kept: 0 }

  const register = (title: string, work: Work): void => {
    const key = full(title)
    size.registered += 1
    counted.registered += 1
    if (tests.has(key)) throw new Error(`two tests have the title ${key}`)
    if (!chosen(title)) return
    size.kept += 1
    tests.set(key, false)
    const proof: Work = async () => {
      if (brief && failures.length > 0 && [...tests.values()].includes(true)) {
        tests.delete(key)
        skipped.push('a test before it has failed')
        return
      }
      Object.assign(current, { properties: 0, options: '' })
      await work()
      tests.set(key, true)
    }
    inner(title, recorded(key, '', proof))
  }
  const hook = (kind: 'before' | 'after'): Hook =>
    Object.assign((work: Work) => inner[kind](recorded(full(), `${kind}: `, work)), {
      each: (work: Work) => inner[kind].each(recorded(full(), `${kind} each: `, work))
    })

  return Object.assign(register, {
    skip: (title: string, why: string): void => {
      size.registered += 1
      counted.registered += 1
      if (chosen(title)) skipped.push(why)
    },
    before: hook('before'),
    after: hook('after'),
    run: (): void => {
      if (size.registered === 0) throw new Error(`the suite ${name} has no test`)
      if (size.kept === 0) return
      counted.suites += 1
      inner.run()
    }
  })
}

/** How many suites were handed over to be run. */
export const suitesRun = (): number => counted.suites

/** What the file came to so far. */
export const report = (): Report => {
  const failed = new Set(failures.map(({ title }) => title))
  return {
    registered: counted.registered,
    passed: [...tests.values()].filter((passed) => passed).length,
    failures,
    silent: [...tests].flatMap(([title, passed]) => (passed || failed.has(title) ? [] : [title])),
    skipped,
    cases: counted.cases,
    notes
  }
}
