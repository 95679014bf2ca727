/** The VM state of a snapshot is what qemu-io wrote behind the disk before the snapshot was taken. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import { portable } from '../../../src/compression/decompress.js'
import { l1Coverage } from '../../../src/format/geometry.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { vmStateDisk, vmStateOffset } from '../../../src/image/guest/vm-state.js'
import { needsQemu } from '../../run/qemu.js'
import { note, suite } from '../../run/suite.js'
import { runOn, sameBytes } from '../world.js'

const test = suite('VM state')
const live = needsQemu(test)

const folder = mkdtempSync(join(tmpdir(), 'qcow2-vm-state-'))
const path = join(folder, 'img.qcow2')
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** The same image with this size of VM state in its first snapshot: qemu-img takes snapshots without a machine. */
const withSize = (image: Uint8Array, size: number): Uint8Array => {
  const patched = image.slice()
  const view = new DataView(patched.buffer)
  view.setBigUint64(Number(view.getBigUint64(64)) + 40, BigInt(size))
  return patched
}

/** The VM state of the first snapshot, or the first reason why it cannot be read. */
const vmState = (image: Uint8Array): E.Either<string, Uint8Array> => {
  const read = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(read)) return E.left(read.left[0]?.message ?? '')
  const { right: m } = read
  const [s] = m.snapshots
  if (m.geometry === undefined || s === undefined) return E.left('no snapshot')
  const disk = vmStateDisk(m, m.geometry, s)
  if (E.isLeft(disk)) return E.left(disk.left[0]?.message ?? '')
  const bytes = runOn(image, readGuest([{ _tag: 'Image', disk: disk.right }], 0, disk.right.size, portable))
  return E.mapLeft((issues: readonly { readonly message: string }[]) => issues[0]?.message ?? '')(bytes)
}

/** Fails unless the VM state is `length` bytes of this value. */
const isFilled = (state: E.Either<string, Uint8Array>, length: number, byte: number, name: string): void => {
  if (E.isLeft(state)) throw new Error(`${name}: ${state.left}`)
  sameBytes(state.right, new Uint8Array(length).fill(byte), name)
}

test('the VM state that qemu-io wrote is read back, followed by zeros', () => {
  const { image } = load('case-52-vm-state')
  for (const size of [2 ** 17, 1000, 1, 0]) isFilled(vmState(withSize(image, size)), size, 7, `${size} bytes`)
  const longer = vmState(withSize(image, 2 ** 17 + 512))
  isFilled(E.map((bytes: Uint8Array) => bytes.subarray(2 ** 17))(longer), 512, 0, 'behind the VM state')
})

test('a VM state for which the L1 table has no entries is refused', () => {
  const { image } = load('odd-snapshot-vm-state-64')
  const at = Number(new DataView(image.buffer).getBigUint64(64)) + 8
  for (const refused of [image, withSize(image, 2 ** 63)])
    assert.match(String(E.toUnion(vmState(refused))), new RegExp(`l1_size at byte ${at}: .*\\[SNAP-12\\]$`))
})

test('VM state begins with the first L1 entry that covers no byte of the disk', () => {
  const g = { version: 3, clusterBits: 9, extendedL2: false, externalDataFile: false, refcountOrder: 4 }
  const span = l1Coverage(g)
  assert.is(span, 32768)
  assert.equal(
    [0, 512, span - 512, span, span + 512, 10 * span].map((size) => vmStateOffset(g, size) / span),
    [0, 1, 1, 1, 2, 10]
  )
})

/** Disks whose last L1 entry is full, nearly full and nearly empty. */
const shapes = [
  { options: 'cluster_size=512', size: 32768 },
  { options: 'cluster_size=512', size: 32768 - 512 },
  { options: 'cluster_size=512', size: 32768 + 512 },
  { options: 'cluster_size=4k,compat=0.10', size: 2 ** 21 },
  { options: 'cluster_size=16k,extended_l2=on', size: 2 ** 24 + 512 },
  { options: 'cluster_size=64k', size: 2 ** 20 }
]

live(
  'VM state written at any size of the disk is read from the snapshot, whatever is written later and however it grows',
  () => {
    const length = 70_000 - (70_000 % 512)
    const run = (tool: string, ...args: readonly string[]) => execFileSync(tool, args, { stdio: 'pipe' })
    for (const { options, size } of shapes) {
      run('qemu-img', 'create', '-f', 'qcow2', '-o', options, path, String(size))
      run('qemu-io', '-c', `write -P 1 0 ${size}`, '-c', `write -b -P 5 0 ${length}`, path)
      run('qemu-img', 'snapshot', '-c', 's', path)
      run('qemu-io', '-c', `write -b -P 6 0 ${length}`, path)
      isFilled(vmState(withSize(new Uint8Array(readFileSync(path)), length)), length, 5, options)
      if (options.includes('compat=0.10')) continue
      run('qemu-img', 'resize', path, String(size * 5))
      const grown = withSize(new Uint8Array(readFileSync(path)), length)
      isFilled(vmState(grown), length, 5, `${options}, grown`)
      writeFileSync(path, grown)
      run('qemu-img', 'snapshot', '-a', 's', path)
      assert.match(String(run('qemu-io', '-r', '-c', `read -b -P 5 0 ${length}`, path)), /^read \d+/)
    }
    note(`${shapes.length} shapes of disks`)
  }
)

test.run()
