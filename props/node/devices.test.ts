/** Block devices hold images and raw disks: they are read, written and created on, and keep their length and what is not written. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { execute } from '../../src/node/program.js'
import { qemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'

const test = suite('block devices')

/** In memory, where that is possible: flushes of a device whose file is on a disk take long. */
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'qcow2-devices-'))
const at = (name: string): string => join(folder, name)
const size = 2 ** 24
/** What every byte of the device is before a test. */
const stale = 0xa5

/** A loop device over a file; `undefined` where the machine allows none. */
const attached = (): string | undefined => {
  writeFileSync(at('device'), Buffer.alloc(size))
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', at('device')], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

const device = attached() ?? ''
test.after(() => {
  if (device !== '') spawnSync('losetup', ['--detach', device])
  rmSync(folder, { recursive: true })
})

/** Registers a test on the device; where the machine allows none, it is skipped. */
const onDevice = (title: string, work: () => Promise<void>): void =>
  device === ''
    ? test.skip(title, 'the machine allows no loop device')
    : test(title, async () => {
        writeFileSync(device, Buffer.alloc(size, stale), { flag: 'r+' })
        await work()
        assert.is(readFileSync(device).length, size)
      })

const refused = async (why: string, ...words: readonly string[]): Promise<void> =>
  assert.match(await messageOf(execute(words, () => undefined)), why, words.join(' '))

/** Whether qemu-img, where there is one, finds the image on the device clean, and of these contents. */
const judge = (contents: string): void => {
  if (qemu === undefined) return
  for (const args of [
    ['check', '-q', device],
    ['compare', '-q', device, contents]
  ])
    assert.is(spawnSync('qemu-img', args).status, 0, args.join(' '))
}

test.before(async () => {
  const name = at('disk.qcow2')
  await runHere('create', '-q', '-o', 'cluster_size=4k', name, '6M')
  await runHere('io', '-c', 'write -q -P 5 1k 900k', '-c', 'write -q -P 6 5M 700k', name)
  await runHere('convert', name, at('disk.raw'))
})

onDevice('an image is created on a device, and changed there', async () => {
  await runHere('create', '-q', device, '64M')
  await runHere('check', '-q', device)
  await runHere('io', '-c', 'read -q -P 0 0 64M', device)
  await runHere('io', '-c', 'write -q -P 5 1k 900k', device)
  await runHere('snapshot', '-c', 's', device)
  await runHere('io', '-c', 'write -q -P 7 60M 1k', '-c', 'discard -q 0 128k', device)
  await runHere('snapshot', '-a', 's', device)
  await runHere('resize', '-q', '--shrink', device, '6M')
  await runHere('io', '-c', 'write -q -P 6 5M 700k', device)
  await runHere('check', '-q', '-r', 'all', device)
  await runHere('compare', '-q', device, at('disk.qcow2'))
  judge(at('disk.qcow2'))
  assert.is(readFileSync(device)[size - 1], stale)
})

onDevice('preallocated guest data on a device are zeros', async () => {
  for (const mode of ['metadata', 'full']) {
    await runHere('create', '-q', '-o', `preallocation=${mode}`, device, '8M')
    await runHere('io', '-c', 'read -q -P 0 0 8M', device)
  }
})

onDevice('a disk is converted from a device and to one, raw and as an image', async () => {
  for (const options of [[], ['-c'], ['-o', 'cluster_size=512']]) {
    await runHere('convert', '-O', 'qcow2', ...options, at('disk.qcow2'), device)
    await runHere('compare', '-q', device, at('disk.qcow2'))
    judge(at('disk.qcow2'))
    await runHere('convert', device, at('back.raw'))
    assert.ok(readFileSync(at('back.raw')).equals(readFileSync(at('disk.raw'))))
  }
  writeFileSync(device, Buffer.alloc(size, stale), { flag: 'r+' })
  await runHere('convert', at('disk.qcow2'), device)
  const raw = readFileSync(at('disk.raw'))
  assert.ok(readFileSync(device).equals(Buffer.concat([raw, Buffer.alloc(size - raw.length, stale)])))
})

onDevice('what does not fit a device is refused, and writes nothing', async () => {
  await runHere('create', '-q', at('large.qcow2'), '17M')
  await refused('is smaller than the input', 'convert', at('large.qcow2'), device)
  await refused('and the image takes', 'create', '-q', '-o', 'preallocation=full', device, '16M')
  await refused('it is a block device', 'create', '-q', '-f', 'raw', device, '1M')
  await refused('it is a block device', 'resize', '-q', '-f', 'raw', '--shrink', device, '1M')
  assert.ok(readFileSync(device).equals(Buffer.alloc(size, stale)))
  await runHere('create', '-q', device, '64M')
  const before = readFileSync(device)
  await refused('no space left on device', 'convert', '-n', '-O', 'qcow2', '-S', '0', at('large.qcow2'), device)
  await runHere('check', '-q', device)
  assert.ok(before.subarray(0, 4).equals(readFileSync(device).subarray(0, 4)))
})

onDevice('a mounted device is read, and not written', async () => {
  const mounted = at('mounted')
  mkdirSync(mounted)
  const isMounted = [
    ['mkfs.ext4', '-q', device],
    ['mount', device, mounted]
  ].every(([program = '', ...args]) => spawnSync(program, args).status === 0)
  assert.ok(isMounted, 'the device cannot be mounted')
  try {
    for (const line of [
      'create -q DEVICE 1M',
      'io -f raw -c flush DEVICE',
      'convert IMAGE DEVICE',
      'convert -O qcow2 IMAGE DEVICE'
    ])
      await refused(
        'resource busy or locked',
        ...line.split(' ').map((word) => (word === 'DEVICE' ? device : word === 'IMAGE' ? at('disk.qcow2') : word))
      )
    await runHere('convert', '-f', 'raw', device, at('copy.raw'))
  } finally {
    spawnSync('umount', [mounted])
  }
})

test.run()
