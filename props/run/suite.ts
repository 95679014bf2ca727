/** The suites of the test files: uvu's, with a record of the outcome of each test, so that none gets lost. */
import { inspect } from 'node:util'
import * as uvu from 'uvu'
import { drawFromEnvironment } from './seed.js'

type Work = () => void | Promise<void>

interface Hook {
  (work: Work): void
  readonly each: (work: Work) => void
}

/** Registers tests; `run` queues them. A test that cannot run here is skipped with a reason. */
export interface Suite {
  (title: string, work: Work): void
  /** Whether a test of this title is one that this run asks for. */
  readonly selects: (title: string) => boolean
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

/** The outcome of a test file. */
export interface Report {
  /** The full titles of all tests, selected or not; all else is about those that were selected. */
  readonly registered: readonly string[]
  readonly passed: number
  readonly failures: readonly Failure[]
  /** Tests that neither passed nor left a failure: each counts as failed. */
  readonly neverRan: readonly string[]
  /** Why each skipped test was skipped. */
  readonly skipped: readonly string[]
  /** How many generated cases the properties ran. */
  readonly cases: number
  readonly notes: readonly string[]
}

const scope: { file: string; greps: readonly string[] } = { file: '', greps: [] }
/** The full titles of the selected tests, and whether each has passed. */
const tests = new Map<string, boolean>()
const failures: Failure[] = []
const skipped: string[] = []
const notes: string[] = []
const registered: string[] = []
const counted = { suites: 0, cases: 0 }
const { brief } = drawFromEnvironment()
const current = { properties: 0, options: '' }
/** Of the running test: how often each thing could happen, how often it did, and the least share that proves something. */
const shares = new Map<string, { cases: number; happened: number; readonly least: number }>()

/** Names the file whose suites follow, and selects the tests whose full title has every one of `greps`. */
export const select = (file: string, greps: readonly string[]): void => {
  scope.file = file
  scope.greps = greps
}

/** How many properties the running test has checked so far. */
export const propertiesSoFar = (): number => current.properties

/** Adds a property to the running test: the cases it ran and, if it failed, the options that replay it. */
export const checked = (cases: number, options = ''): void => {
  counted.cases += cases
  current.properties += 1
  current.options = options
}

/** Cases from which on a share says something: a short run has less, and is no proof. */
const fewest = 50

/**
 * Counts a case of the running test in which something happened or not, such as a command that may be refused. The test
 * fails if it happened in less than `least` of its cases: it would pass where nothing ever happens.
 */
export const share = (what: string, least: number, happened: boolean): void => {
  const { cases, happened: before } = shares.get(what) ?? { cases: 0, happened: 0 }
  shares.set(what, { cases: cases + 1, happened: before + Number(happened), least })
}

/** Throws for the first share of the running test that is too small. */
const judgeShares = (): void => {
  for (const [what, { cases, happened, least }] of shares) {
    const text = `${what}: ${happened} of ${cases}`
    if (cases >= fewest && happened < least * cases) throw new Error(`${text}, expected ${100 * least} % at least`)
    if (cases >= fewest && !notes.includes(text)) notes.push(text)
  }
}

/** Adds a line to what the runner prints below the file: a figure worth knowing. */
export const note = (line: string): void => {
  notes.push(line)
}

/** The lines of a stack without those of Node, packages and the runner. */
const frames = (stack: string | undefined): readonly string[] =>
  (stack ?? '').split('\n').filter((line) => /^ +at /.test(line) && !/node:|node_modules|props\/run\//.test(line))

/** The text of whatever was thrown: its message, the difference an assertion found, and where. */
export const reason = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return `thrown: ${inspect(thrown)}`
  const details = 'details' in thrown && typeof thrown.details === 'string' ? [thrown.details.trimEnd()] : []
  return [thrown.message, ...details, ...frames(thrown.stack)].join('\n')
}

/** Records the failure of a test, a hook or a file once, however often it recurs. */
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
  const isSelected = (title: string): boolean => scope.greps.every((grep) => full(title).includes(grep))
  const count = { registered: 0, selected: 0 }

  const register = (title: string, work: Work): void => {
    const key = full(title)
    count.registered += 1
    if (registered.includes(key)) throw new Error(`two tests have the title ${key}`)
    registered.push(key)
    if (!isSelected(title)) return
    count.selected += 1
    tests.set(key, false)
    const proof: Work = async () => {
      if (brief && failures.length > 0 && [...tests.values()].includes(true)) {
        tests.delete(key)
        skipped.push('a test before it has failed')
        return
      }
      Object.assign(current, { properties: 0, options: '' })
      shares.clear()
      await work()
      judgeShares()
      tests.set(key, true)
    }
    inner(title, recorded(key, '', proof))
  }
  const hook = (kind: 'before' | 'after'): Hook =>
    Object.assign((work: Work) => inner[kind](recorded(full(), `${kind}: `, work)), {
      each: (work: Work) => inner[kind].each(recorded(full(), `${kind} each: `, work))
    })

  return Object.assign(register, {
    selects: isSelected,
    skip: (title: string, why: string): void => {
      count.registered += 1
      registered.push(full(title))
      if (isSelected(title)) skipped.push(why)
    },
    before: hook('before'),
    after: hook('after'),
    run: (): void => {
      if (count.registered === 0) throw new Error(`the suite ${name} has no test`)
      if (count.selected === 0) return
      counted.suites += 1
      inner.run()
    }
  })
}

/** The number of suites whose `run` was called. */
export const suitesRun = (): number => counted.suites

/** The outcome of the file so far. */
export const report = (): Report => {
  const failed = new Set(failures.map(({ title }) => title))
  return {
    registered,
    passed: [...tests.values()].filter((passed) => passed).length,
    failures,
    neverRan: [...tests].flatMap(([title, passed]) => (passed || failed.has(title) ? [] : [title])),
    skipped,
    cases: counted.cases,
    notes
  }
}
