/** Resizing: what a disk gains reads as zeros, and what it loses is given back. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import type { ClauseId } from '../../../spec/index.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import { viewOf } from '../../../src/bytes/octets.js'
import type { Command } from '../../../src/transition/command.js'
import type { Preallocation } from '../../../spec/disk.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'
import { crashStates } from '../crash/crashes.js'
import { advance, begin, commandOf, follow, marked, newImages, ops, sound } from '../model/follow.js'
import { abstraction, countIn, countsOf, type Machine, machineOf, newMachine, perhaps } from '../model/machine.js'

const test = suite('resize')
const nothing = new Uint8Array(0)
const images = newImages('plain', 'plain', 'v2', 'extended', 'data', 'raw', 'extended data')

test('resizes, writes and snapshots have the same effect on an image as on the abstract disk', () => {
  holds(
    fc.property(images, ops('Resize', 'Resize', 'Write', 'SnapshotCreate', 'SnapshotApply'), (start, script) => {
      script.reduce((at, op) => follow(at, commandOf(op, at.disk)), begin(start))
    })
  )
})

const to = (size: number, preallocation: Preallocation = 'off'): Command => ({ _tag: 'Resize', size, preallocation })
const written = (at: number, length: number): Command => ({ _tag: 'Write', at, bytes: marked(at, length) })
const modes = ['off', 'metadata', 'falloc', 'full'] as const

test('a disk that was full, got smaller and grows again has zeros where it was cut off', () => {
  holds(
    fc.property(
      images,
      fc.nat({ max: 240 }),
      fc.nat({ max: 240 }),
      fc.constantFrom(...modes),
      fc.boolean(),
      (start, less, more, mode, shared) => {
        const empty = begin(start)
        const size = empty.disk.content.length
        const smaller = Math.min(size, 512 * less)
        const larger = smaller + 512 * more
        const full = advance(empty, written(0, size))
        const held = shared ? advance(full, { _tag: 'SnapshotCreate', name: '' }) : full
        const cut = follow(held, to(smaller))
        const back = follow(cut, larger > smaller ? to(larger, mode) : to(larger))
        if (back.disk.content.length !== larger) return
        assert.ok(back.disk.content.subarray(smaller).every((b) => b === 0))
        sound(advance(back, written(0, larger)))
      }
    )
  )
})

test('a raw disk that grows gains zeros, and its file keeps the bytes past them', () => {
  for (const mode of modes) {
    const m = newMachine({ size: 65_536, clusterBits: 12, dataFile: { name: 'img.raw', raw: true } })
    const longer = new Uint8Array(3 * 65_536).fill(7)
    const { data } = after({ ...m, files: { ...m.files, data: longer } }, to(2 * 65_536, mode)).files
    assert.equal(
      [data.length, data.lastIndexOf(7, 2 * 65_536 - 1), data.indexOf(7, 65_536)],
      [3 * 65_536, 65_535, 131_072]
    )
  }
})

/** What a machine makes of commands that it does not refuse. */
const after = (m: Machine, ...commands: readonly Command[]): Machine & { readonly writes: readonly HostWrite[] } =>
  commands.reduce<Machine & { readonly writes: readonly HostWrite[] }>(
    (at, command) => {
      const next = perhaps(at, command)
      if (E.isLeft(next)) throw new Error(next.left.map((i) => i.message).join('\n'))
      return next.right
    },
    { ...m, writes: [] }
  )

const machineIn = (name: string): Machine => machineOf({ image: load(name).image, data: nothing, backing: nothing })

test('a file ends after the last referenced cluster, and refcount blocks without a refcount are gone', () => {
  const small = newMachine({ size: 32 * 2 ** 10, clusterBits: 9, refcountOrder: 6 })
  const large = after(small, to(400 * 2 ** 10), written(0, 400 * 2 ** 10))
  const cut = after(large, to(512))
  assert.ok(large.files.image.length > 400 * 2 ** 10)
  const clusters = cut.files.image.length / 512
  assert.is(countIn(cut, clusters - 1), 1n)
  assert.is(countIn(cut, clusters), 0n)
  assert.ok(clusters < 30, `${clusters} clusters are left`)
})

test('a refcount past the end of the file does not make the file longer, where a command cuts it off', () => {
  const { files } = after(newMachine({ size: 2 ** 16, clusterBits: 12 }), written(0, 2 ** 16))
  const image = files.image.slice()
  const view = viewOf(image)
  const block = Number(view.getBigUint64(Number(view.getBigUint64(48))))
  view.setUint16(block + 2 * 1000, 1)
  const damaged = machineOf({ ...files, image })
  for (const command of [to(2 ** 14), { _tag: 'MakeEmpty' } as const]) {
    const cut = perhaps(damaged, command)
    const length = E.isRight(cut) ? cut.right.files.image.length : NaN
    assert.ok(length < image.length - 2 ** 14, `${command._tag}: ${length} bytes`)
    assert.is(countIn(damaged, length / 4096 - 1), 1n)
  }
})

const traitsOf = (clusterBits: number) =>
  ({ version: 3, grain: 2 ** clusterBits, dataFile: false, backingSize: 0 }) as const

test('after a crash no cluster that a shrinking disk has used lacks its refcount block', () => {
  // With clusters of 512 bytes and refcounts of 64 bits, a refcount block covers 64 clusters, as an L2 table does.
  const size = 4 * 32_768
  const { machine } = advance(
    begin({ _tag: 'New', options: { size, clusterBits: 9, refcountOrder: 6 }, backing: 0 }),
    written(0, size)
  )
  for (const less of [0, 32_768, 2 * 32_768 + 512]) {
    const done = perhaps(machine, to(less))
    if (E.isLeft(done)) throw new Error(done.left.map((each) => each.message).join('\n'))
    for (const files of crashStates(machine.files, done.right.writes)) assert.is(countsOf(files).corruptions, 0)
  }
})

test('growing over the VM state of the active tree, or shrinking, drops it', () => {
  const { files } = after(newMachine({ size: 2 ** 16, clusterBits: 9 }), written(0, 2 ** 16))
  const image = files.image.slice()
  // The second L2 table now begins where VM state does.
  new DataView(image.buffer).setBigUint64(24, 2n ** 15n)
  const machine = machineOf({ ...files, image })
  const start = { machine, disk: abstraction(machine.files, traitsOf(9)) }
  follow(start, to(2 ** 15 + 512))
  follow(follow(start, to(2 ** 14)), to(2 ** 16))
})

test('the compressed cursor goes with its cluster', () => {
  const m = after(newMachine({ size: 2 ** 20 }), written(0, 512))
  const compressedCursor = m.files.image.length - 512
  const packed = { ...m, opened: { ...m.opened, compressedCursor } }
  assert.is(after(packed, to(512)).opened.compressedCursor, compressedCursor)
  assert.is(after(packed, to(0)).opened.compressedCursor, 0)
})

test('preallocated clusters are in the file, and hold zeros whatever was there', () => {
  for (const mode of ['metadata', 'falloc', 'full'] as const) {
    const dirty = after(newMachine({ size: 2 ** 20, clusterBits: 12 }), written(0, 2 ** 20), to(4096))
    const stale = { ...dirty, files: { ...dirty.files, image: new Uint8Array(3 * 2 ** 20).fill(0xee) } }
    stale.files.image.set(dirty.files.image)
    const grown = after(stale, to(2 ** 21, mode))
    const traits = { version: 3, grain: 4096, dataFile: false, backingSize: 0 } as const
    assert.ok(
      abstraction(grown.files, traits).content.every((b, i) => i < 4096 || b === 0),
      mode
    )
    const short = after(newMachine({ size: 4096, clusterBits: 12 }), to(2 ** 20, mode))
    assert.ok(short.files.image.length >= 2 ** 20, mode)
    assert.is(short.files.image.length % 4096, 0)
  }
})

test('tables of several clusters, and a refcount table that grows, are moved and shared', () => {
  const small = begin({ _tag: 'New', options: { size: 512, clusterBits: 9, refcountOrder: 6 }, backing: 0 })
  const size = 3 * 2 ** 20 + 512
  const script: readonly Command[] = [
    to(size, 'metadata'),
    written(size - 512, 512),
    { _tag: 'SnapshotCreate', name: 'large' },
    to(1024),
    written(0, 1024),
    { _tag: 'SnapshotCreate', name: 'small' },
    { _tag: 'SnapshotApply', name: 'large' },
    written(2 ** 20, 2 ** 20),
    { _tag: 'SnapshotApply', name: 'small' },
    { _tag: 'SnapshotDelete', name: 'large' },
    to(size)
  ]
  const { machine } = script.reduce(follow, small)
  assert.ok(machine.opened.metadata.header.refcountTableClusters > 1)
  assert.ok(machine.opened.metadata.header.l1Size > 64)
})

test('version 2 grows over a longer backing file within its last cluster, and reads zeros there', () => {
  const options = { size: 512, version: 2, clusterBits: 10 } as const
  const old = newMachine(options, marked(1, 4096))
  const traits = { version: 2, grain: 1024, dataFile: false, backingSize: 4096 } as const
  const { content } = abstraction(after(old, to(1024)).files, traits)
  assert.equal(content, new Uint8Array([...marked(1, 512), ...new Uint8Array(512)]))
  for (const mode of ['off', 'metadata'] as const) assert.is(refusedBy(old, to(1536, mode)), 'RS-03')
})

test('version 2 grows over a longer backing file by any size where zeros are written', () => {
  const traits = { version: 2, grain: 1024, dataFile: false, backingSize: 4096 } as const
  for (const mode of ['falloc', 'full'] as const) {
    const old = newMachine({ size: 512, version: 2, clusterBits: 10 }, marked(1, 4096))
    const { content } = abstraction(after(old, to(3072, mode)).files, traits)
    assert.equal(content, new Uint8Array([...marked(1, 512), ...new Uint8Array(2560)]))
  }
})

const refusedBy = (m: Machine, command: Command): ClauseId | undefined => {
  const found = perhaps(m, command)
  return E.isLeft(found) ? found.left[0]?.clause : undefined
}

test('a forbidden command is refused by its clause, and writes nothing', () => {
  const plain = newMachine({ size: 2 ** 20 })
  const old = newMachine({ size: 512, version: 2, clusterBits: 9 }, marked(1, 1024))
  const encrypted = machineIn('case-60-aes')
  const cases: readonly (readonly [Machine, Command, ClauseId])[] = [
    [plain, to(100), 'RS-01'],
    [plain, to(-512), 'RS-01'],
    [plain, to(2 ** 60), 'RS-01'],
    [plain, to(512, 'metadata'), 'RS-07'],
    [plain, to(2 ** 52), 'OPEN-19'],
    [after(newMachine({ size: 512, version: 2 }), { _tag: 'SnapshotCreate', name: '' }), to(1024), 'RS-01'],
    [old, to(1024), 'RS-03'],
    [after(encrypted, to(512)), to(1024), 'LUKS-08'],
    [encrypted, to(2 ** 23, 'metadata'), 'LUKS-08']
  ]
  for (const [m, command, clause] of cases) assert.is(refusedBy(m, command), clause, `${command._tag} by ${clause}`)
})

test('an image whose refcounts are lost is not cut off', () => {
  const sound = after(newMachine({ size: 2 ** 20 }), { _tag: 'Write', at: 0, bytes: marked(0, 512) })
  const { refcountTableOffset: table } = sound.opened.metadata.header
  const block = Number(viewOf(sound.files.image).getBigUint64(Number(table)))
  for (const lost of [block, Number(table)]) {
    const image = sound.files.image.slice()
    image.fill(0, lost, lost + 2 ** 16)
    const m = machineOf({ ...sound.files, image })
    assert.is(refusedBy(m, to(2 ** 19)), 'CHK-04')
  }
})

test('the block with the refcount of the header is not dropped where its refcounts are lost and others are not', () => {
  const sound = after(newMachine({ size: 2 ** 18, clusterBits: 9 }), {
    _tag: 'Write',
    at: 0,
    bytes: marked(0, 2 ** 18)
  })
  const { refcountTableOffset: table } = sound.opened.metadata.header
  const view = viewOf(sound.files.image)
  const [first, second] = [0, 8].map((at) => Number(view.getBigUint64(Number(table) + at)))
  assert.ok((second ?? 0) > 0)
  const image = sound.files.image.slice()
  image.fill(0, first, (first ?? 0) + 512)
  const m = machineOf({ ...sound.files, image })
  // The clusters that a shrink frees have their refcounts in the second block.
  assert.is(refusedBy(m, to(2 ** 17 + 2 ** 16)), 'CHK-04')
})

test.run()
