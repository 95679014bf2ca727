/** What qemu-img has since version 7.2, or has only in part there: the outcomes are those of the QEMU that has it. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { needsQemu } from '../run/qemu.js'
import { type Qemu, qemus } from '../run/qemus.js'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'
import { type Outcome, runLines } from './run-lines.js'

const test = suite('newer qemu-img')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-newer-'))
const scene = join(folder, 'scene')
test.after(() => {
  rmSync(folder, { recursive: true })
})

test.before(async () => {
  mkdirSync(scene)
  const at = (name: string): string => join(scene, name)
  await runHere('create', '-q', at('old.qcow2'), '1100k')
  await runHere('create', '-q', '-o', 'cluster_size=4k', at('new.qcow2'), '1M')
  await runHere('io', '-c', 'write -q -P 5 4k 300k', '-c', 'write -q -P 6 900k 200k', at('old.qcow2'))
  await runHere('io', '-c', 'write -q -P 5 0 200k', '-c', 'write -q -P 7 600k 100k', at('new.qcow2'))
  await runHere('create', '-q', '-b', 'old.qcow2', '-F', 'qcow2', at('over.qcow2'))
  await runHere('io', '-c', 'write -q -P 9 128k 1k', at('over.qcow2'))
  await runHere('create', '-q', '-o', 'extended_l2=on', '-b', 'old.qcow2', '-F', 'qcow2', at('parts.qcow2'))
  await runHere('io', '-c', 'write -q -P 9 8k 2k', '-c', 'write -q -P 9 32k 2k', at('parts.qcow2'))
  for (const name of ['b', 'c']) await runHere('bitmap', '--add', at('old.qcow2'), name)
  await runHere('snapshot', '-c', 's', at('old.qcow2'))
  writeFileSync(at('broken.qcow2'), load('broken-zstd-short').image)
  writeFileSync(at('data'), 'data'.repeat(25_000))
})

/** Runs a line here and in a QEMU, each in a copy of the scene; their outcomes, and where they are. */
const both = async (qemu: Qemu, line: string): Promise<readonly (Outcome & { readonly cwd: string })[]> => {
  const [ours, theirs] = ['ours', 'theirs'].map((side) => join(folder, side))
  for (const cwd of [ours, theirs]) {
    rmSync(cwd ?? '', { recursive: true, force: true })
    cpSync(scene, cwd ?? '', { recursive: true })
  }
  const words = line.split(' ').map((word) => (word === "''" ? '' : word))
  const [file, ...args] = qemu.command('qemu-img')
  const { status, stdout, stderr } = spawnSync(file, [...args, ...words], { cwd: theirs, encoding: 'utf8' })
  const [done] = await runLines([{ cwd: ours ?? '', words }])
  return [
    { status: done?.status ?? 1, stdout: done?.stdout ?? '', stderr: done?.stderr ?? '', cwd: ours ?? '' },
    { status: status ?? 1, stdout, stderr, cwd: theirs ?? '' }
  ]
}

/** What qemu-img prints. */
const qemuImg = (...args: readonly string[]): string => spawnSync('qemu-img', args, { encoding: 'utf8' }).stdout

const installed = qemus()

/** Registers a test with the QEMU of this series. */
const withQemu = (series: Qemu['series'], title: string, work: (qemu: Qemu) => Promise<void>): void => {
  const qemu = installed.find((each) => each.series === series)
  if (qemu === undefined) test.skip(title, `there is no qemu-img ${series}`)
  else needsQemu(test)(title, () => work(qemu))
}

withQemu('11', 'rebase -c keeps the disk, in compressed clusters', async (qemu) => {
  const clusters = (image: string | undefined): number =>
    Number(/"compressed-clusters": (\d+)/.exec(qemuImg('check', '--output=json', image ?? ''))?.[1] ?? 0)
  for (const [below, format] of [
    ['new.qcow2', 'qcow2'],
    ["''", '']
  ] as const) {
    const option = format === '' ? '' : `-F ${format} `
    const sides = await both(qemu, `rebase -c ${option}-b ${below} over.qcow2`)
    assert.equal(
      sides.map(({ status }) => status),
      [0, 0]
    )
    const [ours, theirs] = sides.map(({ cwd }) => join(cwd, 'over.qcow2'))
    assert.is(qemuImg('compare', ours ?? '', join(scene, 'over.qcow2')), 'Images are identical.\n')
    // Clusters of zeros are compressed there, and zero clusters here.
    assert.ok(clusters(ours) > 0 && clusters(ours) <= clusters(theirs), `${clusters(ours)} ${clusters(theirs)}`)
  }
})

withQemu('11', 'rebase -c keeps what an image holds a part of a cluster of', async (qemu) => {
  for (const below of ['-F qcow2 -b new.qcow2', "-b ''"]) {
    const [ours] = await both(qemu, `rebase -c ${below} parts.qcow2`)
    assert.is(ours?.status, 0)
    assert.is(
      qemuImg('compare', join(ours?.cwd ?? '', 'parts.qcow2'), join(scene, 'parts.qcow2')),
      'Images are identical.\n'
    )
  }
})

withQemu('11', 'bitmap --remove-all leaves no bitmap, or those that are added afterwards', async (qemu) => {
  for (const line of [
    'bitmap --remove-all old.qcow2',
    'bitmap --add --remove-all --add old.qcow2 d',
    'bitmap --remove-all --clear old.qcow2'
  ]) {
    const sides = await both(qemu, line)
    assert.is(sides[0]?.status, sides[1]?.status, line)
    const [ours, theirs] = sides.map(({ cwd }) => qemuImg('info', join(cwd, 'old.qcow2')).match(/ name: .*/g))
    assert.equal(ours, theirs, line)
  }
})

withQemu('11', 'snapshot without an action lists the snapshots', async (qemu) => {
  const [ours, theirs] = await both(qemu, 'snapshot old.qcow2')
  assert.is(theirs?.stdout.match(/^1 +s /gm)?.length, 1)
  assert.is(ours?.stdout, qemuImg('snapshot', '-l', join(scene, 'old.qcow2')))
})

withQemu('11', 'info --limits prints the limits', async (qemu) => {
  const limits = (text = ''): string | undefined => /^Block limits:\n(    .*\n)+/m.exec(text)?.[0]
  for (const line of ['info --limits new.qcow2', 'info --limits -f raw old.qcow2']) {
    const [ours, theirs] = await both(qemu, line)
    assert.is(limits(ours?.stdout), limits(theirs?.stdout), line)
    assert.ok(limits(ours?.stdout) !== undefined)
  }
})

withQemu('11', 'create -o keep_data_file=on keeps the bytes of a data file', async (qemu) => {
  const prefix = 'create -f qcow2 -o data_file=data,keep_data_file=on'
  for (const line of [
    `${prefix},data_file_raw=on a.qcow2 64k`,
    `${prefix},data_file_raw=on,cluster_size=4k a.qcow2 200k`,
    `${prefix},preallocation=metadata a.qcow2 64k`,
    `${prefix},preallocation=metadata a.qcow2 256k`
  ]) {
    const sides = await both(qemu, line)
    const [ours, theirs] = sides.map(({ cwd, ...done }) => ({
      ...done,
      cwd: '',
      size: statSync(join(cwd, 'data')).size,
      isKept: readFileSync(join(cwd, 'data'), 'latin1').startsWith('data'.repeat(25_000)),
      map: spawnSync('qemu-img', ['map', '--output=json', 'a.qcow2'], { cwd, encoding: 'utf8' }).stdout
    }))
    assert.equal(ours, theirs, line)
    assert.equal([ours?.status, ours?.isKept, ours?.map.includes('"data": true')], [0, true, true], line)
  }
  for (const line of [
    'create -f qcow2 -o keep_data_file=on a.qcow2 64k',
    `${prefix} a.qcow2 64k`,
    `${prefix},data_file_raw=off a.qcow2 64k`,
    `${prefix},data_file_raw=on,preallocation=full a.qcow2 64k`,
    `${prefix},preallocation=falloc a.qcow2 64k`,
    'create -f qcow2 -o data_file=absent,data_file_raw=on,keep_data_file=on a.qcow2 64k'
  ]) {
    const [ours, theirs] = await both(qemu, line)
    assert.is(theirs?.status, 1, line)
    assert.equal([ours?.status, ours?.stdout], [1, theirs?.stdout], line)
    if (!line.includes('absent')) assert.is(ours?.stderr.replace(/^qcow2/, 'qemu-img'), theirs?.stderr, line)
  }
})

withQemu('11', 'io -C stores in the image what is read from its backing files', async (qemu) => {
  const [file, ...args] = qemu.command('qemu-io')
  const lines = ['read 0 512', 'read 130k 1k', 'read 300k 200k', 'read 700k 1k', 'read 1098k 1k', 'alloc 0 1100k']
  const words = ['-C', ...lines.flatMap((line) => ['-c', line])]
  for (const image of ['over.qcow2', 'parts.qcow2']) {
    const found: string[] = []
    for (const side of ['ours', 'theirs']) {
      const cwd = join(folder, side)
      rmSync(cwd, { recursive: true, force: true })
      cpSync(scene, cwd, { recursive: true })
      await runHere('bitmap', '--add', join(cwd, image), 'clean')
      const done =
        side === 'theirs'
          ? spawnSync(file, [...args, ...words, image], { cwd, encoding: 'utf8' })
          : (await runLines([{ cwd, words: ['io', ...words, image] }]))[0]
      assert.is(done?.status, 0, image)
      const own = /^.* bytes allocated .*$/m.exec(done?.stdout ?? '')?.[0]
      const reports = await runLines([
        { cwd, words: ['check', image] },
        { cwd, words: ['io', '-r', '-c', 'map', image] },
        { cwd, words: ['map', '--bitmap', 'clean', image] }
      ])
      assert.is(qemuImg('compare', join(cwd, image), join(scene, image)), 'Images are identical.\n')
      const clusters = reports.map(({ stdout }) => stdout.replace(/^Image end offset.*$/m, ''))
      found.push([own, ...clusters].join('\n'))
    }
    assert.is(found[0], found[1], image)
    assert.match(found[0] ?? '', /^[1-9]\d*\/1/, image)
  }
})

withQemu('7.2', 'convert --salvage writes zeros for what cannot be read', async (qemu) => {
  const sides = await both(qemu, 'convert -f qcow2 -O raw --salvage broken.qcow2 out')
  assert.equal(
    sides.map(({ status }) => status),
    [0, 0]
  )
  const [ours, theirs] = sides.map(({ cwd }) => readFileSync(join(cwd, 'out')))
  assert.is(ours?.compare(theirs ?? new Uint8Array()), 0)
  const refused = await both(qemu, 'convert -f qcow2 -O raw broken.qcow2 out')
  assert.equal(
    refused.map(({ status }) => status),
    [1, 1]
  )
})

withQemu('7.2', 'a raw file is mapped', async (qemu) => {
  for (const line of ['map -f raw old.qcow2', 'map -f raw --output=json -s 100k -l 50k old.qcow2']) {
    const [ours, theirs] = await both(qemu, line)
    assert.is(ours?.stdout, theirs?.stdout)
  }
})

withQemu('7.2', 'percentages are printed with -p', async (qemu) => {
  for (const line of [
    'compare -p old.qcow2 over.qcow2',
    'compare -p new.qcow2 new.qcow2',
    'amend -p -o lazy_refcounts=on old.qcow2',
    'rebase -p -b new.qcow2 -F qcow2 over.qcow2',
    'commit -p over.qcow2'
  ]) {
    const [ours, theirs] = await both(qemu, line)
    const ends = (text = ''): unknown => [
      text.indexOf('(0.00/100%)'),
      text.includes('(100.00/100%)\r'),
      text.endsWith('\n')
    ]
    assert.equal(ends(ours?.stdout), ends(theirs?.stdout), line)
  }
})

test.run()
