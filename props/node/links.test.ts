/** Commands on images whose backing file or data file is a link: the file that it leads to decides. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { execute } from '../../src/node/program.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'

const test = suite('links')

const root = realpathSync(mkdtempSync(join(tmpdir(), 'qcow2-links-')))
const at = (path: string): string => join(root, path)
const secret = 'what lies outside\n'.repeat(512)

const failureOf = (...words: readonly string[]): Promise<string> => messageOf(execute(words, () => undefined))

test.before(async () => {
  for (const folder of ['in', 'out']) mkdirSync(at(folder))
  for (const name of ['raw', 'data']) writeFileSync(at(`out/${name}`), secret)
  writeFileSync(at('in/raw'), secret)
  await runHere('create', '-q', at('out/image'), '64k')
  copyFileSync(at('out/image'), at('in/image'))
  await runHere('create', '-q', '-b', 'raw', '-F', 'raw', at('in/overlay'))
  await runHere('create', '-q', '-b', 'image', '-F', 'qcow2', at('in/over-image'))
  await runHere('create', '-q', '-o', 'data_file=data', at('in/parted'), '8k')
  await runHere('io', '-c', 'write -q 0 4k', at('in/overlay'))
  await runHere('io', '-c', 'write -q 0 4k', at('in/over-image'))
  for (const name of ['raw', 'image', 'data']) {
    rmSync(at(`in/${name}`))
    symlinkSync(`../out/${name}`, at(`in/${name}`))
  }
})
test.after(() => {
  rmSync(root, { recursive: true })
})

test('a file that a link in the folder of the image leads to is neither read nor written', async () => {
  const [overlay, image, parted] = ['overlay', 'over-image', 'parted'].map((name) => at(`in/${name}`))
  const before = ['raw', 'image', 'data'].map((name) => readFileSync(at(`out/${name}`)))
  const commands: readonly (readonly string[])[] = [
    ...[overlay, image, parted].flatMap((name = '') => [
      ['read', name, '0', '4k'],
      ['map', name],
      ['convert', name, at('copy')],
      ['compare', name, name],
      ['io', '-c', 'write -q 0 512', name],
      ['io', '-r', '-c', 'read -q 0 512', name]
    ]),
    ['commit', overlay ?? ''],
    ['commit', image ?? ''],
    ['rebase', '-b', '', overlay ?? ''],
    ['info', '--backing-chain', overlay ?? ''],
    ['check', parted ?? ''],
    ['check', '-r', 'all', parted ?? ''],
    ['snapshot', '-c', 's', parted ?? ''],
    ['bitmap', '--add', parted ?? '', 'b']
  ]
  for (const words of commands)
    assert.match(await failureOf(...words), `outside the image's folder; --allow ${at('out')} lets it`, words.join(' '))
  assert.equal(
    ['raw', 'image', 'data'].map((name) => readFileSync(at(`out/${name}`))),
    before
  )
})

test('--allow permits the file that a link leads to, for reading and for writing', async () => {
  const [image, parted] = ['over-image', 'parted'].map((name) => at(`in/${name}`))
  for (const words of [
    ['check', '-q', parted],
    ['io', '-c', 'write -q -P 7 0 512', parted],
    ['bitmap', '--add', parted, 'b'],
    ['commit', '-q', image]
  ])
    await runHere(...words.map(String), '--allow', at('out'))
  assert.is(readFileSync(at('out/data'))[0], 7)
  assert.ok(readFileSync(at('out/image')).length > 3 * 2 ** 16, 'the base has a data cluster')
})

test('a data file that is named by its whole path is opened in the folder of the image, and elsewhere if allowed', async () => {
  await runHere('create', '-q', '-o', `data_file=${at('in/d.raw')}`, at('in/whole'), '64k')
  await runHere('io', '-c', 'write -q -P 7 0 512', at('in/whole'))
  await runHere('check', '-q', at('in/whole'))
  assert.is(readFileSync(at('in/d.raw'))[0], 7)
  await runHere('create', '-q', '-o', `data_file=${at('out/d.raw')}`, at('in/away'), '64k')
  assert.match(await failureOf('check', at('in/away')), `it lies outside the image's folder; --allow ${at('out')} lets`)
  await runHere('check', '-q', '--allow', at('out'), at('in/away'))
  await runHere('compare', '-q', '--allow', at('out'), at('in/away'), at('in/away'))
})

needsQemu(test)("qemu-img's data file with a whole path is the same file here", async () => {
  spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${at('in/q.raw')}`, at('in/q'), '64k'])
  await runHere('io', '-c', 'write -q -P 9 0 512', at('in/q'))
  assert.is(spawnSync('qemu-io', ['-r', '-c', 'read -P 9 0 512', at('in/q')]).status, 0)
})

/** Commits with each name of a base, in the folder of all; what is printed but for the name of the program. */
const commits = (...command: readonly string[]): readonly string[] =>
  ['sub/mid', 'top', 'nothing', 'mid', './base', at('in/sub/base')].map((base) => {
    const words = [at('in'), ...command, 'commit', '-b', base, 'sub/top']
    const { status, stdout, stderr } = spawnSync('sh', ['-c', 'cd "$0" && exec "$@"', ...words], { encoding: 'utf8' })
    return `${status} ${stdout}${stderr.replace(/^qemu-img: |^qcow2: /, '')}`
  })

test('a base is named from the folder of the layer above it', async () => {
  mkdirSync(at('in/sub'))
  await runHere('create', '-q', at('in/sub/base'), '64k')
  await runHere('create', '-q', '-b', 'base', '-F', 'qcow2', at('in/sub/mid'))
  await runHere('create', '-q', '-b', 'mid', '-F', 'qcow2', at('in/sub/top'))
  const done = commits(process.execPath, fileURLToPath(new URL('../../src/node/main.js', import.meta.url)))
  assert.equal(done, [
    ...['sub/mid', 'top', 'nothing'].map((base) => `1 Did not find '${base}' in the backing chain of 'sub/top'\n`),
    ...Array.from({ length: 3 }, () => '0 Image committed.\n')
  ])
  if (qemu !== undefined) assert.equal(commits('qemu-img'), done)
})

test.run()
