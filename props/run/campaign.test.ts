/** Long runs that are divided: what shards count and find adds up to the whole run. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { type Report, merged, ownOf, shardOf } from './campaign.js'
import { needsQemu } from './qemu.js'
import { suite } from './suite.js'

const test = suite('campaign')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-campaign-'))
test.after(() => rmSync(folder, { recursive: true }))

const run = (tool: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL(`../tools/${tool}.js`, import.meta.url)), ...args], {
    encoding: 'utf8'
  })

/** The report of a run, without what the clock says. */
const reportOf = (tool: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = run(tool, ...args, '--output', 'json')
  assert.is(stderr, '')
  assert.is(status, 0, stdout)
  return stdout.replace(/"milliseconds":\d+/g, '"milliseconds":0')
}

const sorted = (json: string): unknown =>
  JSON.parse(json, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value
  )

/** Two shards of a run are merged, and compared with the whole run. */
const addsUp = (tool: string, ...args: readonly string[]): void => {
  const files = ['1/2', '2/2'].map((shard, i) => {
    const file = join(folder, `${tool}-${i}.jsonl`)
    writeFileSync(file, reportOf(tool, ...args, '--shard', shard))
    return file
  })
  assert.equal(sorted(reportOf(tool, '--merge', ...files)), sorted(reportOf(tool, ...args)))
}

test('two shards of crash add up to the whole run', () => addsUp('crash', '--scripts', '3', '--seed', '3'))

test('two shards of exhaustive add up to the whole run', () => addsUp('exhaustive', '--length', '1'))

needsQemu(test)('two shards of differential add up to the whole run', () =>
  addsUp('differential', '--scripts', '4', '--seed', '3')
)

needsQemu(test)('two shards of crash:qemu add up to the whole run', () =>
  addsUp('crash-qemu', '--scripts', '2', '--seed', '5')
)

const find = { kind: 'a', count: 1, size: 3, lines: ['three'] }

test('of finds of one kind the shortest is kept, and all are counted', () => {
  const shard = (...finds: Report['finds']): Report => ({ run: 'r', counts: { all: { n: 2 } }, finds })
  assert.equal(
    merged([
      shard(find, { kind: 'b', count: 1, size: 1, lines: [] }),
      shard({ ...find, count: 2, size: 2, lines: ['two'] })
    ]),
    {
      run: 'r',
      counts: { all: { n: 4 } },
      finds: [
        { kind: 'a', count: 3, size: 2, lines: ['two'] },
        { kind: 'b', count: 1, size: 1, lines: [] }
      ]
    }
  )
})

test('shards are a partition', () => {
  const all = [0, 1, 2, 3, 4, 5, 6]
  const shards = ['1/3', '2/3', '3/3'].map((text) => ownOf(all, shardOf(text)))
  assert.equal(shards.flat().sort(), all)
  assert.equal(shards[1], [1, 4])
})

test('what is no shard, no number or no report is refused, and ends the run with exit code 2', () => {
  const other = join(folder, 'other.jsonl')
  writeFileSync(other, ['a', 'b'].map((name) => `${JSON.stringify({ run: name, counts: {}, finds: [] })}\n`).join(''))
  const text = join(folder, 'text.jsonl')
  writeFileSync(text, 'no JSON\n')
  for (const [args, said] of [
    [['--shard', '3/2'], /k\/n with k from 1 to n/],
    [['--length', '0'], /--length 0: a whole number from 1 on/],
    [['--output', 'xml'], /human or json/],
    [['--merge'], /--merge takes the files/],
    [['--merge', other], /no shards of one run: 'a' and 'b'/],
    [['--merge', text], /text\.jsonl: no report of a run/],
    [['--unknown'], /unknown/i]
  ] as const) {
    const { status, stderr } = run('exhaustive', ...args)
    assert.is(status, 2, args.join(' '))
    assert.match(stderr, said)
  }
})

test.run()
