/** The harness of hostile inputs: it counts edges, finds a mutant, and finds nothing in the program as it is. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import * as assert from 'uvu/assert'
import { argumentsOf } from './arguments.js'
import { Coverage, edges } from './edges.js'
import { instrument } from './instrument.js'
import { findsIn, merged, summaryIn } from './summary.js'
import { note, suite } from '../run/suite.js'

const test = suite('fuzz')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-fuzz-'))
test.after(() => rmSync(folder, { recursive: true }))

const tool = fileURLToPath(new URL('../tools/fuzz.js', import.meta.url))

/** A campaign of the tool, with a cache of its own. */
const fuzz = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string } => {
  const env = { ...process.env, XDG_CACHE_HOME: folder }
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...args], { encoding: 'utf8', env })
  assert.is(stderr, '')
  return { status, stdout }
}

test('a few thousand executions reach edges of the program, and find nothing', () => {
  const { status, stdout } = fuzz('--executions', '2000', '--seed', '7')
  const summary = summaryIn('the campaign', stdout)
  assert.equal(summary.finds, {}, stdout)
  assert.is(status, 0)
  assert.is(summary.executions, 2000)
  assert.ok(summary.edges > 2500, `${summary.edges} edges`)
  assert.ok(summary.corpus > 250, `${summary.corpus} images`)
  note(`${summary.edges} edges, inputs of ${summary.median_bytes} bytes in the median`)
})

test('a mutant is found, its image shrunk, and replayed by the command that is printed', () => {
  const mutant = ['--mutant', 'check ignores the copied flag of L2 entries', '--target', 'check']
  const { status, stdout } = fuzz(...mutant, '--executions', '2000', '--seed', '1')
  assert.is(status, 1)
  const find: unknown = JSON.parse(stdout.split('\n')[0] ?? '')
  const replay = typeof find === 'object' && find !== null && 'replay' in find ? String(find.replay) : ''
  const words = replay.replace('npm run fuzz -- ', '').match(/"[^"]*"|\S+/g) ?? []
  const options = words.map((word) => word.replaceAll('"', ''))
  assert.is(fuzz(...options).status, 1, replay)
  assert.is(fuzz(...options.slice(2)).status, 0, 'the program as it is')
})

test('counting leaves the meaning of a program as it was', () => {
  const program = [
    'const f = (n) => n > 2 ? "many" : n === 0 ? "none" : "some"',
    'function* up(n) { for (let i = 0; i < n; i++) if (i % 2 === 0) yield i; else if (i > 3) yield -i }',
    'const g = (a, b) => ({ both: a && b, one: a || b, other: a ?? b })',
    'const h = (n) => { switch (n) { case 1: return "one"; default: return "else" } }',
    'const t = (x) => { try { return x() } catch { return "caught" } }',
    'export const out = [f(3), f(0), f(1), ...up(6), g(2, 0), g(null, 1), h(1), h(2), t(() => { throw 1 }), t(() => 2)]'
  ].join('\n')
  const counted = instrument(program, 5, 'none')
  const numbers = new Uint32Array(100)
  const run = (code: string): unknown =>
    runInNewContext(`${code.replace(/^import [^;]*;/, '').replace('export const out =', 'JSON.stringify(')})`, {
      $edges: numbers
    })
  assert.is(counted.edges, 22)
  assert.is(run(counted.code), run(program))
  assert.is(numbers.filter((passes) => passes > 0).length, 22)
})

test('an edge is new once for each bucket of passes', () => {
  const coverage = new Coverage()
  const reached = [1, 1, 2, 3, 4, 7, 8, 200, 300].map((passes) => {
    edges[9] = passes
    return coverage.reached()
  })
  assert.equal(reached, [true, false, true, true, true, false, true, true, false])
  assert.is(coverage.passed, 1)
  assert.is(edges[9], 0)
})

test('the summaries of shards add up', () => {
  const one = { ...merged([]), executions: 10, cpu_seconds: 2, edges: 5, median_bytes: 100, finds: { a: 1 } }
  const other = { ...one, executions: 20, edges: 7, median_bytes: 300, finds: { a: 2, b: 1 } }
  const all = merged([one, other])
  assert.equal(
    [all.executions, all.per_cpu_second, all.edges, all.median_bytes, all.finds],
    [30, 8, 7, 200, { a: 3, b: 1 }]
  )
  assert.is(findsIn(all), 4)
  const path = join(folder, 'shard.jsonl')
  writeFileSync(path, `{"executions":3}\n${JSON.stringify(other)}\n`)
  const { status, stdout } = fuzz('--merge', path, path)
  assert.is(status, 1)
  assert.is(summaryIn('merged', stdout).executions, 40)
})

test('an option that cannot be is refused', () => {
  for (const args of [
    ['--executions', '0'],
    ['--shard', '3/2'],
    ['--target', 'none'],
    ['--replay', 'a'],
    ['--merge'],
    ['a']
  ])
    assert.throws(() => argumentsOf(args), /--/, args.join(' '))
  assert.equal(
    ['1/3', '2/3', '3/3'].map((shard) => argumentsOf(['--executions', '10', '--shard', shard]).executions),
    [4, 3, 3]
  )
})

test.run()
