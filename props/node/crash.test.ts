/** `qcow2 crash`: a sound writer, faulty writers, and programs that cannot be followed. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'
import { needsStrace } from './strace.js'

const test = suite('qcow2 crash')
const live = needsStrace(test)

const folder = mkdtempSync(join(tmpdir(), 'qcow2-crash-test-'))
const bin = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))

const at = (name: string): string => join(folder, name)

/** Runs `qcow2 crash` on a fresh copy of an image, with a program of Python. */
const python = (source: string, ...options: readonly string[]) => {
  copyFileSync(at('new.qcow2'), at('a.qcow2'))
  const program = `import os, mmap\nf = os.open('a.qcow2', os.O_RDWR)\n${source}`
  return crash('--states', '64', ...options, 'a.qcow2', '--', 'python3', '-c', program)
}

const crash = (...words: readonly string[]) =>
  spawnSync(process.execPath, [bin, 'crash', ...words], { cwd: folder, encoding: 'utf8' })

/**
 * A writer of guest cluster 0 in an image with clusters of 512 bytes: header, refcount table, refcount block and L1 table are
 * clusters 0 to 3, the L2 table gets cluster 4 and the data 5.
 */
const data = "os.pwrite(f, b'\\7' * 512, 5 * 512)"
const refcounts = "os.pwrite(f, b'\\0\\1' * 6, 2 * 512)"
const l2 = "os.pwrite(f, (2**63 + 5 * 512).to_bytes(8, 'big') + bytes(504), 4 * 512)"
const l1 = "os.pwrite(f, (2**63 + 4 * 512).to_bytes(8, 'big'), 3 * 512)"
const flush = 'os.fsync(f)'

test.before(async () => {
  await runHere('create', '-q', '-o', 'cluster_size=512', at('new.qcow2'), '4096')
})

live('a writer that flushes between data, refcounts and tables breaks nothing', () => {
  const { status, stdout, stderr } = python([data, refcounts, flush, l2, flush, l1, flush].join('\n'))
  assert.is(status, 0, stdout + stderr)
  assert.match(stdout, /exit code 0; 4 writes, 0 punched ranges, 0 truncations, 3 flushes/)
  assert.match(stdout, /\nP3: 4 epochs, .*, 0 violations\n/)
})

live('a writer that points L1 at an L2 table before its refcount is durable is found', () => {
  const { status, stdout } = python([data, l2, l1, refcounts, flush].join('\n'), '--expect', 'any', '--save', 'broken')
  assert.is(status, 1)
  assert.match(stdout, /\nC2 \[[A-Z]+-[0-9]+\], in P0:\n {2}the power fails after 0 durable changes/)
  assert.match(stdout, /\n {4}on the disk {2}write 8 bytes at 1536\n {4}lost {9}write 12 bytes at 1024\n/)
  assert.is(spawnSync(process.execPath, [bin, 'check', at('broken/a.qcow2')]).status, 2)
})

live('a writer that publishes data before it is durable is found, unless any content will do', () => {
  const careless = [refcounts, l2, flush, l1, data, flush].join('\n')
  const stale = "os.pwrite(f, b'\\x99' * 512, 5 * 512)\nos.fsync(f)\n"
  const { status, stdout } = python(stale + careless, '--output', 'json')
  assert.is(status, 1)
  assert.match(stdout, /"why": "C3 or C4: guest bytes 0 to 512 are neither old nor new"/)
  assert.is(python(stale + careless, '--expect', 'any').status, 0)
})

live('a program that may not change the disk is found when it does', () => {
  const sound = [data, refcounts, flush, l2, flush, l1, flush].join('\n')
  assert.match(python(sound, '--expect', 'old').stdout, /C3 or C4: guest bytes 0 to 512/)
})

live('a program that cannot be followed is refused with the reason', () => {
  for (const [source, why] of [
    ['m = mmap.mmap(f, 512)\nm[0:1] = b"x"', /writes through mmap/],
    ["open('b', 'wb').write(os.pread(f, 65536, 0))\nos.rename('b', 'a.qcow2')", /another file in the place of/],
    ["g = os.open('new.qcow2', os.O_RDONLY)\nos.sendfile(f, g, 8, 8)", /writes by sendfile/],
    ['os.copy_file_range(os.open("new.qcow2", os.O_RDONLY), f, 8, 8, 1024)', /writes by copy_file_range/]
  ] as const) {
    const { status, stderr } = python(source)
    assert.is(status, 2, stderr)
    assert.match(stderr, why)
  }
})

live('shards add up to the whole run', () => {
  const writer = [data, refcounts, flush, l2, flush, l1, flush].join('\n')
  const statesOf = (...options: readonly string[]): readonly number[] =>
    [...python(writer, ...options).stdout.matchAll(/, ([0-9]+) states/g)].map(([, n]) => Number(n))
  const [first, second] = [statesOf('--shard', '1/2'), statesOf('--shard', '2/2')]
  assert.equal(
    first.map((n, i) => n + (second[i] ?? 0)),
    statesOf()
  )
})

test('a run that cannot be done ends with exit code 2, and leaves the image alone', () => {
  copyFileSync(at('new.qcow2'), at('a.qcow2'))
  writeFileSync(at('no.qcow2'), 'nothing')
  for (const words of [
    ['a.qcow2', '--', 'no-such-program'],
    ['--shard', '3/2', 'a.qcow2', '--', 'true'],
    ['no.qcow2', '--', 'true']
  ]) {
    const { status, stderr } = crash(...words)
    assert.is(status, 2, stderr)
    assert.ok(stderr.startsWith('qcow2: '), stderr)
  }
  assert.equal(readFileSync(at('a.qcow2')), readFileSync(at('new.qcow2')))
})

test('without strace the program is not run', () => {
  copyFileSync(at('new.qcow2'), at('a.qcow2'))
  const { status, stderr } = spawnSync(process.execPath, [bin, 'crash', 'a.qcow2', '--', 'touch', 'ran'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: '/nonexistent' }
  })
  assert.is(status, 2)
  assert.is(stderr, 'qcow2: strace is not installed; on Debian: apt-get install strace\n')
  assert.not.ok(existsSync(at('ran')))
})

test.after(() => {
  rmSync(folder, { recursive: true })
})

test.run()
