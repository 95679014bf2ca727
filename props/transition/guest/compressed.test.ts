/** Compressed writes: what is refused, where payloads go, and that everyone reads them back. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import { portableCompressor } from '../../../src/compression/compress.js'
import { compressedBits } from '../../../src/format/compressed.js'
import type { Command } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { noise } from '../../../src/fuzz/noise.js'
import { needsQemu } from '../../run/qemu.js'
import { suite } from '../../run/suite.js'
import { abstraction, countsOf, type Machine, machineOf, newMachine, perhaps } from '../model/machine.js'
import { inFolder, isCleanForQemu, l2Entries, l2Text } from '../twins/by-qemu.js'

const test = suite('compressed')

/** A payload of as many bytes as the cluster's first two say: zeros may stand behind a stream's end. @see CMP-09 */
const ofLength = (cluster: Uint8Array): Uint8Array => {
  const payload = portableCompressor.deflate(cluster) ?? cluster
  const out = new Uint8Array((cluster[0] ?? 0) * 256 + (cluster[1] ?? 0))
  assert.ok(payload.length <= out.length)
  out.set(payload)
  return out
}

const start = (options: CreateOptions): Machine => {
  const machine = newMachine(options)
  return { ...machine, opened: { ...machine.opened, compressor: { deflate: ofLength, zstd: ofLength } } }
}

const after = (m: Machine, command: Command): Machine => {
  const done = perhaps(m, command)
  if (E.isLeft(done)) throw new Error(done.left[0]?.message)
  return { files: done.right.files, opened: done.right.opened }
}

const refusedBy = (m: Machine, command: Command): string | undefined => {
  const done = perhaps(m, command)
  return E.isLeft(done) ? done.left[0]?.clause : undefined
}

const isClean = (m: Machine): void => {
  const { corruptions, leaks, checkErrors } = countsOf(m.files)
  assert.equal([corruptions, leaks, checkErrors], [0, 0, 0])
}

const small = 512
/** A payload of `length` bytes for guest cluster `cluster`, of 512 bytes. */
const payload = (cluster: number, length: number): Command => {
  const bytes = new Uint8Array(small)
  bytes.set([length >> 8, length & 0xff])
  return { _tag: 'WriteCompressed', at: cluster * small, bytes }
}
const plain = (cluster: number): Command => ({
  _tag: 'Write',
  at: cluster * small,
  bytes: new Uint8Array(small).fill(1)
})
const discard = (cluster: number): Command => ({ _tag: 'Discard', at: cluster * small, length: small })

interface Packing {
  readonly says: string
  /** Bits of a refcount, as a power of two. */
  readonly order: number
  readonly commands: readonly Command[]
  /** Host bytes of the payloads of the first guest clusters; the L2 table is cluster 4. */
  readonly hosts: readonly (number | undefined)[]
}

const packings: readonly Packing[] = [
  {
    says: 'payloads follow each other, also into the next cluster',
    order: 4,
    commands: [0, 1, 2, 3].map((c) => payload(c, 200)),
    hosts: [2560, 2760, 2960, 3160]
  },
  {
    says: 'a payload fills up its cluster to the last byte',
    order: 4,
    commands: [payload(0, 212), payload(1, 300), plain(5), payload(2, 100)],
    hosts: [2560, 2772, 3584]
  },
  {
    says: 'a payload ends with the cluster that it crosses into',
    order: 4,
    commands: [payload(0, 300), payload(1, 400), payload(2, 324), payload(3, 20)],
    hosts: [2560, 2860, 3260, 3584]
  },
  {
    says: 'a count of one bit is one payload',
    order: 0,
    commands: [payload(0, 100), payload(1, 100)],
    hosts: [2560, 3072]
  },
  {
    says: 'a count of two bits is three payloads',
    order: 1,
    commands: [0, 1, 2, 3].map((c) => payload(c, 100)),
    hosts: [2560, 2660, 2760, 3072]
  },
  {
    says: 'nothing crosses into a cluster that does not follow',
    order: 4,
    commands: [payload(0, 300), plain(5), payload(1, 300)],
    hosts: [2560, 3584]
  },
  {
    says: 'the lowest free cluster is taken, though it does not follow',
    order: 4,
    commands: [plain(5), payload(0, 300), discard(5), payload(1, 300)],
    hosts: [3072, 2560]
  },
  {
    says: 'nothing is packed after a payload that is gone',
    order: 4,
    commands: [payload(0, 100), discard(0), plain(5), payload(1, 100)],
    hosts: [undefined, 3072]
  },
  {
    says: 'a payload is packed after one that is gone beside one that is not',
    order: 4,
    commands: [payload(0, 100), payload(1, 100), discard(1), payload(2, 100)],
    hosts: [2560, undefined, 2760]
  }
]

for (const { says, order, commands, hosts } of packings)
  test(`CW-02: ${says}`, () => {
    const m = commands.reduce(
      (before, command) => {
        const next = after(before, command)
        isClean(next)
        return next
      },
      start({ size: 16 * small, clusterBits: 9, refcountOrder: order })
    )
    const found = l2Entries(m.files).map(([bits = 0n]) => compressedBits(9).ofWord(bits))
    hosts.forEach((host, i) => {
      assert.is(found[i]?.compressed === true ? Number(found[i].hostOffset) : undefined, host)
    })
  })

test('several clusters in one command are packed as by one command each', () => {
  const bytes = (cluster: number): Uint8Array => {
    const command = payload(cluster, 150 + cluster)
    return 'bytes' in command ? command.bytes : new Uint8Array()
  }
  const empty = start({ size: 10 * small, clusterBits: 9 })
  const one = after(empty, { _tag: 'WriteCompressed', at: 0, bytes: Buffer.concat([0, 1, 2, 3, 4].map(bytes)) })
  const each = [0, 1, 2, 3, 4].reduce((m, c) => after(m, payload(c, 150 + c)), empty)
  assert.equal(l2Text(one.files), l2Text(each.files))
  isClean(one)
})

test('a descriptor is cut where the cluster size says, and its sectors are those that the payload touches', () => {
  for (let clusterBits = 9; clusterBits <= 21; clusterBits++) {
    const size = 2 ** clusterBits
    const empty = start({ size: 2 * size, clusterBits })
    const lengths = [Math.min(size / 2 + 44, 0x4100), Math.min(size - 100, 0xff00)]
    const m = lengths.reduce((before, length, i) => {
      const bytes = new Uint8Array(size)
      bytes.set([length >> 8, length & 0xff])
      return after(before, { _tag: 'WriteCompressed', at: i * size, bytes })
    }, empty)
    let next = 5 * size
    l2Entries(m.files).forEach(([bits = 0n], i) => {
      const { hostOffset, additionalSectors } = compressedBits(clusterBits).ofWord(bits)
      const end = next + (lengths[i] ?? 0)
      assert.is(hostOffset, BigInt(next))
      assert.is(additionalSectors, Math.floor((end - 1) / 512) - Math.floor(next / 512))
      next = end
    })
    if (clusterBits <= 16) isClean(m)
  }
})

const size = 65_536
const compress = (at: number, length: number): Command => ({
  _tag: 'WriteCompressed',
  at,
  bytes: new Uint8Array(length).fill(3)
})
const zero = (unmap: boolean): Command => ({ _tag: 'WriteZeroes', at: 0, length: size, unmap })
const write: Command = { _tag: 'Write', at: 0, bytes: new Uint8Array(size).fill(1) }

const gone: Command = { _tag: 'Discard', at: 0, length: size }

test('CW-01: a cluster that is allocated is refused, with nothing written', () => {
  const empty = newMachine({ size: 2 * size })
  const taken: readonly (readonly Command[])[] = [[write], [write, zero(false)], [compress(0, size)]]
  for (const commands of taken) {
    const m = commands.reduce(after, empty)
    assert.is(refusedBy(m, compress(0, size)), 'CW-01')
    assert.is(refusedBy(m, compress(0, 2 * size)), 'CW-01')
  }
  for (const commands of [[zero(false)], [write, zero(true)], [write, gone]])
    assert.is(refusedBy(commands.reduce(after, empty), compress(0, size)), undefined)
})

test('CW-01: only whole clusters and the last part of the disk are written', () => {
  const empty = newMachine({ size: 2.5 * size })
  for (const [at, length] of [
    [0, size / 2],
    [512, size],
    [512, size - 512],
    [size, 1.25 * size],
    [2 * size, 512]
  ] as const)
    assert.is(refusedBy(empty, compress(at, length)), 'CW-01')
  for (const [at, length] of [
    [0, size],
    [0, 2.5 * size],
    [2 * size, size / 2]
  ] as const)
    assert.is(refusedBy(empty, compress(at, length)), undefined)
})

test('CW-01: the bitmap of a compressed cluster is 0, also where it said zeros', () => {
  const m = [zero(false), compress(0, 2 * size)].reduce(after, newMachine({ size: 2 * size, extendedL2: true }))
  for (const [bits = 0n, bitmap] of l2Entries(m.files)) assert.equal([bits >> 62n, bitmap], [1n, 0n])
  isClean(m)
})

test('CMP-11: a cluster that does not shrink is written as it is, also over another', () => {
  const bytes = noise(5, size)
  const m = [compress(0, size), { ...write, bytes }, { ...write, bytes, _tag: 'WriteCompressed' as const }].reduce(
    after,
    newMachine({ size })
  )
  assert.equal(l2Text(m.files), ['8000000000060000'])
  isClean(m)
})

test('DATA-10 and LUKS-08: there is none with an external data file, nor in an encrypted image', () => {
  const external = newMachine({ size, dataFile: { name: 'data.raw', raw: false } })
  assert.is(refusedBy(external, compress(0, size)), 'DATA-10')
  const { image } = load('case-59-luks')
  const encrypted = machineOf({ image, data: new Uint8Array(), backing: new Uint8Array() })
  assert.is(refusedBy(encrypted, compress(0, size)), 'LUKS-08')
})

test('CW-02: a payload stays where its descriptor reaches, and where a file may', () => {
  for (const [clusterBits, end, clause] of [
    [21, 2 ** 49, 'CW-02'],
    [16, 2 ** 53, 'GEN-05']
  ] as const) {
    const m = newMachine({ size: 2 ** clusterBits, clusterBits, refcountOrder: 0 })
    const from = (firstFree: number): Machine => ({ ...m, opened: { ...m.opened, firstFree } })
    assert.is(refusedBy(from(end / 2 ** clusterBits), compress(0, 2 ** clusterBits)), clause)
  }
})

const content = (clusters: number, each: number): Uint8Array =>
  Buffer.concat(
    Array.from({ length: clusters }, (_, i) =>
      i % 3 === 0 ? noise(i, each) : new Uint8Array(each).fill(i).fill(255, each / 4, each / 2)
    )
  )

test('a payload is on the disk before an entry names it', () => {
  const machine = newMachine({ size: 16384, clusterBits: 12 })
  const done = perhaps(machine, { _tag: 'WriteCompressed', at: 0, bytes: new Uint8Array(4096).fill(7) })
  if (E.isLeft(done)) throw new Error(done.left[0]?.message)
  const { writes, files } = done.right
  const view = new DataView(files.image.buffer, files.image.byteOffset)
  const l1 = Number(view.getBigUint64(40))
  const entry = view.getBigUint64(Number(view.getBigUint64(l1) & 0x00ff_ffff_ffff_fe00n))
  assert.is(entry >> 62n, 1n, 'it is compressed')
  const payload = Number(entry & ((1n << 58n) - 1n))
  const stored = writes.findIndex((w) => w._tag === 'Write' && w.at === payload && w.bytes.some((byte) => byte !== 0))
  const named = writes.findIndex((w) => w._tag === 'Write' && w.at <= l1 && l1 < w.at + w.bytes.length)
  assert.ok(stored >= 0 && named > stored, `write ${stored} stores it, ${named} names its table`)
  assert.ok(writes.slice(stored, named).some(({ _tag }) => _tag === 'Flush'))
})

needsQemu(test)('QEMU reads packed payloads and finds nothing wrong', () =>
  inFolder((folder) => {
    for (const clusterBits of [9, 12, 16, 18])
      for (const compressionType of ['zlib', 'zstd'] as const) {
        const bytes = content(7, 2 ** clusterBits).subarray(0, 6.5 * 2 ** clusterBits)
        const disk = bytes.subarray(0, Math.floor(bytes.length / 512) * 512)
        const machine = newMachine({ size: disk.length, clusterBits, compressionType })
        const m = after(machine, { _tag: 'WriteCompressed', at: 0, bytes: disk })
        assert.ok(isCleanForQemu(folder, m.files))
        writeFileSync(join(folder, 'ours.qcow2'), m.files.image)
        execFileSync('qemu-img', ['convert', '-O', 'raw', 'ours.qcow2', 'disk.raw'], { cwd: folder })
        assert.is(Buffer.compare(readFileSync(join(folder, 'disk.raw')), disk), 0)
        const traits = { version: 3, grain: 2 ** clusterBits, dataFile: false, backingSize: 0 } as const
        assert.is(Buffer.compare(abstraction(m.files, traits).content, disk), 0)
      }
  })
)

test.run()
