/** New images: qemu-img's own, byte for byte. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type CreateOptions } from '../../src/transition/create.js'
import { needsQemu } from '../qemu.js'
import { suite } from '../suite.js'
import { countsOf, newMachine } from './machine.js'

const test = suite('create')

/** Options as qemu-img spells them, and as they are spelt here. */
const cases: readonly (readonly [spelt: string, options: CreateOptions])[] = [
  ['compat=1.1', { size: 2 ** 30 }],
  ['compat=0.10', { size: 2 ** 30, version: 2 }],
  ['compat=1.1', { size: 0 }],
  ['compat=1.1', { size: 100_001 }],
  ['cluster_size=512', { size: 4 * 2 ** 20, clusterBits: 9 }],
  ['cluster_size=512,compat=0.10', { size: 2 ** 20, clusterBits: 9, version: 2 }],
  ['cluster_size=512,refcount_bits=64', { size: 2 ** 20, clusterBits: 9, refcountOrder: 6 }],
  ['cluster_size=2M,refcount_bits=1', { size: 2 ** 40, clusterBits: 21, refcountOrder: 0 }],
  ['cluster_size=4k,lazy_refcounts=on', { size: 2 ** 20, clusterBits: 12, lazyRefcounts: true }],
  ['cluster_size=8k,refcount_bits=4', { size: 2 ** 20, clusterBits: 13, refcountOrder: 2 }],
  ['extended_l2=on', { size: 2 ** 30, extendedL2: true }],
  ['extended_l2=on,cluster_size=16k', { size: 2 ** 30, extendedL2: true, clusterBits: 14 }],
  ['compression_type=zstd', { size: 2 ** 30, compressionType: 'zstd' }],
  ['data_file=data.raw', { size: 2 ** 20, dataFile: { name: 'data.raw', raw: false } }]
]

const padded = (bytes: Uint8Array, length: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(length - bytes.length)])

needsQemu(test)('an image is the one that qemu-img creates, but for zeros at its end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-create-'))
  try {
    for (const [spelt, options] of cases) {
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', spelt, 'image.qcow2', String(options.size)], {
        cwd: folder
      })
      const theirs = readFileSync(join(folder, 'image.qcow2'))
      const { image } = newMachine(options).files
      const length = Math.max(theirs.length, image.length)
      assert.is(Buffer.compare(padded(image, length), padded(theirs, length)), 0, `${spelt} ${options.size}`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a new image has nothing wrong with it', () => {
  for (const [spelt, options] of cases) {
    const { corruptions, leaks, checkErrors } = countsOf(newMachine(options).files)
    assert.equal([corruptions, leaks, checkErrors], [0, 0, 0], spelt)
  }
})

test.run()
