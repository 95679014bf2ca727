/** Repair: what has one right answer is repaired, and what a guest reads stays as it was. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { imageName } from '../../../corpus/recipe.js'
import { check, type Counts, exitCode } from '../../../spec/reference/check.js'
import { openImage } from '../../../spec/reference/image.js'
import { readGuest } from '../../../spec/reference/reader.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { concat, fromHex, viewOf } from '../../../src/bytes/octets.js'
import { snapshotEntry, snapshotExtra, snapshotTable } from '../../../src/format/snapshot.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { portable } from '../../../src/compression/decompress.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import { type Repaired, repair, type RepairMode } from '../../../src/transition/repair/repair.js'
import { needsQemu } from '../../run/qemu.js'
import { tally, tools } from '../../spec/reference/corpus.js'
import { note, suite } from '../../run/suite.js'
import { countsOf, type Files, type Machine, newMachine, perform, perhaps, right, runOver } from '../model/machine.js'

const test = suite('repair')

const around = { backing: [], decompressor: portable }
const nothing = new Uint8Array(0)

const repaired = (files: Files, mode: RepairMode): E.Either<readonly Issue[], Files> =>
  E.map(({ writes }: Repaired) => perform(files, writes))(runOver(files, repair(around, files.image.length, mode)))

interface Unsound {
  readonly name: string
  readonly files: Files
}

let found: readonly Unsound[] | undefined

/** The images that qemu-img finds something wrong with, as files. */
const unsound = (): readonly Unsound[] =>
  (found ??= names().flatMap((name) => {
    const { expect, image, files } = load(name)
    const { exit } = expect.check
    return exit === 2 || exit === 3
      ? [{ name, files: { image, data: files.get('img.raw') ?? nothing, backing: nothing } }]
      : []
  }))

/** What a guest reads without a backing file; the reason where it reads nothing. */
const guest = ({ image, data }: Files): E.Either<string, Uint8Array> => {
  const opened = openImage(image, data.length > 0 ? data : undefined, undefined)
  return opened.size > 2 ** 25 ? E.left('a large disk') : readGuest(opened, 0, opened.size, tools, opened.l1)
}

const exitOf = ({ image, data }: Files): number => {
  const counts = check(openImage(image, data.length > 0 ? data : undefined, undefined))
  return E.isLeft(counts) ? 1 : exitCode(counts.right)
}

test('a refcount is raised also where one in the same byte, of a cluster before it, is lowered', () => {
  const written = perhaps(newMachine({ size: 2 ** 15, clusterBits: 9, refcountOrder: 1 }), {
    _tag: 'Write',
    at: 0,
    bytes: new Uint8Array(16 * 512).fill(1)
  })
  const { files, opened } = right(written)
  const image = files.image.slice()
  const view = viewOf(image)
  const block = Number(view.getBigUint64(Number(opened.metadata.header.refcountTableOffset)))
  const l2 = Number(view.getBigUint64(Number(opened.metadata.header.l1TableOffset)) & 0xff_ffff_ffff_fe00n)
  const clusters = Array.from({ length: 16 }, (_, i) =>
    Number((view.getBigUint64(l2 + 8 * i) & 0xff_ffff_ffff_fe00n) / 512n)
  )
  const first = clusters.findIndex((cluster) => cluster % 4 === 0)
  // Of four clusters whose refcounts are in one byte the first loses its reference, and the last gets a second one.
  view.setBigUint64(l2 + 8 * first, 0n)
  view.setBigUint64(l2 + 8 * 20, view.getBigUint64(l2 + 8 * (first + 3)))
  const byte = block + (clusters[first] ?? 0) / 4
  assert.is(image[byte], 0b01_01_01_01)
  const after = repaired({ ...files, image }, 'all')
  assert.is(E.isRight(after) && after.right.image[byte], 0b10_01_01_00)
  assert.is(E.isRight(after) && exitOf(after.right), 0)
})

test('a full repair leaves fewer findings and the same guest contents', () => {
  const codes: string[] = []
  for (const { name, files } of unsound()) {
    const after = repaired(files, 'all')
    if (E.isLeft(after)) {
      codes.push('refused')
      continue
    }
    const [was, is] = [exitOf(files), exitOf(after.right)]
    codes.push(`${was} to ${is}`)
    assert.ok(is === 0 || (is === 2 && was === 2), name)
    assert.ok(countsOf(after.right).corruptions <= countsOf(files).corruptions, name)
    const before = guest(files)
    if (E.isRight(before)) assert.equal(guest(after.right), before, name)
  }
  note(tally(codes))
  assert.ok(codes.filter((code) => code.endsWith('to 0')).length > codes.length / 2)
})

test('a snapshot table past the end of the file is not rewritten as one without snapshots', () => {
  const { image } = load('broken-snapshot-table-past-end')
  assert.equal(right(repaired({ image, data: nothing, backing: nothing }, 'all')).image, image)
})

test('a repair that cannot cut extra data, in a table past the end of the file, is refused', () => {
  const files = withExtra(3, 3000)
  const { snapshotsOffset } = right(right(runOver(files, readMetadata()))).header
  const cut = { ...files, image: files.image.subarray(0, Number(snapshotsOffset) + 2048) }
  const done = repaired(cut, 'all')
  assert.is(E.isLeft(done) ? done.left[0]?.clause : undefined, 'SNAP-03')
})

test('a repair of leaks leaves no leak', () => {
  for (const { name, files } of unsound().filter((each) => exitOf(each.files) === 3)) {
    const after = repaired(files, 'leaks')
    assert.is(E.isRight(after) ? exitOf(after.right) : 1, 0, name)
  }
})

test('a second repair writes nothing', () => {
  for (const { name, files } of unsound()) {
    const once = repaired(files, 'all')
    if (E.isLeft(once) || exitOf(once.right) !== 0) continue
    const again = runOver(once.right, repair(around, once.right.image.length, 'all'))
    assert.equal(E.isRight(again) ? again.right.writes : 'refused', [], name)
  }
})

/** A dirty image whose L2 table names a cluster that nobody wrote: the file ends before it, and its count is zero. */
const unwritten = (): Files => {
  const m = newMachine({ size: 8192, clusterBits: 10, lazyRefcounts: true })
  const { files, opened } = right(perhaps(m, { _tag: 'Write', at: 0, bytes: new Uint8Array(8192).fill(7) }))
  const first = files.image.indexOf(7)
  const image = files.image.slice(0, first + 1024)
  const view = viewOf(image)
  view.setBigUint64(72, view.getBigUint64(72) | 1n)
  const block = Number(view.getBigUint64(Number(opened.metadata.header.refcountTableOffset)))
  for (let c = first / 1024 + 1; c < first / 1024 + 8; c++) view.setUint16(block + 2 * c, 0)
  return { ...files, image }
}

test('clusters past the end of a dirty image get refcounts and read as zeros', () => {
  const files = unwritten()
  const before = guest(files)
  assert.is(exitOf(files), 2)
  const after = repaired(files, 'all')
  if (E.isLeft(after)) throw new Error('refused')
  const { corruptions, leaks, checkErrors }: Counts = countsOf(after.right)
  assert.equal([corruptions, leaks, checkErrors], [0, 0, 0])
  assert.equal(guest(after.right), before)
  assert.is(viewOf(after.right.image).getBigUint64(72) & 1n, 0n)
})

/** An image with two snapshots, the first of which has extra data of so many bytes. */
const withExtra = (version: 2 | 3, length: number): Files => {
  const start = newMachine({ size: 65_536, clusterBits: 13, version })
  const { files, opened } = right(
    E.chain((m: typeof start) => perhaps(m, { _tag: 'SnapshotCreate', name: 'b' }))(
      perhaps(start, { _tag: 'SnapshotCreate', name: 'a' })
    )
  )
  const [first, second] = opened.metadata.snapshots
  if (first === undefined || second === undefined) throw new Error('no snapshots')
  const known = snapshotExtra.encode(first.extra)
  const bytes = concat([known, Uint8Array.from({ length }, (_, i) => i)]).subarray(0, length)
  const long = { ...first, extra: right(E.mapLeft(() => [])(snapshotExtra.decode(bytes))), padding: nothing }
  const padding = new Uint8Array(-snapshotEntry.sizeOf(long) & 7)
  const at = Number(opened.metadata.header.snapshotsOffset)
  const image = new Uint8Array(Math.max(files.image.length, at + 8192 * Math.ceil(length / 8192)))
  image.set(files.image)
  image.set(snapshotTable(2).encode([{ ...long, padding }, second]), at)
  return { ...files, image }
}

const extraOf = ({ image, data, backing }: Files): readonly Uint8Array[] =>
  right(right(runOver({ image, data, backing }, readMetadata()))).snapshots.map((s) => snapshotExtra.encode(s.extra))

/** The last ones go on in a cluster that is not counted, so that the counts are built anew. */
const lengths = [0, 8, 1000, 1024, 1025, 3000, 9000, 20_000] as const

test('extra data of a snapshot are extended to the required length and cut to the greatest allowed one', () => {
  for (const version of [2, 3] as const)
    for (const length of lengths) {
      const files = withExtra(version, length)
      const [old, ...others] = extraOf(files)
      const after = right(repaired(files, 'all'))
      const whole = fromHex('00000000000000000000000000010000ffffffffffffffff')
      assert.equal(extraOf(after), [version === 3 && length < 16 ? whole : old?.subarray(0, 1024), ...others])
      assert.is(Buffer.compare(after.image, files.image) === 0, length <= 1024 && (version === 2 || length >= 16))
      assert.is(exitOf(after), 0)
      assert.is(E.isLeft(repaired(files, 'leaks')), length > 1024)
    }
})

/** An image with a snapshot of one cluster of sevens, which the active disk no longer has; and the entry of that snapshot. */
const withSnapshot = (): { readonly files: Files; readonly l1: number; readonly at: number } => {
  const commands: readonly AnyCommand[] = [
    { _tag: 'Write', at: 0, bytes: new Uint8Array(4096).fill(7) },
    { _tag: 'SnapshotCreate', name: 'a' },
    { _tag: 'Discard', at: 0, length: 65_536 }
  ]
  const start = newMachine({ size: 65_536, clusterBits: 12 })
  const { files, opened } = commands.reduce<Machine>((m, command) => right(perhaps(m, command)), start)
  const { snapshots, header } = opened.metadata
  return { files, l1: Number(snapshots[0]?.l1TableOffset), at: Number(header.snapshotsOffset) }
}

test('a repair frees nothing of a snapshot whose L1 table it cannot follow', () => {
  const { files, l1, at } = withSnapshot()
  for (const mode of ['leaks', 'all'] as const) {
    const image = files.image.slice()
    viewOf(image).setBigUint64(at, BigInt(l1 + 8))
    const after = right(repaired({ ...files, image }, mode)).image
    viewOf(after).setBigUint64(at, BigInt(l1))
    assert.is(exitOf({ ...files, image: after }), 0, mode)
  }
})

test('refcounts are not rebuilt beside a table that cannot be followed', () => {
  const { files, at } = withSnapshot()
  const image = files.image.slice()
  const view = viewOf(image)
  view.setBigUint64(at, 8n)
  view.setBigUint64(Number(view.getBigUint64(48)), 0n)
  const after = repaired({ ...files, image }, 'all')
  assert.equal(E.isLeft(after) ? after.left.map(({ clause }) => clause) : [], ['CHK-09'])
})

test('a repair keeps the payload of a compressed entry with a subcluster bitmap', () => {
  const start = newMachine({ size: 65_536, clusterBits: 14, extendedL2: true })
  const bytes = new Uint8Array(16_384).fill(7)
  const { files, opened } = right(perhaps(start, { _tag: 'WriteCompressed', at: 0, bytes }))
  const { l1TableOffset, refcountTableOffset } = opened.metadata.header
  const l2 = Number(viewOf(files.image).getBigUint64(Number(l1TableOffset)) & 0xff_ffff_ffff_fe00n)
  const afterRepair = (mode: RepairMode, damage: (view: DataView) => void): number => {
    const image = files.image.slice()
    viewOf(image).setBigUint64(l2 + 8, 1n)
    damage(viewOf(image))
    const after = right(repaired({ ...files, image }, mode)).image
    viewOf(after).setBigUint64(l2 + 8, 0n)
    return exitOf({ ...files, image: after })
  }
  assert.is(
    afterRepair('leaks', () => undefined),
    0
  )
  assert.is(
    afterRepair('all', () => undefined),
    0
  )
  assert.is(
    afterRepair('all', (view) => view.setBigUint64(Number(refcountTableOffset), 0n)),
    0
  )
})

test('a repair keeps the clusters of a payload that ends past the file', () => {
  const start = newMachine({ size: 65_536, clusterBits: 12 })
  const bytes = new Uint8Array(4096).fill(7)
  const { files, opened } = right(perhaps(start, { _tag: 'WriteCompressed', at: 0, bytes }))
  const l2 = Number(
    viewOf(files.image).getBigUint64(Number(opened.metadata.header.l1TableOffset)) & 0xff_ffff_ffff_fe00n
  )
  const word = viewOf(files.image).getBigUint64(l2)
  for (const mode of ['leaks', 'all'] as const)
    for (const rebuilt of [false, true]) {
      const image = files.image.slice()
      const view = viewOf(image)
      // As many additional sectors as an entry can have: the payload would end clusters after the file.
      view.setBigUint64(l2, word | (0xfn << 58n))
      if (rebuilt) view.setBigUint64(Number(opened.metadata.header.refcountTableOffset), 0n)
      const after = repaired({ ...files, image }, mode)
      if (E.isLeft(after)) {
        assert.ok(rebuilt && mode === 'leaks')
        continue
      }
      viewOf(after.right.image).setBigUint64(l2, word)
      assert.is(exitOf({ ...files, image: after.right.image }), 0, mode)
    }
})

test('a COPIED flag beside a refcount of two is cleared', () => {
  const start = newMachine({ size: 65_536, clusterBits: 12 })
  const commands: readonly AnyCommand[] = [
    { _tag: 'Write', at: 0, bytes: new Uint8Array(4096).fill(1) },
    { _tag: 'SnapshotCreate', name: 'a' }
  ]
  const { files, opened } = commands.reduce<Machine>((m, command) => right(perhaps(m, command)), start)
  const image = files.image.slice()
  const l2 = Number(viewOf(image).getBigUint64(Number(opened.metadata.header.l1TableOffset)) & 0xff_ffff_ffff_fe00n)
  image[l2] = (image[l2] ?? 0) | 0x80
  assert.is(exitOf({ ...files, image }), 2)
  assert.equal(right(repaired({ ...files, image }, 'all')).image, files.image)
})

test('COPIED flags are compared with the repaired refcounts, as by qemu-img', () => {
  const start = newMachine({ size: 65_536, clusterBits: 12 })
  const { files, opened } = right(perhaps(start, { _tag: 'Write', at: 0, bytes: new Uint8Array(8192).fill(1) }))
  const image = files.image.slice()
  const view = viewOf(image)
  const l2 = Number(view.getBigUint64(Number(opened.metadata.header.l1TableOffset)) & 0xff_ffff_ffff_fe00n)
  // The second cluster is given up for the first: a count of one for two references, and a count too many.
  view.setBigUint64(l2 + 8, view.getBigUint64(l2))
  const twice = { ...files, image }
  assert.is(countsOf(twice).corruptions, 1)
  const done = right(runOver(twice, repair(around, image.length, 'all')))
  assert.equal(done.fixed, { corruptions: 3, leaks: 1 })
  assert.is(exitOf(perform(twice, done.writes)), 0)
})

test('reserved bits that are cleared in L1 and L2 entries are reported as fixed', () => {
  const start = newMachine({ size: 65_536, clusterBits: 12 })
  const { files, opened } = right(perhaps(start, { _tag: 'Write', at: 0, bytes: new Uint8Array(4096).fill(1) }))
  const l1 = Number(opened.metadata.header.l1TableOffset)
  const l2 = Number(viewOf(files.image).getBigUint64(l1) & 0xff_ffff_ffff_fe00n)
  for (const entries of [[l1], [l2], [l1, l2]]) {
    const image = files.image.slice()
    for (const at of entries) image[at + 7] = (image[at + 7] ?? 0) | 2
    const damaged = { ...files, image }
    assert.is(countsOf(damaged).corruptions, entries.length)
    const done = right(runOver(damaged, repair(around, image.length, 'all')))
    assert.equal(done.fixed, { corruptions: entries.length, leaks: 0 })
    assert.equal(perform(damaged, done.writes).image, files.image)
  }
})

needsQemu(test)('qemu-img repairs the same images in the same way', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-repair-'))
  const path = join(folder, imageName)
  try {
    for (const length of lengths) {
      const files = withExtra(3, length)
      writeFileSync(path, files.image)
      assert.is(spawnSync('qemu-img', ['check', '-q', '-r', 'all', path]).status, 0)
      assert.equal(extraOf({ ...files, image: readFileSync(path) }), extraOf(right(repaired(files, 'all'))))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

needsQemu(test)('what qemu-img can repair is repaired', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-repair-'))
  const better: string[] = []
  const left: string[] = []
  try {
    for (const { name, files } of unsound()) {
      const path = join(folder, imageName)
      const qemu = (...args: readonly string[]): number | null => spawnSync('qemu-img', ['check', ...args, path]).status
      writeFileSync(path, files.image)
      writeFileSync(join(folder, 'img.raw'), files.data)
      qemu('-q', '-r', 'all')
      const theirs = qemu('-q') ?? 1
      const untouched = Buffer.compare(readFileSync(path), files.image) === 0
      const after = repaired(files, 'all')
      writeFileSync(path, E.isRight(after) ? after.right.image : files.image)
      const ours = qemu('-q') ?? 1
      if (ours === 0 && theirs !== 0) better.push(untouched ? `${name}, which it leaves` : name)
      if (ours !== 0 && ours !== theirs) left.push(name)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  // Of a table past the end of the file it makes a bitmap without a bit, or snapshots without a disk.
  const pastEnd = ['broken-bitmap-entry-past-end', 'broken-snapshot-count', 'broken-snapshot-table-past-end']
  assert.equal(left.toSorted(), pastEnd)
  note(`${unsound().length} images; ${better.length} that qemu-img does not repair: ${better.join(', ')}`)
})

test.run()
