/** Options that qemu-img has: a script that uses them gets the same answer here. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { needsQemu } from '../qemu.js'
import { suite } from '../suite.js'

const test = suite('like qemu-img')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-options-'))

test.before(() => {
  for (const name of ['case-54-bitmaps', 'case-01-empty-v3', 'broken-l2-reserved-low'])
    writeFileSync(join(folder, `${name}.qcow2`), load(name).image)
  for (const name of reported) writeFileSync(join(folder, `${name}.qcow2`), load(name).image)
  writeFileSync(join(folder, 'raw'), Buffer.alloc(2 ** 20, 1))
  const make = (image: string, ...options: readonly string[]): unknown =>
    spawnSync(process.execPath, [main, 'create', '-q', image, ...options], { cwd: folder })
  make('empty.qcow2', '0')
  make('longer.qcow2', '3M')
  spawnSync(process.execPath, [main, 'io', '-c', 'write 2M 64k', 'longer.qcow2'], { cwd: folder })
  mkdirSync(join(folder, 'inner'))
  for (const place of ['.', 'inner']) {
    make(`${place}/base.qcow2`, '1M')
    spawnSync(process.execPath, [main, 'io', '-c', 'write 64k 64k', `${place}/base.qcow2`], { cwd: folder })
    make(`${place}/over.qcow2`, '-b', 'base.qcow2', '-F', 'qcow2')
  }
})

test.after(() => {
  rmSync(folder, { recursive: true })
})

const answer = (command: string, args: readonly string[]): readonly unknown[] => {
  const { status, stdout } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  return [status, stdout]
}

/** What an option does to an image: lines that make, change and tell, the last of which tell all of it. */
const scripts: readonly (readonly string[])[] = [
  [
    'create -q -f qcow2 there.qcow2 4M',
    'convert -n -C -f raw -O qcow2 raw there.qcow2',
    'convert -n -O qcow2 longer.qcow2 there.qcow2',
    'compare longer.qcow2 there.qcow2',
    'convert -n --target-is-zero -c -O qcow2 case-54-bitmaps.qcow2 there.qcow2',
    'convert -n -O qcow2 there.qcow2 base.qcow2',
    'map --output=json base.qcow2',
    'convert -n -O qcow2 absent.qcow2 there.qcow2'
  ],
  ['convert -O raw over.qcow2 longer.qcow2 both.raw', 'compare -s -f raw both.raw -F raw both.raw'],
  ['convert --target-is-zero -O raw over.qcow2 x.raw', 'convert -n -o size=1M -O qcow2 over.qcow2 base.qcow2'],
  ['convert -m 17 -O raw over.qcow2 x.raw', 'convert -S 100 -O raw over.qcow2 x.raw'],
  [
    'bitmap --add -g 64k over.qcow2 b',
    'bitmap --merge bitmap0 -b case-54-bitmaps.qcow2 -F qcow2 over.qcow2 b',
    'convert --bitmaps -O qcow2 over.qcow2 with.qcow2',
    'info --output=json with.qcow2',
    'bitmap --remove --image-opts driver=qcow2,file.filename=with.qcow2 b',
    'check --image-opts driver=qcow2,file.filename=with.qcow2'
  ],
  [
    'create -q -b longer.qcow2 -F qcow2 moved.qcow2 2560k',
    'rebase -b base.qcow2 -F qcow2 moved.qcow2',
    'compare moved.qcow2 longer.qcow2',
    'map --output=json moved.qcow2',
    'rebase -b  moved.qcow2',
    'compare moved.qcow2 longer.qcow2',
    'rebase -b absent.qcow2 -F qcow2 moved.qcow2'
  ],
  ['create -f raw new.raw 1000', 'resize -f raw new.raw 1M', 'info -f raw new.raw'],
  ['create -f foo -f qcow2 -o cluster_size=4k new.qcow2 1M', 'create -f qcow2 -o , new.qcow2 1M', 'info -f raw new.raw']
]

/** What both are to answer with the same text and the same exit code. */
const lines: readonly string[] = [
  'map -f qcow2 -U --output=json --start-offset=64k --max-length=100k case-54-bitmaps.qcow2',
  'map --output=json --start-offset=1000 case-54-bitmaps.qcow2',
  'map --output json --max-length 1 case-01-empty-v3.qcow2',
  'check -f qcow2 -T none -U -q case-54-bitmaps.qcow2',
  'check -q broken-l2-reserved-low.qcow2',
  'compare -f qcow2 -F qcow2 -T none -U -p -q case-54-bitmaps.qcow2 case-01-empty-v3.qcow2',
  'compare -f raw -F raw raw raw',
  'compare -f qcow2 -F raw case-01-empty-v3.qcow2 raw',
  'compare -s -f raw -F qcow2 raw case-54-bitmaps.qcow2',
  'compare longer.qcow2 case-01-empty-v3.qcow2',
  'compare case-01-empty-v3.qcow2 longer.qcow2',
  'commit -f qcow2 -t none -r 1M over.qcow2',
  'create -q -f qcow2 -o nolazy_refcounts,lazy_refcounts x.qcow2 1M',
  'convert -T none -t none -U -W -m 4 -r 1G -O raw over.qcow2 out.raw',
  'map --output=json empty.qcow2',
  'map empty.qcow2',
  'map over.qcow2',
  'map ./over.qcow2',
  'map --output=json inner/over.qcow2',
  'map inner/over.qcow2'
]

/** Images of which qemu-img's report is the beginning of the one here. */
const reported = [
  'case-27-lazy-refcounts-crashed',
  'case-49-snapshots',
  'case-37-data-file',
  'case-38-data-file-raw'
] as const

needsQemu(test)('the same line gets the same answer', () => {
  for (const line of lines) {
    const args = line.split(' ')
    assert.equal(answer(process.execPath, [main, ...args]), answer('qemu-img', args), line)
  }
})

needsQemu(test)('a report begins with that of qemu-img', () => {
  const text = (command: string, args: readonly string[]): string =>
    spawnSync(command, args, { cwd: folder, encoding: 'utf8' }).stdout
  for (const name of [...reported.map((n) => `${n}.qcow2`), 'inner/over.qcow2']) {
    const [theirs, ours] = [text('qemu-img', ['info', name]), text(process.execPath, [main, 'info', name])]
    assert.ok(theirs.length > 0)
    assert.is(ours.slice(0, theirs.length), theirs, name)
  }
})

needsQemu(test)('a chain is told layer by layer, as by qemu-img', () => {
  const [names, more] = [['inner/over.qcow2', 'inner/base.qcow2'], /^(features|extensions|findings|verdict): .*\n/gm]
  const [theirs, ours] = [
    answer('qemu-img', ['info', '--backing-chain', 'inner/over.qcow2']),
    answer(process.execPath, [main, 'info', '--backing-chain', 'inner/over.qcow2'])
  ]
  assert.equal([ours[0], String(ours[1]).replace(more, '')], theirs)
  const told: unknown = JSON.parse(
    String(answer(process.execPath, [main, 'info', '--backing-chain', '--output=json', 'inner/over.qcow2'])[1])
  )
  assert.equal(Array.isArray(told) ? told.map((l: { readonly filename: string }) => l.filename) : [], names)
})

test('options of new images are told to those who ask', () => {
  const [code, text] = answer(process.execPath, [main, 'create', '-o', 'help', 'x.qcow2'])
  assert.is(code, 0)
  assert.match(String(text), /^Supported options:\n(  \w+ - .+\n){12}$/)
})

test('a format that is not known is refused', () => {
  assert.equal(answer(process.execPath, [main, 'check', '-f', 'raw', 'raw']), [1, ''])
})

test.run()
