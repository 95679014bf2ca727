/** `--like`: reports equal those of QEMU 10 and 11, to the entry and the line. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { needsQemu } from '../run/qemu.js'
import { type Qemu, qemus } from '../run/qemus.js'
import { suite } from '../run/suite.js'
import { runLines } from './run-lines.js'

const test = suite('like newer QEMU')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-like-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** One image of so many of the corpus. */
const each = 29

const sample = names().filter((_, i) => i % each === 0)
const more = ['case-52-vm-state', 'case-54-bitmaps', 'case-34-compressed-overwritten', 'case-37-data-file']

/** The lines on an image whose output both print. */
const linesOf = (image: string): readonly (readonly string[])[] => [
  ['info', image],
  ['info', '--output=json', image],
  ['map', '--output=json', image],
  ['snapshot', '-l', image]
]

/** The keys of a report that are ours alone. */
const own = new Set(['features', 'extensions', 'findings', 'notes', 'verdict', 'left-out'])

/** What both print of a report: ours goes on with the features. */
const shared = (words: readonly string[], text: string): unknown => {
  if (words[0] !== 'info') return text
  if (!words.includes('--output=json')) return text.replace(/^features: [^]*/m, '')
  const report: unknown = JSON.parse(text)
  return Object.fromEntries(Object.entries(report ?? {}).filter(([key]) => !own.has(key)))
}

/** The images that are there, each in a folder. */
const scene = (): readonly string[] =>
  [...new Set([...sample, ...more])].map((name) => {
    const cwd = join(folder, name)
    mkdirSync(cwd, { recursive: true })
    for (const [file, bytes] of load(name).files) writeFileSync(join(cwd, file), bytes)
    return cwd
  })

const keepAlike = async (qemu: Qemu): Promise<void> => {
  const jobs = scene().flatMap((cwd) => linesOf('img.qcow2').map((words) => ({ cwd, words })))
  const [file, ...args] = qemu.command('qemu-img')
  const ours = await runLines(
    jobs.map(({ cwd, words: [verb = '', ...rest] }) => {
      return { cwd, words: [verb, '--like', qemu.series, ...rest] }
    })
  )
  let compared = 0
  for (const [i, { cwd, words }] of jobs.entries()) {
    const mine = ours[i]
    const theirs = spawnSync(file, [...args, ...words], { cwd, encoding: 'utf8' })
    if (theirs.status !== 0 || mine?.status !== 0) continue
    compared += 1
    assert.equal(shared(words, mine.stdout), shared(words, theirs.stdout), `${cwd}: ${words.join(' ')}`)
  }
  assert.ok(compared > jobs.length / 4, `${compared} of ${jobs.length}`)
}

test('snapshot takes --like 10 only to list', async () => {
  const cwd = join(folder, 'listed')
  mkdirSync(cwd)
  for (const [file, bytes] of load('case-52-vm-state').files) writeFileSync(join(cwd, file), bytes)
  const lines = await runLines(
    [['-l'], ['-c', 'new']].map((words) => ({ cwd, words: ['snapshot', '--like', '10', ...words, 'img.qcow2'] }))
  )
  assert.equal(
    lines.map(({ status }) => status),
    [0, 1]
  )
  assert.match(lines[1]?.stderr ?? '', /--like is only for -l/)
  assert.equal(readFileSync(join(cwd, 'img.qcow2')), Buffer.from(load('case-52-vm-state').files.get('img.qcow2') ?? []))
})

for (const series of ['10', '11'] as const) {
  const qemu = qemus().find((one) => one.series === series)
  const title = `info, map and snapshot -l print what QEMU ${series} prints`
  if (qemu === undefined) test.skip(title, `there is no qemu-img ${series}`)
  else needsQemu(test)(title, () => keepAlike(qemu))
}

test.run()
