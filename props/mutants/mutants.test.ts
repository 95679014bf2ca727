/** Every mutant fails a test: a test that passes on faulty code would prove nothing. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { FileAccount } from './account.js'
import { curated as mutants } from './curated/index.js'
import type { Mutant } from './mutant.js'
import { compile, mutate } from './mutate.js'
import { MutatedCopy } from './mutated-copy.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'

const test = suite('mutants')
const root = fileURLToPath(new URL('../../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'qcow2-spec-mutants-'))
test.after(() => rmSync(work, { recursive: true }))

const sources = new Map<Mutant, E.Either<string, string>>()

/** The source of the file in which a mutant has its fault; a message if it has not exactly one place. */
const sourceOf = (mutant: Mutant): E.Either<string, string> => {
  const source = sources.get(mutant) ?? mutate(readFileSync(join(root, 'src', mutant.file), 'utf8'), mutant)
  sources.set(mutant, source)
  return source
}

type Account = FileAccount | undefined

interface Trial {
  readonly title: string
  readonly red: string
  readonly begin: (copy: MutatedCopy) => Promise<Account>
  /** Throws unless the account is the expected one. */
  readonly judge: (account: FileAccount) => void
  readonly byQemu?: boolean
}

const textOf = ({ failed }: FileAccount): string => failed.map(({ title, text }) => `${title}\n${text}`).join('\n')

const found = (mutant: Mutant): Trial => ({
  title: `${mutant.name}: ${mutant.red} fails`,
  red: mutant.red,
  begin: async (copy) => {
    const source = sourceOf(mutant)
    if (E.isLeft(source)) throw new Error(source.left)
    const path = join('src', mutant.file.replace(/\.ts$/, '.js'))
    return copy.run(mutant.red, mutant.rule, { path, text: compile(source.right) })
  },
  judge: (account) => {
    const fails = account.failed.some(({ title }) => title.endsWith(` > ${mutant.rule}`))
    assert.ok(fails, textOf(account) === '' ? 'it passes' : textOf(account))
  },
  byQemu: mutant.byQemu ?? false
})

/** Without a mutant, a test file passes in a copy as it does in the suite, and has every test that a mutant of it names. */
const sound = (red: string): Trial => {
  const rules = mutants.filter((mutant) => mutant.red === red).map(({ rule }) => rule)
  const [first = ''] = mutants.filter((each) => each.red === red && each.byQemu !== true).map(({ rule }) => rule)
  return {
    title: `${red} passes without a mutant`,
    red,
    begin: (copy) => copy.run(red, first),
    judge: (account) => {
      const missing = rules.filter((rule) => !account.registered.some((title) => title.endsWith(` > ${rule}`)))
      assert.equal(missing, [])
      assert.is(textOf(account), '')
      assert.ok(account.passed > 0, 'nothing ran')
    }
  }
}

/** The trials of a test file, which one process runs in this order. */
const trialsOf = (red: string): readonly Trial[] => [
  sound(red),
  ...mutants.filter((mutant) => mutant.red === red).map(found)
]

const files = [...new Set(mutants.map(({ red }) => red))].map(trialsOf)

/** The trials that have begun, and the tests that wait for one to begin. */
const begun = new Map<Trial, Promise<Account>>()
const waiting = new Map<Trial, () => void>()

const accountOf = async (trial: Trial): Promise<Account> => {
  if (!begun.has(trial)) await new Promise<void>((resolve) => waiting.set(trial, resolve))
  return begun.get(trial)
}

/** Runs the trials of one test file after another in a copy. */
const runIn = async (name: string, queue: (readonly Trial[])[]): Promise<void> => {
  if (queue.length === 0) return
  const copy = new MutatedCopy(join(work, name), { runs: 0.1, withQemu: qemu !== undefined, cpuLimit: 300 })
  for (let trials = queue.shift(); trials !== undefined; trials = queue.shift()) {
    for (const trial of trials) {
      const account = trial.begin(copy)
      begun.set(trial, account)
      waiting.get(trial)?.()
      await account.catch(() => undefined)
    }
    await copy.endProcess()
  }
}

test('every mutant has exactly one place', () => {
  const lost = mutants.map(sourceOf).filter(E.isLeft)
  assert.is(lost.map((each) => each.left).join('\n'), '')
})

const canRun = ({ title, byQemu = false }: Trial): boolean => test.selects(title) && (qemu !== undefined || !byQemu)

test.before(() => {
  // Two processes at a time. The longest queues come first, so that both have something to do until the end.
  const queue = files.map((trials) => trials.filter(canRun)).filter(({ length }) => length > 0)
  queue.sort((a, b) => b.length - a.length)
  for (const name of ['a', 'b']) void runIn(name, queue)
})

for (const trial of files.flat()) {
  const register = trial.byQemu === true ? needsQemu(test) : test
  register(trial.title, async () => {
    const account = await accountOf(trial)
    if (account === undefined) throw new Error('its process ended before the test')
    trial.judge(account)
  })
}

note(`${mutants.length} mutants`)
test.run()
