/** New images: qemu-img's own, byte for byte. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { create } from '../../../src/transition/create/create.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { needsQemu } from '../../run/qemu.js'
import { suite } from '../../run/suite.js'
import { marked } from '../model/follow.js'
import { countsOf, newMachine } from '../model/machine.js'
import { alike, inFolder, made } from '../twins/twin.js'

const test = suite('create')

/** Options as qemu-img spells them, and as they are spelt here. */
type Case = readonly [spelt: string, options: CreateOptions]

const cases: readonly Case[] = [
  ['compat=1.1', { size: 2 ** 30 }],
  ['compat=0.10', { size: 2 ** 30, version: 2 }],
  ['compat=1.1', { size: 0 }],
  ['compat=1.1', { size: 100_001 }],
  ['compat=1.1', { size: 8 * 2 ** 20 }],
  ['cluster_size=512', { size: 2 ** 20 + 512, clusterBits: 9 }],
  ['cluster_size=512', { size: 4 * 2 ** 20, clusterBits: 9 }],
  ['cluster_size=512,compat=0.10', { size: 2 ** 20, clusterBits: 9, version: 2 }],
  ['cluster_size=512,refcount_bits=64', { size: 2 ** 20, clusterBits: 9, refcountOrder: 6 }],
  ['cluster_size=2M,refcount_bits=1', { size: 2 ** 40, clusterBits: 21, refcountOrder: 0 }],
  ['cluster_size=4k,lazy_refcounts=on', { size: 2 ** 20, clusterBits: 12, lazyRefcounts: true }],
  ['cluster_size=8k,refcount_bits=4', { size: 2 ** 20, clusterBits: 13, refcountOrder: 2 }],
  ['extended_l2=on', { size: 2 ** 30, extendedL2: true }],
  ['extended_l2=on,cluster_size=16k', { size: 2 ** 30, extendedL2: true, clusterBits: 14 }],
  ['compression_type=zstd', { size: 2 ** 30, compressionType: 'zstd' }],
  ['data_file=data.raw', { size: 2 ** 20, dataFile: { name: 'data.raw', raw: false } }],
  ['preallocation=metadata', { size: 8 * 2 ** 20, preallocation: 'metadata' }],
  ...(['falloc', 'full'] as const).flatMap((preallocation): readonly Case[] => [
    [`preallocation=${preallocation}`, { size: 0, preallocation }],
    [`preallocation=${preallocation}`, { size: 8 * 2 ** 20, preallocation }],
    [`preallocation=${preallocation},cluster_size=512`, { size: 2 ** 20, clusterBits: 9, preallocation }]
  ])
]

needsQemu(test)('an image is the one that qemu-img creates, to the last byte', () => {
  inFolder((folder) => {
    for (const [spelt, options] of cases) {
      const theirs = made(folder, spelt, options.size, new Uint8Array(0))
      const { image } = newMachine(options).files
      assert.is(Buffer.compare(image, theirs), 0, `${spelt} ${options.size}`)
    }
  })
})

/** Options with preallocation, and bytes of a raw backing file. */
const preallocated: readonly (readonly [spelt: string, options: CreateOptions, backing: number])[] = (
  ['metadata', 'falloc', 'full'] as const
).flatMap((preallocation) => [
  [`preallocation=${preallocation}`, { size: 300_032, preallocation }, 0],
  [
    `preallocation=${preallocation},cluster_size=512,refcount_bits=1`,
    { size: 300_032, clusterBits: 9, refcountOrder: 0, preallocation },
    0
  ],
  [`preallocation=${preallocation},compat=0.10`, { size: 2 ** 20, version: 2, preallocation }, 0],
  [`preallocation=${preallocation},extended_l2=on`, { size: 2 ** 20, extendedL2: true, preallocation }, 2 ** 19],
  [
    `preallocation=${preallocation},data_file=data.raw`,
    { size: 300_032, dataFile: { name: 'data.raw', raw: false }, preallocation },
    0
  ]
])

const raw: CreateOptions = { size: 300_032, dataFile: { name: 'data.raw', raw: true } }

needsQemu(test)('a preallocated image has the entries of the one that qemu-img creates', () => {
  for (const [spelt, options, backing] of [...preallocated, ['data_file=data.raw,data_file_raw=on', raw, 0] as const])
    inFolder((folder) => {
      const behind = marked(1, backing)
      made(folder, spelt, options.size, behind)
      const ours = newMachine(options, behind)
      assert.is(ours.files.data.length, options.dataFile === undefined ? 0 : options.size, spelt)
      alike({ folder, ours })
    })
})

test('a cluster and a refcount have a power of two of bytes and bits', () => {
  const clauses = (o: Partial<CreateOptions>): readonly string[] => {
    const made = create({ size: 512, ...o })
    return E.isLeft(made) ? made.left.map(({ clause }) => clause) : []
  }
  assert.equal(clauses({ clusterBits: 11.5 }), ['OPEN-03'])
  assert.equal(clauses({ refcountOrder: 2.5 }), ['REF-02'])
  assert.equal(clauses({ clusterBits: -Infinity, refcountOrder: NaN }), ['OPEN-03', 'REF-02'])
})

test('preallocation over a backing file is refused, unless entries have subclusters', () => {
  const backing = { name: 'backing.raw', format: 'raw' }
  const refused = create({ size: 512, backing, preallocation: 'metadata' })
  assert.is(E.isLeft(refused) ? refused.left[0]?.clause : undefined, 'SW-06')
  assert.ok(E.isRight(create({ size: 512, backing, preallocation: 'metadata', extendedL2: true })))
})

test('a new image has nothing wrong with it, preallocated or not', () => {
  for (const [spelt, options] of [...cases, ...preallocated, ['raw', raw] as const]) {
    const { corruptions, leaks, checkErrors } = countsOf(newMachine(options).files)
    assert.equal([corruptions, leaks, checkErrors], [0, 0, 0], spelt)
  }
})

test.run()
