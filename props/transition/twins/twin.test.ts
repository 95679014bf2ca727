/** Commands that qemu-img knows too: after ours an image is what it is after its. */
import { load } from '../../../corpus/load.js'
import type { Command } from '../../../src/transition/command.js'
import { needsQemu } from '../../run/qemu.js'
import { suite } from '../../run/suite.js'
import { marked } from '../model/follow.js'
import { alike, both, inFolder, made, type Twins, twins } from './twin.js'

const test = suite('beside qemu-img')

const filled = (at: number, byte: number, length: number): Command => ({
  _tag: 'Write',
  at,
  bytes: new Uint8Array(length).fill(byte)
})

/** Carries out a script on both; after each command they are alike. */
const carriedOut = (start: Twins, script: readonly Command[]): void => {
  script.reduce((t, command) => {
    const next = both(t, command)
    alike(next)
    return next
  }, start)
}

/** Images of every kind of cluster, with a snapshot of all of them. */
const mixed: readonly string[] = [
  'matrix-512-w8-v3-zstd',
  'matrix-4k-w4-v3-zlib',
  'matrix-16k-w16-v2-zlib',
  'matrix-16k-w64-v3-zlib-ext',
  'matrix-64k-w16-v3-zlib'
]

for (const name of mixed)
  needsQemu(test)(`snapshots and sizes of ${name}`, () => {
    const { image } = load(name)
    const cluster = 2 ** (image[23] ?? 0)
    const size = new DataView(image.buffer).getUint32(28)
    const resized: readonly Command[] =
      image[7] === 2
        ? []
        : [
            { _tag: 'Resize', size: 100 * cluster + 512 },
            filled(100 * cluster, 0x74, 512),
            { _tag: 'SnapshotCreate', name: 'large' },
            { _tag: 'SnapshotApply', name: '2' },
            { _tag: 'SnapshotApply', name: 'large' },
            { _tag: 'Resize', size: 2 * cluster },
            { _tag: 'SnapshotDelete', name: 'large' }
          ]
    inFolder((folder) =>
      carriedOut(twins(folder, image), [
        { _tag: 'SnapshotCreate', name: 'second' },
        filled(cluster, 0x71, cluster / 2),
        filled(size - 512, 0x72, 512),
        { _tag: 'SnapshotApply', name: 'before' },
        filled(0, 0x73, 512),
        { _tag: 'SnapshotDelete', name: 'before' },
        ...resized,
        { _tag: 'SnapshotDelete', name: 'second' }
      ])
    )
  })

const k = 2 ** 10

/** Options as qemu-img spells them, the size of the disk and of the one behind it, and sizes to come. */
const sizes: readonly (readonly [
  options: string,
  size: number,
  backing: number,
  ...(readonly (readonly [number, 'off' | 'metadata' | 'falloc' | 'full'])[])
])[] = [
  ['cluster_size=512', 10 * k, 0, [200 * k, 'off'], [70 * k, 'off'], [10 * k, 'off']],
  ['cluster_size=512,compat=0.10', 10 * k, 8 * k, [200 * k, 'off'], [10 * k, 'off']],
  ['cluster_size=4k', 10 * k, 100 * k, [30 * k, 'off'], [20 * k, 'off'], [200 * k, 'off']],
  ['cluster_size=4k', 10 * k, 100 * k, [30 * k, 'metadata']],
  ['cluster_size=16k,extended_l2=on', 18_432, 100 * k, [40 * k, 'off'], [200 * k, 'off']],
  ['cluster_size=16k,extended_l2=on', 16 * k, 100 * k, [40 * k, 'metadata'], [200 * k, 'off']],
  ['cluster_size=4k,refcount_bits=1', 10 * k, 0, [30 * k, 'metadata'], [60 * k, 'falloc'], [90 * k, 'full']],
  ['extended_l2=on', 100 * k, 0, [900 * k, 'metadata'], [64 * k, 'off'], [900 * k, 'falloc']]
]

for (const [options, size, backing, ...steps] of sizes)
  needsQemu(test)(`${options}, ${size} bytes over ${backing}: ${steps.map((s) => s.join(' ')).join(', ')}`, () => {
    inFolder((folder) => {
      const behind = marked(3, backing)
      const start = twins(folder, made(folder, options, size, behind), behind)
      carriedOut(start, [
        filled(512, 0x61, size / 2),
        ...steps.map(([to, preallocation]): Command => ({ _tag: 'Resize', size: to, preallocation })),
        filled(0, 0x62, 512)
      ])
    })
  })

test.run()
