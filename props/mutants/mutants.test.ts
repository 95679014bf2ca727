/** Every mutant fails a test: a test that passes on faulty code would prove nothing. */
import { fork } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import * as E from 'fp-ts/lib/Either.js'
import { curated as mutants } from './curated/index.js'
import type { Mutant } from './mutant.js'
import { compile, mutate } from './mutate.js'
import { needsQemu } from '../run/qemu.js'
import { note, type Report, suite } from '../run/suite.js'

const test = suite('mutants')
const root = fileURLToPath(new URL('../../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'qcow2-spec-mutants-'))

/** Two copies of the built code, for two trials at once. */
const copies = ['a', 'b'].map((name) => join(work, name))
test.before(() => {
  for (const copy of copies) {
    mkdirSync(copy)
    for (const built of ['corpus', 'props', 'spec', 'src'])
      cpSync(join(root, 'dist', built), join(copy, 'dist', built), { recursive: true })
    for (const kept of ['corpus', 'node_modules', 'package.json', 'props', 'spec', 'src'])
      symlinkSync(join(root, kept), join(copy, kept))
  }
})
test.after(() => rmSync(work, { recursive: true }))

/** Runs a test file of a copy, or the tests in it of one title, with few cases of each property, always the same ones. */
const run = (copy: string, file: string, ...titles: readonly string[]): Promise<Report | undefined> =>
  new Promise((resolve) => {
    const { QCOW2_SEED, QCOW2_PATH, ...env } = process.env
    const built = pathToFileURL(join(copy, 'dist', file.replace(/\.ts$/, '.js'))).href
    const child = fork(join(copy, 'dist/props/run/worker.js'), [file, built, ...titles], {
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
  /** The title of the test that must fail; without it all pass. */
  readonly rule?: string
  readonly byQemu?: boolean
}

/** Of each test file one test that finds a mutant: on unchanged code it passes in a copy as it does in the suite. */
const sound = new Map(mutants.filter(({ byQemu }) => byQemu !== true).map(({ red, rule }) => [red, rule]))
const trials: readonly Trial[] = [
  ...[...sound].map(([file, rule]) => ({ title: `${file} passes`, begin: (copy: string) => run(copy, file, rule) })),
  ...mutants.map((mutant) => ({
    title: `${mutant.name}: ${mutant.red} fails`,
    begin: (copy: string) => runWith(copy, mutant),
    rule: mutant.rule,
    byQemu: mutant.byQemu ?? false
  }))
]

const begun = new Map<number, Promise<Report | undefined>>()

/** The report of a trial, which begins when it is first asked for. */
const reportOf = (index: number): Promise<Report | undefined> => {
  const report = begun.get(index) ?? trials[index]?.begin(copies[index % 2] ?? '') ?? Promise.resolve(undefined)
  begun.set(index, report)
  return report
}

test('every mutant has exactly one place', () => {
  const lost = [...compiled.values()].filter(E.isLeft)
  assert.is(lost.map((each) => each.left).join('\n'), '')
})

trials.forEach(({ title, rule, byQemu = false }, index) => {
  const trial = byQemu ? needsQemu(test) : test
  trial(title, async () => {
    // Trials run in pairs, one in each copy; the second of a pair reports its own failure.
    if (index % 2 === 0) await Promise.allSettled([reportOf(index), reportOf(index + 1)])
    const report = await reportOf(index)
    assert.ok(report !== undefined, 'sent no report')
    const failed = report.failures.map((failure) => `${failure.title}\n${failure.text}`).join('\n')
    if (rule === undefined) assert.is(failed, '')
    else
      assert.ok(
        report.failures.some((failure) => failure.title.endsWith(` > ${rule}`)),
        failed === '' ? 'it passes' : failed
      )
    assert.ok(rule !== undefined || report.passed > 0, 'nothing ran')
  })
})

note(`${mutants.length} mutants`)
test.run()
