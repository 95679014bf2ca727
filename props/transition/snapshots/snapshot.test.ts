/** Snapshots: taken, gone back to and deleted. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { blankDisk, type ClauseId, step as specified } from '../../../spec/index.js'
import { fromText, toText } from '../../../src/bytes/octets.js'
import type { SnapshotEntry } from '../../../src/format/snapshot.js'
import type { Command } from '../../../src/transition/command.js'
import { holds } from '../../run/holds.js'
import { needsQemu } from '../../run/qemu.js'
import { share, suite } from '../../run/suite.js'
import { advance, begin, commandOf, follow, newImages, type Op, ops, sound } from '../model/follow.js'
import { abstraction, countIn, countsOf, type Machine, machineOf, newMachine, perhaps } from '../model/machine.js'

const test = suite('snapshots')
const nothing = new Uint8Array(0)

/** The same image as if its table had so many entries. */
const crowded = (m: Machine, n: number): Machine => {
  const [entry] = after(m, take('x')).opened.metadata.snapshots
  const metadata = m.opened.metadata
  const snapshots = Array.from({ length: n }, () => entry).filter((each) => each !== undefined)
  return {
    ...m,
    opened: { ...m.opened, metadata: { ...metadata, header: { ...metadata.header, nbSnapshots: n }, snapshots } }
  }
}

const kinds: readonly Op['_tag'][] = ['Write', 'SnapshotCreate', 'SnapshotApply', 'SnapshotDelete']
const images = newImages('plain', 'plain', 'plain', 'v2', 'extended', 'data')

test('snapshots, writes and resizes have the same effect on an image as on the abstract disk', () => {
  holds(
    fc.property(images, ops(...kinds, 'Resize'), (start, script) => {
      script.reduce((at, op) => follow(at, commandOf(op, at.disk)), begin(start))
    })
  )
})

const take = (name: string) => ({ _tag: 'SnapshotCreate', name }) as const
const goBack = (name: string): Command => ({ _tag: 'SnapshotApply', name })
const remove = (name: string): Command => ({ _tag: 'SnapshotDelete', name })
const filled = (at: number, byte: number, length: number): Command => ({
  _tag: 'Write',
  at,
  bytes: new Uint8Array(length).fill(byte)
})

test('applying a snapshot restores the disk, whatever was written since', () => {
  holds(
    fc.property(newImages('plain', 'v2', 'extended'), ops('Write', 'SnapshotCreate'), (start, script) => {
      const [before, since] = [script.slice(0, 3), script.slice(3)]
      const held = follow(
        before.reduce((at, op) => advance(at, commandOf(op, at.disk)), begin(start)),
        take('held')
      )
      if (held.disk.snapshots.at(-1)?.name !== 'held') return
      const changed = since.reduce((at, op) => advance(at, commandOf(op, at.disk)), held)
      const back = advance(changed, goBack('held'))
      share('snapshots applied', 0.3, back.machine !== changed.machine)
      if (back.machine === changed.machine) return
      sound(back)
      assert.equal(back.disk.content, held.disk.content)
    })
  )
})

test('clusters that are compressed across host clusters, or keep space for zeros, are shared with a snapshot', () => {
  for (const name of ['case-31-deflate-clusters-512', 'case-33-mixed-clusters', 'case-22-zero-clusters']) {
    const taken = follow(begin({ _tag: 'Corpus', name }), take('x'))
    follow(follow(taken, filled(512, 3, 2 ** 17)), goBack('x'))
  }
})

test('clusters of a snapshot made by another writer are shared, whatever its COPIED flags', () => {
  for (const name of ['case-49-snapshots', 'matrix-4k-w4-v3-zlib', 'matrix-16k-w16-v3-zlib-ext']) {
    const start = begin({ _tag: 'Corpus', name })
    follow(follow(start, goBack(start.disk.snapshots[0]?.name ?? '')), filled(0, 3, 512))
  }
})

test('applying a snapshot restores the size of the disk', () => {
  const start = begin({ _tag: 'New', options: { size: 2 ** 16, clusterBits: 9 }, backing: 2 ** 17 })
  for (const [early, late] of [
    [1024, 2 ** 17],
    [2 ** 17, 1024]
  ]) {
    const sized = (size = 0): Command => ({ _tag: 'Resize', size })
    const script = [sized(early), take('x'), filled(0, 1, 1024), sized(late), filled(512, 2, 512), goBack('x')]
    assert.is(script.reduce(follow, start).disk.content.length, early)
  }
})

/** What a machine makes of commands that it does not refuse. */
const after = (m: Machine, ...commands: readonly Command[]): Machine =>
  commands.reduce((at, command) => {
    const next = perhaps(at, command)
    if (E.isLeft(next)) throw new Error(next.left.map((i) => i.message).join('\n'))
    return next.right
  }, m)

const machineIn = (name: string): Machine => machineOf({ image: load(name).image, data: nothing, backing: nothing })

test('creating and deleting a snapshot leaves every allocated cluster unchanged', () => {
  for (const name of [
    'case-06-clusters-512',
    'case-22-zero-clusters',
    'case-33-mixed-clusters',
    'case-41-subclusters'
  ]) {
    const before = machineIn(name)
    const { files } = after(before, take('x'), remove('x'))
    const size = 2 ** before.opened.g.clusterBits
    const part = (image: Uint8Array, c: number): string =>
      Buffer.from(image.subarray(c * size, (c + 1) * size)).toString('latin1')
    for (let c = 0; c * size < before.files.image.length; c++)
      if (countIn(before, c) > 0n)
        assert.ok(part(files.image, c) === part(before.files.image, c), `host cluster ${c} of ${name}`)
  }
})

const traits = { version: 3, grain: 2 ** 16, dataFile: false, backingSize: 0 } as const

/** An entry but for its padding, which depends on its place. */
const bare = ({ padding, ...entry }: SnapshotEntry) => entry

test('what other entries of the table hold is kept to the last bit', () => {
  for (const name of names().filter((each) => /^odd-snapshot-|^case-5[0-3]/.test(each))) {
    const before = machineIn(name)
    const old = before.opened.metadata.snapshots
    const taken = after(before, { ...take('new'), seconds: 1, nanoseconds: 2 })
    const table = taken.opened.metadata.snapshots
    assert.equal(table.slice(0, -1).map(bare), old.map(bare), name)
    const [first, ...others] = table
    if (first === undefined) continue
    const left = perhaps(taken, remove(toText(first.name) ?? ''))
    if (E.isRight(left)) assert.equal(left.right.opened.metadata.snapshots.map(bare), others.map(bare), name)
  }
})

test('a new entry has the next id, the date it is given, 24 bytes of extra data and no VM state', () => {
  const m = after(machineIn('case-53-many-snapshots'), { ...take('é'), seconds: 0xffff_ffff, nanoseconds: 999_999_999 })
  const made = m.opened.metadata.snapshots.at(-1)
  assert.equal(made === undefined ? undefined : { ...made, l1TableOffset: 0n }, {
    l1TableOffset: 0n,
    l1Size: m.opened.metadata.header.l1Size,
    dateSec: 0xffff_ffff,
    dateNsec: 999_999_999,
    vmClockNsec: 0n,
    vmStateSize: 0,
    extra: { vmStateSize: 0n, diskSize: m.opened.metadata.header.size, icount: 0n, rest: nothing },
    id: fromText('21'),
    name: fromText('é'),
    padding: nothing
  })
})

test('apply looks up the id before the name, delete only the name; a new id is the next number', () => {
  const one = after(newMachine({ size: 512 }), filled(0, 1, 512), take('2'), filled(0, 2, 512), take('1'))
  const byteOf = (m: Machine): number | undefined => abstraction(m.files, traits).content[0]
  assert.is(byteOf(after(one, goBack('1'))), 1)
  assert.is(byteOf(after(one, goBack('2'))), 2)
  const idsAfter = (name: string) => after(one, remove(name)).opened.metadata.snapshots.map((s) => toText(s.id))
  assert.equal([idsAfter('1'), idsAfter('2')], [['1'], ['2']])
  const [, last] = after(one, remove('2'), take('')).opened.metadata.snapshots
  assert.equal(last?.id, fromText('3'))
})

test('a refcount of 64 bits is exact, and does not wrap', () => {
  const m = after(newMachine({ size: 512, refcountOrder: 6 }), filled(0, 1, 512))
  // The fifth count of the only block: that of the data cluster.
  const counting = (count: bigint): Machine => {
    const image = m.files.image.slice()
    new DataView(image.buffer).setBigUint64(2 * 2 ** 16 + 8 * 5, count)
    return machineOf({ ...m.files, image })
  }
  assert.is(countIn(counting(1n), 5), 1n)
  for (const count of [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 2n]) {
    const taken = after(counting(count), take('x'))
    assert.is(countIn(taken, 5), count + 1n)
    assert.is(countIn(after(taken, remove('x')), 5), count)
  }
  assert.is(refusedBy(counting(2n ** 64n - 1n), take('x')), 'REF-07')
})

const refusedBy = (m: Machine, command: Command): ClauseId | undefined => {
  const found = perhaps(m, command)
  return E.isLeft(found) ? found.left[0]?.clause : undefined
}

test('a forbidden command is refused by its clause, and writes nothing', () => {
  const plain = newMachine({ size: 2 ** 20 })
  const narrow = after(newMachine({ size: 2 ** 20, refcountOrder: 0 }), filled(0, 1, 1))
  const dated: Command = { ...take(''), seconds: 2 ** 32 }
  const data = newMachine({ size: 512, dataFile: { name: 'data.raw', raw: false } })
  const bitmaps = after(machineIn('case-54-bitmaps'), take('x'))
  const cases: readonly (readonly [Machine, Command, ClauseId])[] = [
    [plain, goBack('1'), 'SNAP-10'],
    [after(plain, take('x')), remove('1'), 'SNAP-10'],
    [plain, take('x'.repeat(65_536)), 'SNAP-01'],
    [plain, dated, 'SNAP-01'],
    [narrow, take('x'), 'REF-07'],
    [data, take('x'), 'DATA-10'],
    [data, goBack('x'), 'DATA-10'],
    [data, remove('x'), 'DATA-10'],
    [bitmaps, goBack('x'), 'ST-11'],
    [machineIn('broken-snapshot-l1-unaligned'), goBack('1'), 'SNAP-01'],
    [crowded(plain, 65_536), take('x'), 'OPEN-17']
  ]
  for (const [m, command, clause] of cases) assert.is(refusedBy(m, command), clause, `${command._tag} by ${clause}`)
})

needsQemu(test)('DATA-10: with an external data file the disk, the image and qemu-img refuse the same commands', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-data-'))
  try {
    const qemuImg = (...args: string[]): number | null => spawnSync('qemu-img', args, { cwd: folder }).status
    assert.is(qemuImg('create', '-f', 'qcow2', '-o', 'data_file=data.raw', 'disk.qcow2', '8192'), 0)
    const machine = newMachine({ size: 8192, dataFile: { name: 'data.raw', raw: false } })
    const disk = blankDisk({ version: 3, grain: 65_536, dataFile: true, backingSize: 0 }, 8192)
    for (const [option, command] of [
      ['-c', take('x')],
      ['-a', goBack('x')],
      ['-d', remove('x')]
    ] as const) {
      assert.is(qemuImg('snapshot', option, 'x', 'disk.qcow2'), 1)
      assert.equal(specified(command, disk), { _tag: 'Refused', clause: 'DATA-10' })
      assert.is(refusedBy(machine, command), 'DATA-10')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a deleted snapshot leaves nothing behind, wherever in its clusters its L1 table ends', () => {
  // A cluster of 512 bytes has 64 entries of an L1 table, and an L2 table in it leads to 32 KiB.
  for (const entries of [1, 63, 64, 65, 72, 73, 74, 127, 128, 129]) {
    const size = entries * 32_768
    const start = after(newMachine({ size, clusterBits: 9 }), filled(0, 1, 512), filled(size - 512, 2, 512))
    const taken = after(start, take('x'))
    const removed = after(taken, filled(0, 3, 512), remove('x'))
    for (const { files } of [taken, removed]) {
      const { corruptions, leaks, checkErrors, allocatedClusters } = countsOf(files)
      assert.equal([corruptions, leaks, checkErrors], [0, 0, 0], `${entries} entries`)
      assert.is(allocatedClusters, 2)
    }
  }
})

test.run()
