/** Files that are cut off: info finds what they lack, and convert warns of it or refuses it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { type Issue, issueJson } from '../../src/bytes/issue.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { readInfo } from '../../src/image/info.js'
import { execute } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere, valueOf } from './outcome.js'

const test = suite('files that are cut off')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-cut-off-'))
const place = (name: string): string => join(folder, name)
test.after(() => {
  rmSync(folder, { recursive: true })
})

const whole = place('whole.qcow2')
test.before(async () => {
  await runHere('create', '-q', whole, '64M')
  await runHere('io', '-c', 'write -q -P 7 0 32M', whole)
})

/** The first bytes of the image, under this name. */
const cutTo = (bytes: number, name = `${bytes}.qcow2`): string => {
  writeFileSync(place(name), readFileSync(whole).subarray(0, bytes))
  return place(name)
}

/** The offset in the L1 or L2 entry at a byte. */
const offsetAt = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64BE(at) & 0x00ff_ffff_ffff_fe00n)

/** What is found past the end of a file of these bytes. */
const pastEndOf = (bytes: Uint8Array): readonly Issue[] => {
  const info = runSync(readInfo(bytes.length), { read: fromMemory(bytes), emit: () => undefined })
  return E.isRight(info) ? info.right.pastEnd : []
}

/** The clauses of that, and the structures. */
const clausesOf = (bytes: Uint8Array): readonly string[] =>
  pastEndOf(bytes).map(({ clause, structure }) => `${clause} ${structure}`)

test('info finds the tables and the clusters that a file ends before', () => {
  const bytes = readFileSync(whole)
  const l1 = Number(bytes.readBigUInt64BE(40))
  const l2 = offsetAt(bytes, l1)
  const cases: readonly (readonly [length: number, found: readonly string[]])[] = [
    [bytes.length, []],
    [bytes.length - 65536, ['CHK-05 last refcount']],
    [1_000_000, ['CHK-05 last refcount']],
    [l2, ['GEN-05 L1 table entry', 'CHK-05 last refcount']],
    [l1 + 4, ['GEN-03 L1 table', 'CHK-05 last refcount']],
    [131_072, ['GEN-05 L1 table', 'GEN-05 refcount table entry']],
    [65_536, ['GEN-05 L1 table', 'GEN-05 refcount table']]
  ]
  for (const [length, found] of cases) assert.equal(clausesOf(bytes.subarray(0, length)), found, `${length}`)
})

test('an issue of a table that is cut off has its place, and how much of it is left', () => {
  const bytes = readFileSync(whole)
  const at = Number(bytes.readBigUInt64BE(40))
  const [first] = pastEndOf(bytes.subarray(0, at + 4))
  assert.equal(first === undefined ? first : issueJson(first), {
    clause: 'GEN-03',
    phase: 'inconsistent',
    source: 'format',
    structure: 'L1 table',
    field: '',
    at,
    size: 8,
    found: `4 of its 8 bytes before the end of the file at byte ${at + 4}`,
    expected: 'all of them; what is missing reads as zeros'
  })
})

test('info finds nothing past the end of an image that qemu-img check finds no fault in', () => {
  const sound = names().filter((name) => !name.startsWith('broken-'))
  assert.ok(sound.length > 100)
  for (const name of sound) assert.equal(clausesOf(load(name).image), [], name)
})

/** The warnings of a conversion. */
const warningsOf = async (...words: readonly string[]): Promise<readonly string[]> => {
  const warnings: string[] = []
  assert.is(await valueOf(execute(words, ({ message }) => warnings.push(message))), 0)
  return warnings
}

test('convert warns of guest data past the end of a file, which it reads as zeros; with --strict it fails', async () => {
  const out = place('out')
  for (const more of [
    ['-O', 'qcow2'],
    ['-O', 'raw'],
    ['-S', '0'],
    ['-c', '-O', 'qcow2']
  ] as const) {
    assert.equal(await warningsOf('convert', '--strict', ...more, whole, out), [])
    const [cut, headless] = [cutTo(1_000_000), cutTo(65_536)]
    const data = await warningsOf('convert', ...more, cut, out)
    assert.is(data.length, 1)
    assert.match(
      data[0] ?? '',
      /^warning: '.*1000000.qcow2' is cut off: \d+ bytes of guest data, from guest byte \d+ on, lie past its end and are read as zeros \[L2-08\]$/
    )
    const tables = await warningsOf('convert', ...more, headless, out)
    assert.is(tables.length, 1)
    assert.match(tables[0] ?? '', /^warning: '.*65536.qcow2' is cut off: L1 table at byte \d+: found 0 of its 8 bytes/)
    rmSync(out)
    assert.match(await messageOf(execute(['convert', '--strict', ...more, cut, out], () => undefined)), '[L2-08]')
    assert.match(await messageOf(execute(['convert', '--strict', ...more, headless, out], () => undefined)), '[GEN-05]')
    assert.not(existsSync(out))
  }
})

test('a warning counts the guest bytes that are missing, and names the backing file that lacks them', async () => {
  const bytes = readFileSync(whole)
  const l2 = offsetAt(bytes, Number(bytes.readBigUInt64BE(40)))
  const hosts = Array.from({ length: 512 }, (_, i) => offsetAt(bytes, l2 + 8 * i))
  const end = 1_000_000
  const missing = hosts.map((host) => Math.max(0, Math.min(65536, host + 65536 - end)))
  const cluster = missing.findIndex((n) => n > 0)
  const first = (cluster + 1) * 65536 - (missing[cluster] ?? 0)
  cutTo(end, 'base.qcow2')
  const overlay = place('overlay.qcow2')
  await runHere('create', '-q', '-b', 'base.qcow2', '-F', 'qcow2', overlay)
  const [warning] = await warningsOf('convert', overlay, place('out'))
  const found = /'([^']*)' is cut off: (\d+) bytes of guest data, from guest byte (\d+) on/.exec(warning ?? '')
  assert.equal(found?.slice(1), [place('base.qcow2'), `${missing.reduce((a, b) => a + b)}`, `${first}`])
})

test.run()
