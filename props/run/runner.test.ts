/** The runner reports whatever can go wrong with a test file as a failure. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from './suite.js'

const test = suite('runner')
const root = mkdtempSync(join(tmpdir(), 'qcow2-spec-runner-'))
process.on('exit', () => rmSync(root, { recursive: true }))

interface Outcome {
  readonly code: number | null
  readonly printed: string
  readonly last: string
}

/** Runs the runner over test files made of these lines, by name; a file without lines is not built. */
const run = (files: Readonly<Record<string, readonly string[] | undefined>>, ...options: string[]): Outcome => {
  const here = mkdtempSync(join(root, 'case-'))
  mkdirSync(join(here, 'props'))
  mkdirSync(join(here, 'dist/props'), { recursive: true })
  for (const [name, lines] of Object.entries(files)) {
    writeFileSync(join(here, 'props', `${name}.test.ts`), '')
    if (lines !== undefined) writeFileSync(join(here, 'dist/props', `${name}.test.js`), lines.join('\n'))
  }
  const runner = fileURLToPath(new URL('run.js', import.meta.url))
  const { QCOW2_SEED, QCOW2_RUNS, QCOW2_PATH, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [runner, '--root', here, ...options], {
    encoding: 'utf8',
    env: { ...env, NODE_EXTRA_CA_CERTS: '/there/is/none', HTTP_PROXY: 'http://127.0.0.1:1', npm_config_dry_run: 'true' }
  })
  const printed = stdout + stderr
  return { code: status, printed, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
}

const ours = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
const begin = [`import { suite, note } from ${ours('suite.js')}`, "const test = suite('subject')"]
const file = (...lines: string[]): readonly string[] => [...begin, ...lines]
const good = file("test('holds', () => {})", 'test.run()')

const reports = (outcome: Outcome, last: string, ...texts: string[]): void => {
  assert.is(outcome.last, last, outcome.printed)
  assert.is(outcome.code, last.includes(' 0 failed') ? 0 : 1)
  for (const text of texts) assert.ok(outcome.printed.includes(text), `${text}\nis not in\n${outcome.printed}`)
}

test('tests that pass are counted, and the exit code is 0', () => {
  reports(run({ a: good, b: good }), '2 passed, 0 failed', 'props/a.test.ts', 'props/b.test.ts', '2 files')
})

test('a failing assertion is a failure, with its message and the command that replays it', () => {
  const failing = file("test(\"isn't so\", () => { throw new Error('one is not two') })", 'test.run()')
  const replay = "replay: npm test -- props/a.test.ts --grep 'subject > isn'\\''t so'"
  reports(run({ a: failing, b: good }), '1 passed, 1 failed', 'one is not two', replay)
})

test('a test in which too little happened is a failure, and else the share is printed', () => {
  const counting = (most: number, happened: number): string =>
    `for (let i = 0; i < ${most}; i++) share('commands carried out', 0.5, i < ${happened})`
  const counted = file(
    `import { share } from ${ours('suite.js')}`,
    `test('never', () => { ${counting(50, 24)} })`,
    `test('often', () => { ${counting(50, 25)} })`,
    `test('a short run', () => { ${counting(49, 0)} })`,
    'test.run()'
  )
  const texts = ['commands carried out: 24 of 50, expected 50 % at least', 'commands carried out: 25 of 50']
  reports(run({ a: counted }), '2 passed, 1 failed', ...texts)
})

test('a thrown value that is no Error fails only its test', () => {
  const throwing = file("test('a', () => { throw 'plain' })", "test('b', () => {})", 'test.run()')
  reports(run({ a: throwing }), '1 passed, 1 failed', "thrown: 'plain'")
})

test('a hook that throws is a failure, and so is each test that it prevents', () => {
  const hook = (when: string) =>
    file(`test.${when}(() => { throw new Error('no ground') })`, "test('a', () => {})", 'test.run()')
  reports(
    run({ a: hook('before'), b: hook('before.each'), c: hook('after'), d: hook('after.each') }),
    '2 passed, 6 failed',
    ...['before: no ground', 'before each: no ground', 'after: no ground', 'after each: no ground', 'never ran'],
    ...['a', 'b'].map((name) => `FAILED  props/${name}.test.ts                           0 passed, 2 failed`),
    ...['c', 'd'].map((name) => `FAILED  props/${name}.test.ts                           1 passed, 1 failed`)
  )
})

test('a suite that was never run is a failure', () => {
  const one = file("test('a', () => {})")
  const two = [...good, "suite('other')('b', () => {})"]
  const titles = ['never ran: props/a.test.ts > subject > a', 'never ran: props/b.test.ts > other > b']
  reports(run({ a: one, b: two }), '1 passed, 2 failed', ...titles)
})

test('a file or a suite without a test is a failure', () => {
  const files = { a: [], b: good, c: file('test.run()') }
  reports(run(files), '1 passed, 2 failed', 'props/a.test.ts\n    has no test', 'the suite subject has no test')
})

test('a suite that is not from props/run/suite.ts is a failure', () => {
  const uvu = JSON.stringify(import.meta.resolve('uvu'))
  reports(
    run({ a: [`import { test } from ${uvu}`, "test('a', () => {})", 'test.run()'] }),
    '0 passed, 1 failed',
    'has a suite that is not from props/run/suite.ts'
  )
})

test('two tests of one title are a failure', () => {
  reports(
    run({ a: file("test('a', () => {})", "test('a', () => {})", 'test.run()') }),
    '0 passed, 2 failed',
    'two tests'
  )
})

test('a file that cannot be loaded, or was not built, is a failure', () => {
  const files = { a: ["import './missing.js'"], b: undefined, c: good }
  reports(run(files), '1 passed, 2 failed', 'missing.js', 'props/b.test.ts\n    is not built')
})

test('a process that ends before its tests do is a failure, even with exit code 0', () => {
  const ends = (how: string) => file("test('a', () => {})", `test('b', ${how})`, 'test.run()')
  const killed = ends("() => process.kill(process.pid, 'SIGKILL')")
  reports(
    run({ a: ends('() => process.exit(0)'), b: ends('() => new Promise(() => {})'), c: killed }),
    '0 passed, 3 failed',
    ...['0', '13', 'SIGKILL'].map((how) => `ended before its tests did, with ${how}`)
  )
})

test('a process that ends with an exit code of its own is a failure', () => {
  const afterwards = file("test('a', () => { process.exitCode = 3 })", 'test.run()')
  reports(run({ a: afterwards }), '1 passed, 1 failed', 'ended with 3')
})

test('a process that does not end is killed, and is a failure', () => {
  const endless = file("test('a', () => { for (;;); })", 'test.run()')
  reports(run({ a: endless }, '--limit', '1'), '0 passed, 1 failed', 'props/a.test.ts\n    did not end within 1 s')
  const lingering = file("test('a', () => { setInterval(() => {}, 1000) })", 'test.run()')
  const why = 'props/a.test.ts\n    did not end within 1 s after its tests had'
  reports(run({ a: lingering }, '--grace', '1'), '1 passed, 1 failed', why)
})

test('a test has the environment of the run, without what changes the output of programs, and a temporary folder', () => {
  const asks = (what: string): readonly string[] =>
    file(`test('a', async () => { if (!(${what})) throw new Error(JSON.stringify(process.env)) })`, 'test.run()')
  const names =
    "Object.keys(process.env).filter((name) => /^(NODE_|npm_|http)/i.test(name) && name !== 'NODE_CHANNEL_FD')"
  reports(
    run({
      a: asks(`${names}.filter((name) => name !== 'NODE_CHANNEL_SERIALIZATION_MODE').length === 0`),
      b: asks("process.env.TZ === 'UTC' && process.env.LC_ALL === 'C'"),
      c: asks("(await import('node:fs')).existsSync('props/c.test.ts')"),
      d: asks("(await import('node:os')).tmpdir().endsWith('/tmp') && (await import('node:os')).tmpdir() !== '/tmp'")
    }),
    '4 passed, 0 failed'
  )
})

test('a skipped test is counted as skipped, with its reason', () => {
  const skipping = [...good.slice(0, -1), "test.skip('b', 'there is no moon')", 'test.run()']
  reports(run({ a: skipping, b: good }), '2 passed, 0 failed', '1 test skipped: there is no moon')
})

test('a run in which no test ran is a failure', () => {
  reports(run({}), '0 passed, 1 failed', 'No test ran')
  reports(
    run({ a: file("test.skip('b', 'why')", 'test.run()') }),
    '0 passed, 1 failed',
    'No test ran',
    '1 test skipped: why'
  )
})

test('--grep selects tests by file, suite and title, and fails if none is left', () => {
  const two = file("test('x', () => {})", "test('y', () => { throw new Error('ran') })", 'test.run()')
  reports(run({ a: two, b: good }, '--grep', 'subject > x'), '1 passed, 0 failed')
  reports(run({ a: two, b: good }, '--grep', 'subject', '--grep', 'b.test'), '1 passed, 0 failed', '1 file,')
  reports(run({ a: two }, '--grep', 'subject > z'), '0 passed, 1 failed', 'No test ran')
})

test('a path selects files, loads no other one, and fails if it selects none', () => {
  const broken = ["throw new Error('loaded')"]
  reports(run({ a: broken, b: good, c: good }, 'props/b', 'c.test'), '2 passed, 0 failed', '2 files,')
  const outcome = run({ a: good }, 'a.test', 'subject')
  assert.is(outcome.code, 1)
  assert.match(outcome.printed, "No test file has 'subject' in its path")
})

test('the notes of a file are printed, and its output if it fails', () => {
  const noting = (end: string) => file(`test('a', () => { note('7 seas'); console.log('wet'); ${end} })`, 'test.run()')
  const quiet = run({ a: noting('') })
  reports(quiet, '1 passed, 0 failed', '7 seas')
  assert.not.ok(quiet.printed.includes('wet'))
  reports(run({ a: noting('throw 0') }), '0 passed, 1 failed', '7 seas', 'wet')
})

const property = (body: string): readonly string[] => [
  `import fc from ${JSON.stringify(import.meta.resolve('fast-check'))}`,
  `import { holds } from ${ours('holds.js')}`,
  ...file(`test('small', () => { ${body} })`, 'test.run()')
]

test('the cases of a property are counted, and scaled by --runs', () => {
  const fine = property('holds(fc.property(fc.nat(), (n) => n >= 0), { runs: 30 })')
  reports(run({ a: fine, b: good }), '2 passed, 0 failed', 'seed 20260921', '30 cases')
  reports(run({ a: fine }, '--runs', '2.5'), '1 passed, 0 failed', '75 cases')
})

test('a counterexample is shrunk, and the printed command replays it at once', () => {
  const wrong = property('holds(fc.property(fc.nat(), (n) => n < 1000), { runs: 300 })')
  const first = run({ a: wrong })
  reports(first, '0 passed, 1 failed', 'does not hold for [1000]')
  const [, seed = '', path = ''] = /--seed (\d+) --runs 1 --path (\S+)$/m.exec(first.printed) ?? []
  assert.is(seed, '20260921', first.printed)
  reports(run({ a: wrong }, '--seed', seed, '--path', path), '0 passed, 1 failed', '[1000] (case 1, shrunk 0 times)')
  reports(run({ a: wrong }, '--seed', '7'), '0 passed, 1 failed', 'seed 7', 'does not hold for [1000]', '--seed 7')
})

test('an invalid option is rejected', () => {
  for (const options of [['--seed', 'x'], ['--seed', '1.5'], ['--runs', '0'], ['--what']])
    assert.is(run({ a: good }, ...options).code, 1)
})

test.run()
