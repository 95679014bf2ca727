/** Every mutant fails a test: a test that passes on faulty code would prove nothing. */
import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import * as E from 'fp-ts/lib/Either.js'
import { copyBuild } from './copy.js'
import { curated as mutants } from './curated/index.js'
import type { Mutant } from './mutant.js'
import { compile, mutate } from './mutate.js'
import { needsQemu } from '../run/qemu.js'
import { note, type Report, suite } from '../run/suite.js'

const test = suite('mutants')
const root = fileURLToPath(new URL('../../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'qcow2-spec-mutants-'))

/** Two copies of the built code, for two trials at a time. */
const copies = ['a', 'b'].map((name) => join(work, name))
test.before(() => copies.forEach(copyBuild))
test.after(() => rmSync(work, { recursive: true }))

/** Runs the tests of a title in a test file of a copy, with a tenth of the cases of each property, always the same ones. */
const run = (copy: string, file: string, title: string): Promise<Report | undefined> =>
  new Promise((resolve) => {
    const { QCOW2_SEED, QCOW2_PATH, ...env } = process.env
    const built = pathToFileURL(join(copy, 'dist', file.replace(/\.ts$/, '.js'))).href
    const child = fork(join(copy, 'dist/props/run/worker.js'), [file, built, title], {
      env: { ...env, QCOW2_RUNS: '0.1', QCOW2_BRIEF: 'yes' },
      stdio: 'ignore'
    })
    const reports: Report[] = []
    child.on('message', (message: Report) => reports.push(message))
    child.on('close', () => resolve(reports[0]))
  })

/** The JavaScript of the file in which each mutant has its fault. */
const compiled = new Map(
  mutants.map((mutant) => [
    mutant,
    E.map(compile)(mutate(readFileSync(join(root, 'src', mutant.file), 'utf8'), mutant))
  ])
)

/** Runs the test file of a mutant in a copy that has its fault. */
const runWith = async (copy: string, mutant: Mutant): Promise<Report | undefined> => {
  const mutated = compiled.get(mutant)
  if (mutated === undefined || E.isLeft(mutated)) throw new Error(mutated?.left)
  const path = join(copy, 'dist/src', mutant.file.replace(/\.ts$/, '.js'))
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, mutated.right)
  const report = await run(copy, mutant.red, mutant.rule)
  writeFileSync(path, text)
  return report
}

interface Trial {
  readonly title: string
  readonly begin: (copy: string) => Promise<Report | undefined>
  /** Throws unless the report is the expected one. */
  readonly judge: (report: Report) => void
  readonly byQemu?: boolean
}

const textOf = ({ failures }: Report): string => failures.map(({ title, text }) => `${title}\n${text}`).join('\n')

/** Without a mutant, a test file passes in a copy as it does in the suite, and has every test that a mutant of it names. */
const sound = (red: string): Trial => {
  const rules = mutants.filter((mutant) => mutant.red === red).map(({ rule }) => rule)
  const [first = ''] = mutants.filter((each) => each.red === red && each.byQemu !== true).map(({ rule }) => rule)
  return {
    title: `${red} passes without a mutant`,
    begin: (copy) => run(copy, red, first),
    judge: (report) => {
      const missing = rules.filter((rule) => !report.registered.some((title) => title.endsWith(` > ${rule}`)))
      assert.equal(missing, [])
      assert.is(textOf(report), '')
      assert.ok(report.passed > 0, 'nothing ran')
    }
  }
}

const found = (mutant: Mutant): Trial => ({
  title: `${mutant.name}: ${mutant.red} fails`,
  begin: (copy) => runWith(copy, mutant),
  judge: (report) => {
    const fails = report.failures.some(({ title }) => title.endsWith(` > ${mutant.rule}`))
    assert.ok(fails, textOf(report) === '' ? 'it passes' : textOf(report))
  },
  byQemu: mutant.byQemu ?? false
})

const trials = [...new Set(mutants.map(({ red }) => red))].map(sound).concat(mutants.map(found))

const begun = new Map<number, Promise<Report | undefined>>()

/** The report of a trial, which begins on the first call. */
const reportOf = (index: number): Promise<Report | undefined> => {
  const report = begun.get(index) ?? trials[index]?.begin(copies[index % 2] ?? '') ?? Promise.resolve(undefined)
  begun.set(index, report)
  return report
}

test('every mutant has exactly one place', () => {
  const lost = [...compiled.values()].filter(E.isLeft)
  assert.is(lost.map((each) => each.left).join('\n'), '')
})

trials.forEach(({ title, judge, byQemu = false }, index) => {
  const trial = byQemu ? needsQemu(test) : test
  trial(title, async () => {
    // Trials run in pairs, one in each copy; the second of a pair reports its own failure.
    if (index % 2 === 0) await Promise.allSettled([reportOf(index), reportOf(index + 1)])
    const report = await reportOf(index)
    if (report === undefined) throw new Error('the process sent no report')
    judge(report)
  })
})

note(`${mutants.length} mutants`)
test.run()
