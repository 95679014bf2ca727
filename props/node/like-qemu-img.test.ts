/** Options that qemu-img has: a script that uses them gets the same answer here. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

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
  make('empty-1M.qcow2', '1M')
  for (const [name, preallocation] of [
    ['sparse', 'off'],
    ['full', 'full']
  ] as const)
    make(`${name}.raw`, '-f', 'raw', '-o', `preallocation=${preallocation}`, '1M')
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

/**
 * What is done to images, by both, each in a folder of its own: all exit codes are the same, and what is printed, but for
 * reports. Lines after `!` are this program's, and print the result.
 */
const scripts: readonly (readonly string[])[] = [
  [
    'create -q -f qcow2 there.qcow2 4M',
    'convert -n -C -f raw -O qcow2 raw there.qcow2',
    'convert -n -O qcow2 longer.qcow2 there.qcow2',
    'compare longer.qcow2 there.qcow2',
    'convert -n -c -O qcow2 longer.qcow2 there.qcow2',
    'compare longer.qcow2 there.qcow2',
    'convert -n -O qcow2 there.qcow2 base.qcow2',
    'create -q -f qcow2 zeros.qcow2 1M',
    'convert -n -O qcow2 zeros.qcow2 base.qcow2',
    'compare zeros.qcow2 base.qcow2',
    'convert -n -O qcow2 there.qcow2 absent.qcow2',
    'convert -n -o size=4M -O qcow2 longer.qcow2 there.qcow2',
    'check there.qcow2'
  ],
  [
    'convert -O raw over.qcow2 longer.qcow2 both.raw',
    'convert -O qcow2 over.qcow2 longer.qcow2 both.qcow2',
    'compare -F raw both.qcow2 both.raw',
    'convert -O raw -S 0 -o preallocation=full over.qcow2 full.raw',
    'compare -F raw over.qcow2 full.raw',
    'convert -O raw -o cluster_size=4k over.qcow2 full.raw'
  ],
  ['convert -m 17 -O raw over.qcow2 x.raw', 'convert -S 100 -O raw over.qcow2 x.raw', 'convert -t x over.qcow2 x.raw'],
  [
    'create -q -f qcow2 big.qcow2 10M',
    'bitmap --add -g 4k big.qcow2 b',
    'bitmap --merge b1 --merge b2 -b case-54-bitmaps.qcow2 -F qcow2 big.qcow2 b',
    'bitmap --merge b1 -b case-54-bitmaps.qcow2 -F qcow2 over.qcow2 b',
    'convert --bitmaps -O qcow2 big.qcow2 with.qcow2',
    '! map --bitmap=b with.qcow2',
    'convert --bitmaps -O qcow2 case-54-bitmaps.qcow2 with.qcow2',
    'bitmap --remove --image-opts driver=qcow2,file.filename=with.qcow2 b0',
    '! map --bitmap=b1 with.qcow2',
    '! map --bitmap=b2 with.qcow2',
    'check with.qcow2',
    'convert --bitmaps -O raw big.qcow2 x.raw',
    'convert --bitmaps -O qcow2 -o compat=0.10 with.qcow2 x.qcow2',
    'convert --bitmaps -O qcow2 -o compat=0.10 base.qcow2 x.qcow2',
    'create -q -f qcow2 bigger.qcow2 11M',
    'convert -n --bitmaps -O qcow2 big.qcow2 bigger.qcow2',
    'bitmap --remove bigger.qcow2 b',
    'convert --skip-broken-bitmaps -O qcow2 big.qcow2 x.qcow2',
    'create -q -f qcow2 -o compat=v2 old.qcow2 1M',
    'convert --bitmaps -O qcow2 old.qcow2 x.qcow2'
  ],
  [
    'create -q -f qcow2 -b longer.qcow2 -F qcow2 moved.qcow2 2560k',
    'convert -O qcow2 moved.qcow2 same.qcow2',
    'create -q -f qcow2 huge.qcow2 1T',
    'create -q -f qcow2 other.qcow2 2T',
    'compare huge.qcow2 other.qcow2',
    'create -q -f qcow2 -b huge.qcow2 -F qcow2 top.qcow2',
    '! rebase -b other.qcow2 -F qcow2 top.qcow2',
    'rebase moved.qcow2',
    'rebase -F qcow2 moved.qcow2',
    'rebase -b base.qcow2 -F qcow2 moved.qcow2',
    'compare moved.qcow2 same.qcow2',
    'rebase -b  moved.qcow2',
    'compare moved.qcow2 same.qcow2',
    'rebase -b absent.qcow2 -F qcow2 moved.qcow2'
  ],
  [
    'create -q -f qcow2 short.qcow2 1M',
    'create -q -f qcow2 -b short.qcow2 -F qcow2 long.qcow2 2560k',
    'create -q -f qcow2 zeros.qcow2 2560k',
    'convert -O qcow2 -o backing_file=short.qcow2,backing_fmt=qcow2 long.qcow2 base.qcow2 copy.qcow2',
    'rebase -b longer.qcow2 -F qcow2 long.qcow2',
    'compare long.qcow2 zeros.qcow2',
    'convert -O qcow2 -B short.qcow2 -F qcow2 zeros.qcow2 copy.qcow2',
    'map --output=json copy.qcow2'
  ],
  [
    'create -q -f qcow2 zeros.qcow2 2560k',
    'create -q -f qcow2 -o compat=0.10 -b longer.qcow2 -F qcow2 old.qcow2 1M',
    'resize -q --preallocation=metadata old.qcow2 2560k',
    'resize -q --preallocation=falloc old.qcow2 2560k',
    'compare old.qcow2 zeros.qcow2',
    'check old.qcow2'
  ],
  [
    'create -f raw new.raw 1000',
    'resize -f raw new.raw 1M',
    'resize -f raw --preallocation=metadata new.raw 2M',
    'resize -f raw --preallocation=metadata new.raw 2M',
    'map -f qcow2 --image-opts driver=qcow2,file.filename=base.qcow2',
    'compare --image-opts driver=raw,file.filename=new.raw driver=raw,file.filename=new.raw',
    'create -f foo -f qcow2 -o cluster_size=4k new.qcow2 1M',
    'create -f qcow2 -o , new.qcow2 1M',
    'create -f qcow2 new.qcow2 1E',
    'amend -o , new.qcow2'
  ],
  [
    'create -q -f qcow2 -b longer.qcow2 -F qcow2 short.qcow2 1M',
    'resize -q --preallocation=full short.qcow2 4M',
    'map --output=json short.qcow2',
    'create -q -f qcow2 -o extended_l2=on -b longer.qcow2 -F qcow2 shorter.qcow2 1M',
    'resize -q --preallocation=falloc shorter.qcow2 4M',
    'map --output=json shorter.qcow2'
  ],
  [
    'convert -p -O qcow2 longer.qcow2 copied.qcow2',
    'convert -p -c -O qcow2 case-54-bitmaps.qcow2 copied.qcow2',
    'convert -p -O raw longer.qcow2 copied.raw',
    'convert -p -S 0 -O raw longer.qcow2 copied.raw',
    'convert -p -S 0 -O qcow2 longer.qcow2 base.qcow2 copied.qcow2',
    'convert -p -O qcow2 -B base.qcow2 -F qcow2 over.qcow2 copied.qcow2',
    'convert -p -n -O qcow2 base.qcow2 longer.qcow2',
    'convert -p -q -O qcow2 longer.qcow2 copied.qcow2',
    'convert -p empty.qcow2 copied.raw'
  ]
]

/** What both are to answer with the same text and the same exit code. */
const lines: readonly string[] = [
  'map -f qcow2 -U --output=json --start-offset=64k --max-length=100k case-54-bitmaps.qcow2',
  'map --output=json --start-offset=1000 case-54-bitmaps.qcow2',
  'map --output=json -s 64k -l 100k case-54-bitmaps.qcow2',
  'map --output json --max-length 1 case-01-empty-v3.qcow2',
  'check -f qcow2 -T none -U -q case-54-bitmaps.qcow2',
  'check -f raw raw',
  'check -f raw absent',
  'check -f vmdk raw',
  'check -q broken-l2-reserved-low.qcow2',
  'compare -f qcow2 -F qcow2 -T none -U -p -q case-54-bitmaps.qcow2 case-01-empty-v3.qcow2',
  'compare -f raw -F raw raw raw',
  'compare -f qcow2 -F raw case-01-empty-v3.qcow2 raw',
  'compare -s -f raw -F qcow2 raw case-54-bitmaps.qcow2',
  'compare -s base.qcow2 over.qcow2',
  'compare -s -f raw -F raw raw raw',
  'compare -s -f raw -F raw sparse.raw sparse.raw',
  'compare -s -f raw -F raw sparse.raw full.raw',
  'compare -s -F raw empty-1M.qcow2 sparse.raw',
  'compare -s -F raw empty-1M.qcow2 full.raw',
  'compare -s over.qcow2 over.qcow2',
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
  'case-38-data-file-raw',
  'case-54-bitmaps'
] as const

needsQemu(test)('the same line gets the same answer', () => {
  for (const line of lines) {
    const args = line.split(' ')
    assert.equal(answer(process.execPath, [main, ...args]), answer('qemu-img', args), line)
  }
})

needsQemu(test)('the same script does the same', () => {
  for (const script of scripts) {
    const folders = ['theirs', 'ours'].map((side) => join(folder, '..', `${basename(folder)}-${side}`))
    for (const own of folders) cpSync(folder, own, { recursive: true })
    const here = ([program, ...args]: readonly string[], cwd: string): readonly unknown[] => {
      const { status, stdout } = spawnSync(program ?? '', args, { cwd, encoding: 'utf8' })
      return [status, args.includes('check') ? '' : stdout]
    }
    for (const line of script) {
      const [first, ...rest] = line.split(' ')
      const own = first === '!'
      const args = own ? rest : [first ?? '', ...rest]
      const printed = folders.map((cwd, i) =>
        here(own || i === 1 ? [process.execPath, main, ...args] : ['qemu-img', ...args], cwd)
      )
      assert.equal(printed[1], printed[0], line)
    }
    for (const own of folders) rmSync(own, { recursive: true })
  }
})

/** What both say while the files take up the same space: a file system may still be giving the bytes their places. */
const whileSettled = <A>(files: readonly string[], ask: () => A): A => {
  const space = (): string => files.map((file) => statSync(join(folder, file)).blocks).join()
  for (;;) {
    const before = space()
    const said = ask()
    if (space() === before) return said
  }
}

needsQemu(test)('a report begins with that of qemu-img', () => {
  const text = (command: string, args: readonly string[]): string =>
    spawnSync(command, args, { cwd: folder, encoding: 'utf8' }).stdout
  for (const name of [...reported.map((n) => `${n}.qcow2`), 'inner/over.qcow2']) {
    const [theirs, ours] = whileSettled([name], () => [
      text('qemu-img', ['info', name]),
      text(process.execPath, [main, 'info', name])
    ])
    assert.ok(theirs.length > 0)
    assert.is(ours.slice(0, theirs.length), theirs, name)
  }
})

needsQemu(test)('info prints a chain layer by layer, as qemu-img does', () => {
  const [names, more] = [['inner/over.qcow2', 'inner/base.qcow2'], /^(features|extensions|findings|verdict): .*\n/gm]
  const [theirs, ours] = whileSettled(names, () => [
    answer('qemu-img', ['info', '--backing-chain', 'inner/over.qcow2']),
    answer(process.execPath, [main, 'info', '--backing-chain', 'inner/over.qcow2'])
  ])
  assert.equal([ours[0], String(ours[1]).replace(more, '')], theirs)
  const printed: unknown = JSON.parse(
    String(answer(process.execPath, [main, 'info', '--backing-chain', '--output=json', 'inner/over.qcow2'])[1])
  )
  assert.equal(Array.isArray(printed) ? printed.map((l: { readonly filename: string }) => l.filename) : [], names)
})

test('-o help lists the options of new images', () => {
  const [code, text] = answer(process.execPath, [main, 'create', '-o', 'help', 'x.qcow2'])
  assert.is(code, 0)
  const [title, ...lines] = String(text).trimEnd().split('\n')
  assert.is(title, 'Supported options:')
  assert.equal(lines.map((line) => /^ {2}(\w+) - ./.exec(line)?.[1]).toSorted(), [
    ...['backing_file', 'backing_fmt', 'cluster_size', 'compat', 'compression_type', 'data_file', 'data_file_raw'],
    ...['extended_l2', 'keep_data_file', 'lazy_refcounts', 'preallocation', 'refcount_bits', 'size']
  ])
})

test('a name with a colon in front of its first slash is no backing file', () => {
  cpSync(join(folder, 'base.qcow2'), join(folder, 'drive:base.qcow2'))
  const refused = (...args: readonly string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
    assert.is(status, 1)
    assert.match(
      stderr,
      /Could not open 'drive:base.qcow2': 'drive:' names a protocol, .*: its name is not that of a file/
    )
  }
  refused('create', '-q', '-b', 'drive:base.qcow2', '-F', 'qcow2', 'named.qcow2')
  refused('rebase', '-b', 'drive:base.qcow2', '-F', 'qcow2', 'over.qcow2')
})

test('a bitmap that is in use is left out with a warning', () => {
  writeFileSync(join(folder, 'in-use.qcow2'), load('case-56-bitmap-in-use').image)
  const args = ['convert', '--bitmaps', '--skip-broken-bitmaps', '-O', 'qcow2', 'in-use.qcow2', 'without.qcow2']
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
  assert.is(status, 0)
  assert.match(stderr, /^qcow2: warning: Skipping inconsistent bitmap '\w+'\n/)
})

test.run()
