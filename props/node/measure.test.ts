/** Measuring: the sizes are those of qemu-img, for every option that changes them and for the images of the corpus. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { runLines } from './run-lines.js'

const test = suite('measure')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-measure-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Asserts that lines get qemu-img's exit code and text; those of images that only one of both opens are left out. */
const assertSame = async (lines: readonly string[], cwdOf = (_: number): string => folder): Promise<number> => {
  const jobs = lines.map((line, i) => ({ cwd: cwdOf(i), words: line.split(' ') }))
  const ours = await runLines(jobs)
  let compared = 0
  for (const [i, { cwd, words }] of jobs.entries()) {
    const { status, stdout, stderr = '' } = ours[i] ?? {}
    if (stderr.includes('[BACK-05]')) continue
    const theirs = spawnSync('qemu-img', words, { cwd, encoding: 'utf8' })
    if (theirs.stderr.includes('encrypt.key-secret')) continue
    assert.equal([status, stdout], [theirs.status, theirs.stdout], `${lines[i]} (${cwd}): ${stderr}${theirs.stderr}`)
    compared++
  }
  return compared
}

const options = [
  'cluster_size=64k',
  'cluster_size=512',
  'cluster_size=4k,refcount_bits=1',
  'cluster_size=2M,refcount_bits=64',
  'extended_l2=on',
  'extended_l2=on,cluster_size=16k',
  'compat=0.10',
  'preallocation=metadata',
  'preallocation=falloc,cluster_size=1k',
  'preallocation=full',
  'backing_file=b,backing_fmt=raw',
  'data_file=d,data_file_raw=on',
  'compression_type=zstd,lazy_refcounts=on,refcount_bits=8'
]

needsQemu(test)('sizes give the sizes that qemu-img measures, with every option', async () => {
  const sizes = ['0', '1', '512', '65537', '1M', '1000000k', '3G', '1T', '2047T']
  const lines = sizes.flatMap((size, i) => [
    `measure --size ${size}`,
    ...options.map(
      (list, j) => `measure -O qcow2 --size=${size} -o ${list}${(i + j) % 2 === 0 ? '' : ' --output=json'}`
    )
  ])
  assert.is(await assertSame(lines), 126)
})

needsQemu(test)('what cannot be measured is refused', async () => {
  writeFileSync(join(folder, 'raw'), Buffer.alloc(5000, 1))
  const lines = [
    'measure',
    'measure -f raw',
    'measure -l s',
    'measure --size 1M raw',
    'measure raw raw',
    'measure --size x',
    'measure --size 8E',
    'measure -O vmdk --size 1M',
    'measure -O qcow2 -o cluster_size=3k --size 1M',
    'measure -O qcow2 -o preallocation=x --size 1M',
    'measure -O qcow2 -o extended_l2=on,cluster_size=8k --size 1M',
    'measure -O qcow2 -o cluster_size=512 --size 1T',
    'measure -O qcow2 -o compat=v2,refcount_bits=1 --size 1M',
    'measure -O qcow2 -o refcount_bits=3 --size 1M',
    'measure -o cluster_size=4k --size 1M',
    'measure -f raw absent',
    'measure -f raw raw',
    'measure -f raw -O qcow2 raw'
  ]
  assert.is(await assertSame(lines), lines.length)
})

needsQemu(test)('images give the sizes that qemu-img measures', async () => {
  const chosen = names()
    .filter((name) => !name.startsWith('broken-'))
    .filter((_, i) => i % 2 === 0)
  const cwds = chosen.map((name) => {
    const own = join(folder, name)
    mkdirSync(own)
    for (const [file, bytes] of load(name).files) writeFileSync(join(own, file), bytes)
    return own
  })
  const lines = chosen.map((_, i) => {
    const list = options[i % options.length] ?? ''
    return `measure -f qcow2 ${i % 8 === 0 ? '' : `-O qcow2 -o ${list} `}${i % 2 === 0 ? '' : '--output=json '}${imageName}`
  })
  assert.ok((await assertSame(lines, (i) => cwds[i] ?? '')) > 150)
})

test.run()
