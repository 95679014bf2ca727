/** `npm run mutate`: which mutants it generates and draws, which tests try them, and what it reports. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { builtWith } from './campaign.js'
import { intervalsOf, ran } from './coverage.js'
import { equivalent } from './equivalent.js'
import { generate } from './generated.js'
import { type Court, judge } from './judge.js'
import { compile } from './mutate.js'
import type { Probe } from './probes.js'
import { recordsOf, report } from './score.js'
import { ownOf, shardOf } from '../run/campaign.js'
import { changedSince, mutantsAt, sample } from './selection.js'
import { runCovered, runTrial, type Settings } from './trial.js'

const test = suite('generated mutants')
const root = fileURLToPath(new URL('../../..', import.meta.url))

const keysOf = (text: string): readonly string[] => generate('f.ts', text).map(({ key }) => key.slice('f.ts '.length))

test('every place of a source gets the mutants of each operator, none twice', () => {
  assert.equal(keysOf('const f = (a: 1, b: boolean) => {\n  if (b) return a\n  g(a + 2)\n  return 0n\n}'), [
    'f: if ([-b-]{+!(b)+}) return a',
    'f: [-if (b) return a-]{+;+}',
    'f: if (b) return [-a-]{+!(a)+}',
    'f: if (b) return [-a-]{+undefined+}',
    'f: if (b) return [-a-]{+0+}',
    'f: if (b) return [-a-]{+[]+}',
    'f: if (b) [-return a-]{+;+}',
    'f: [-g(a + 2)-]{+;+}',
    'f: g(a [-+-]{+-+} 2)',
    'f: g(a + [-2-]{+(3)+})',
    'f: g(a + [-2-]{+(1)+})',
    'f: return [-0n-]{+!(0n)+}',
    'f: return [-0n-]{+undefined+}',
    'f: return [-0n-]{+0+}',
    'f: return [-0n-]{+[]+}',
    'f: [-return 0n-]{+;+}',
    'f: return [-0n-]{+(1n)+}',
    'f: return [-0n-]{+(-1n)+}'
  ])
})

test('texts are changed only when that is asked for', () => {
  const text = "import 'a'\nexport const f = (a: 'b') => g('c', a)"
  assert.equal(
    generate('f.ts', text, ['text']).map(({ key }) => key),
    ["f.ts f: export const f = (a: 'b') => g([-'c'-]{+''+}, a)"]
  )
})

test('a sample does not depend on the order of the mutants, and its shards are a partition of it', () => {
  const all = mutantsAt(root, ['src/bytes'])
  assert.ok(all.length > 500, String(all.length))
  const drawn = sample(all, 50, 7)
  assert.equal(sample(all.toReversed(), 50, 7), drawn)
  assert.not.equal(sample(all, 50, 8), drawn)
  assert.equal(sample(all, 20, 7), drawn.slice(0, 20))
  const shards = ['1/3', '2/3', '3/3'].map((text) => ownOf(drawn, shardOf(text)))
  assert.equal(new Set(shards.flat()), new Set(drawn))
  assert.equal(
    shards.map(({ length }) => length),
    [17, 17, 16]
  )
})

test('every mutant in the list of equivalents is generated', () => {
  const files = [...new Set(Object.keys(equivalent).map((key) => key.split(' ', 1)[0] ?? ''))]
  const keys = new Set(
    files
      .filter((file) => existsSync(join(root, 'src', file)))
      .flatMap((file) => mutantsAt(root, [file]))
      .map(({ key }) => key)
  )
  assert.equal(
    Object.keys(equivalent).filter((key) => !keys.has(key)),
    []
  )
})

/** Nested ranges as V8 writes them, and the answer for each offset: that of the innermost range. */
const arbitraryRanges = fc
  .array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 }), fc.nat({ max: 2 })), { maxLength: 12 })
  .map((drawn) =>
    drawn
      .filter(([a, b]) => a !== b)
      .map(([a, b, count]) => ({ startOffset: Math.min(a, b), endOffset: Math.max(a, b), count }))
      .reduce<readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[]>(
        (kept, each) =>
          kept.every(
            (other) =>
              each.endOffset <= other.startOffset ||
              other.endOffset <= each.startOffset ||
              (each.startOffset > other.startOffset && each.endOffset < other.endOffset) ||
              (each.startOffset < other.startOffset && each.endOffset > other.endOffset)
          )
            ? [...kept, each]
            : kept,
        []
      )
  )

test('code has run if the innermost range around it has a count', () => {
  holds(
    fc.property(arbitraryRanges, (ranges) => {
      const intervals = intervalsOf(ranges)
      for (let at = 0; at <= 20; at++) {
        const around = ranges.filter(({ startOffset, endOffset }) => startOffset <= at && at < endOffset)
        const [innermost] = [...around].sort((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset))
        assert.is(ran(intervals, at), (innermost?.count ?? 0) > 0, String(at))
      }
    }),
    { runs: 1000 }
  )
})

const probeOf = (change: Partial<Probe>): Probe => ({
  hash: '',
  failed: [],
  cpu: 1,
  cases: 0,
  needsQemu: false,
  coverage: {},
  ...change
})

/** Judges a mutant of `image/a.ts` by test files with these probes; a test file in `red` fails in the stage of that number. */
const judged = async (
  probes: Readonly<Record<string, Partial<Probe>>>,
  red: Readonly<Record<string, number>> = {},
  budget = 100
): Promise<readonly [text: string, ...trials: readonly string[]]> => {
  const trials: string[] = []
  const stageOf = ({ runs, withQemu }: Settings): number => (withQemu ? 3 : runs === 1 ? 2 : 1)
  const court: Court = {
    budget,
    probes: {
      candidates: () => new Map(Object.keys(probes).map((path) => [path, 3])),
      knownCpu: () => undefined,
      probe: (path) => Promise.resolve(probeOf(probes[path] ?? {}))
    },
    trial: (paths, settings) => {
      trials.push(`${stageOf(settings)}: ${paths.join(' ')}`)
      const failed = paths.filter((path) => red[path] === stageOf(settings))
      const accounts = paths.map((path) => ({
        path,
        registered: [],
        passed: 1,
        failed: [],
        cases: 0,
        skipped: 0,
        cpu: 1
      }))
      return Promise.resolve({ accounts, failed, stopped: false })
    }
  }
  const { outcome, by, leftOut } = await judge('image/a.ts', ({ hash }) => hash !== 'elsewhere', court)
  return [[outcome, by ?? 'nothing', leftOut].join(' '), ...trials]
}

test('a mutant is tried with few cases, with all, and with QEMU, until a test fails', async () => {
  const probes = { 'props/node/b': { needsQemu: true }, 'props/image/a': { cpu: 3, cases: 7 }, 'props/node/c': {} }
  const few = ['1: props/image/a', '1: props/node/b props/node/c']
  assert.equal(await judged(probes), ['survived nothing 0', ...few, '2: props/image/a', '3: props/node/b'])
  assert.equal(await judged(probes, { 'props/node/c': 1 }), ['killed props/node/c 0', ...few])
  assert.equal(await judged(probes, { 'props/image/a': 2 }), ['killed props/image/a 0', ...few, '2: props/image/a'])
  assert.is((await judged(probes, { 'props/node/b': 3 }))[0], 'killed props/node/b 0')
})

test('the test that mirrors the source of a mutant comes first, then those of its room', async () => {
  const names = ['props/node/b', 'props/image/check/c', 'props/node/d', 'props/image/e', 'props/image/a.test.ts']
  const [, ...trials] = await judged(Object.fromEntries(names.map((name) => [name, {}])))
  const room = '1: props/image/e props/image/check/c'
  assert.equal(trials, ['1: props/image/a.test.ts', room, '1: props/node/b props/node/d'])
})

test('a test file that fails without the mutant, or does not reach it, is no witness', async () => {
  assert.equal(await judged({ a: { failed: ['a'] }, b: { hash: 'elsewhere' } }, { a: 1, b: 1 }), [
    'unreached nothing 0'
  ])
})

test('test files that are too slow for the budget are left out, and counted', async () => {
  const slow = { a: { cpu: 2 }, b: { cpu: 9 } }
  assert.equal(await judged(slow, { b: 1 }, 9), ['survived nothing 1', '1: a'])
})

const settings = { runs: 0.1, withQemu: false, cpuLimit: 60 }

test('a trial runs its test files in one process, and ends at the first that fails', async () => {
  const paths = ['props/format/l1.test.ts', 'props/format/none.test.ts', 'props/format/l2.test.ts']
  const { accounts, failed, stopped } = await runTrial(root, paths, settings)
  assert.equal(
    accounts.map(({ path }) => path),
    paths.slice(0, 2)
  )
  assert.equal(failed, ['props/format/none.test.ts'])
  assert.not.ok(stopped)
})

test('the coverage of a test file has the code that it reaches', async () => {
  const { result, coverage } = await runCovered(root, 'props/format/l1.test.ts', settings)
  assert.equal(result.failed, [])
  const built = readFileSync(join(root, 'dist/src/format/l1.js'), 'utf8')
  assert.ok(ran(coverage['format/l1.ts'] ?? [], built.indexOf('l1Entry')))
  assert.is(coverage['image/info.ts'], undefined)
})

test('a mutant differs from the build at its first changed code, and not at all where only types change', () => {
  const source = readFileSync(join(root, 'src/format/l1.ts'), 'utf8')
  const built = readFileSync(join(root, 'dist/src/format/l1.js'), 'utf8')
  assert.is(built, `${compile(source)}//# sourceMappingURL=l1.js.map`)
  const end = { start: source.length, end: source.length }
  assert.is(builtWith(source, { ...end, text: 'type Unused = 1\n' }), undefined)
  assert.is(builtWith(source, { ...end, text: 'f()\n' })?.offset, compile(source).length)
})

test('changed lines are those that differ from a revision, and all of a new file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-changed-'))
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder, encoding: 'utf8' })
  const write = (name: string, text: string): void => writeFileSync(join(folder, 'src', name), text)
  mkdirSync(join(folder, 'src'))
  git('init', '--quiet')
  write('a.ts', 'f(1)\nf(2)\nf(3)\n')
  git('add', '.')
  git('commit', '--quiet', '--message', 'a')
  write('a.ts', 'f(1)\nf(7)\nf(3)\nf(4)\n')
  write('b.ts', 'f(5)\n')
  const places = changedSince(folder, 'HEAD', mutantsAt(folder, [])).map(({ file, line }) => `${file}:${line}`)
  rmSync(folder, { recursive: true })
  assert.equal([...new Set(places)], ['a.ts:2', 'a.ts:4', 'b.ts:1'])
})

test('a report counts outcomes by folder, and names the mutants that nothing finds', () => {
  const line = (file: string, outcome: string, line: number): string =>
    JSON.stringify({ key: `${file} f: x`, file, line, operator: 'boundary', outcome, cpu: 2 })
  const lines = [line('image/check/a.ts', 'killed', 1), line('image/check/a.ts', 'survived', 2)]
  const records = recordsOf([...lines, line('bytes/b.ts', 'types', 3), ''].join('\n'))
  assert.equal(report(records), [
    'survived at line 2: image/check/a.ts f: x',
    'src                           types equivalent     killed    stopped   survived  unreached     score',
    'bytes                             1          0          0          0          0          0         -',
    'image/check                       0          0          1          0          1          0    50.0 %',
    'all                               1          0          1          0          1          0    50.0 %',
    '6 s of CPU time in trials, 2.0 s at the median of the killed'
  ])
  assert.throws(() => recordsOf('{}'), /is no record of a mutant/)
})

test.run()
