/** The order of writes: whatever part of those behind the last flush is lost, the image is whole. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import {
  entriesOf,
  entryOf,
  type Image,
  isSet,
  offsetIn,
  openImage,
  snapshotsOf
} from '../../../spec/reference/image.js'
import type { Disk, Snapshot } from '../../../spec/disk.js'
import type { HostWrite, Write } from '../../../src/bytes/host-write.js'
import { check } from '../../../src/image/check/check.js'
import type { Command } from '../../../src/transition/command.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { advance, begin, commandOf, type Followed, newImages, ops, type Start } from '../model/follow.js'
import { abstraction, type Files, machineOf, perform, perhaps, runOver } from '../model/machine.js'

const test = suite('order of writes')
const seen = { crashes: 0, leaks: 0 }

const tell = (): void => note(`${seen.crashes} crashes so far, ${seen.leaks} clusters leaked, nothing lost`)

/** A write as the sectors it reaches, each of which may be lost by itself. */
const sectors = (w: HostWrite): readonly HostWrite[] =>
  w._tag === 'Write'
    ? Array.from({ length: Math.ceil(w.bytes.length / 512) }, (_, i): Write => ({
        ...w,
        at: w.at + 512 * i,
        bytes: w.bytes.subarray(512 * i, 512 * (i + 1))
      }))
    : [w]

/** The writes between one flush and the next. */
const epochs = (writes: readonly HostWrite[]): readonly (readonly HostWrite[])[] =>
  writes.reduce<readonly (readonly HostWrite[])[]>(
    (all, w) => (w._tag === 'Flush' ? [...all, []] : [...all.slice(0, -1), [...(all.at(-1) ?? []), ...sectors(w)]]),
    [[]]
  )

/** The first or the last words of a sector. */
const torn = (w: HostWrite, n: number): HostWrite => {
  if (w._tag !== 'Write') return w
  const cut = 8 * (1 + (n % 63))
  return n % 2 === 0
    ? { ...w, bytes: w.bytes.subarray(0, cut) }
    : { ...w, at: w.at + cut, bytes: w.bytes.subarray(cut) }
}

/** Parts of an epoch: all of them where it is short; else single writes, all but one, and some, by a number. */
const parts = (epoch: readonly HostWrite[], seed: number): readonly (readonly HostWrite[])[] => {
  const n = epoch.length
  if (n <= 3) return Array.from({ length: 2 ** n }, (_, bits) => epoch.filter((_w, i) => ((bits >> i) & 1) === 1))
  const picks = Array.from({ length: 5 }, (_, i) => (seed * 31 + i * 7919) % n)
  return picks.flatMap((pick, k) => [
    epoch.filter((_, i) => i === pick),
    epoch.filter((_, i) => i !== pick),
    epoch.filter((_, i) => ((Math.imul(i + 1, 0x9e37_79b1) ^ seed) >>> (k + 3)) % 2 === 0)
  ])
}

/** The files as a crash may leave them, at some point of these writes. */
function* crashes(files: Files, writes: readonly HostWrite[], seed: number): Generator<Files> {
  let now = files
  for (const epoch of epochs(writes)) {
    for (const part of parts(epoch, seed)) yield perform(now, part)
    const last = epoch[seed % epoch.length]
    if (last !== undefined) yield perform(now, [...epoch.filter((w) => w !== last && seed % 3 === 0), torn(last, seed)])
    now = perform(now, epoch)
  }
}

/** The host clusters and L2 tables of a tree; of the active one only those that are marked as its own. */
const hostsOf = (image: Image, l1: Image['l1'], copiedOnly: boolean): ReadonlySet<number> => {
  const perTable = image.clusterSize / (image.extendedL2 ? 16 : 8)
  const wanted = (bits: bigint): boolean => !copiedOnly || isSet(bits, 63)
  return new Set(
    entriesOf(image.file, l1).flatMap((word) => {
      const table = offsetIn(word)
      if (table === 0) return []
      const entries = Array.from({ length: perTable }, (_, i) => entryOf(image, table, i))
      const hosts = entries.filter((e) => e.hasCluster && wanted(e.bits)).map((e) => e.host)
      return wanted(word) ? [table, ...hosts] : hosts
    })
  )
}

const text = ({ id, name, content }: Snapshot): string => `${id} ${name} ${Buffer.from(content).toString('latin1')}`
const snapshots = (disk: Disk): string => disk.snapshots.map(text).toSorted().join('\n')

/** Every sector of the disk is old or new, and its size and its snapshots are. A snapshot may have moved in the table. */
const oldOrNew = (found: Disk, before: Disk, behind: Disk): void => {
  assert.ok(
    [before, behind].some((d) => d.content.length === found.content.length),
    `${found.content.length} bytes`
  )
  assert.ok(
    [before, behind].some((d) => snapshots(d) === snapshots(found)),
    'other snapshots'
  )
  for (let at = 0; at < found.content.length; at += 512) {
    const sector = Buffer.from(found.content.subarray(at, at + 512))
    assert.ok(
      [before, behind].some((d) => Buffer.compare(sector, d.content.subarray(at, at + 512)) === 0),
      `the sector at ${at} is neither old nor new`
    )
  }
}

/** No count is too low, and nothing that a snapshot has is marked as the disk's own. */
const safe = (files: Files): void => {
  const report = runOver(files, check(files.image.length))
  if (E.isLeft(report) || E.isLeft(report.right)) throw new Error('the image cannot be checked')
  const { findings, leaks } = report.right.right
  const marks = ['L1-01', 'L2-04']
  assert.equal(
    findings
      .filter((f) => ['corruption', 'error'].includes(f.severity) && !marks.includes(f.clause))
      .map((f) => f.message),
    []
  )
  seen.leaks += leaks
  const image = openImage(files.image, files.data, undefined)
  const own = hostsOf(image, image.l1, true)
  for (const { l1 } of snapshotsOf(image))
    for (const host of hostsOf(image, l1, false))
      assert.not(own.has(host), `the cluster at ${host} is a snapshot's too`)
}

const after = ({ machine }: Followed, command: Command) => {
  const found = perhaps(machine, command)
  if (E.isLeft(found)) throw new Error(`${command._tag} is refused`)
  return found.right
}

/** Crashes in the middle of a command, at points that a number picks. */
const survived = (at: Followed, command: Command, seed: number): Followed => {
  const found = perhaps(at.machine, command)
  const next = advance(at, command)
  if (E.isRight(found) && command._tag !== 'Write')
    for (const files of crashes(at.machine.files, found.right.writes, seed)) {
      seen.crashes++
      machineOf(files)
      oldOrNew(abstraction(files, at.disk.traits), at.disk, next.disk)
      safe(files)
    }
  return next
}

const fixed: readonly Start[] = [
  { _tag: 'Corpus', name: 'matrix-512-w8-v3-zlib' },
  { _tag: 'Corpus', name: 'matrix-16k-w4-v3-zlib-ext' },
  { _tag: 'New', options: { size: 100 * 2 ** 10, clusterBits: 9 }, backing: 2 ** 17 }
]

test('snapshots and sizes: one script, many crashes', () => {
  for (const start of fixed) {
    const first = begin(start)
    const { grain } = first.disk.traits
    const size = first.disk.content.length
    const bytes = (n: number) => new Uint8Array(2 * grain).fill(n)
    const script: readonly Command[] = [
      { _tag: 'Write', at: 0, bytes: bytes(1) },
      { _tag: 'SnapshotCreate', name: 'one' },
      { _tag: 'Write', at: grain / 2, bytes: bytes(2) },
      { _tag: 'SnapshotCreate', name: 'two' },
      { _tag: 'Resize', size: 3 * grain + 512 },
      { _tag: 'Write', at: grain, bytes: bytes(3) },
      { _tag: 'SnapshotApply', name: 'one' },
      { _tag: 'Resize', size: size + 5 * grain, preallocation: 'metadata' },
      { _tag: 'SnapshotApply', name: 'two' },
      { _tag: 'Resize', size: size + 70 * grain },
      { _tag: 'SnapshotDelete', name: 'one' },
      { _tag: 'Resize', size: 512 },
      { _tag: 'SnapshotDelete', name: 'two' }
    ]
    script.reduce((at, command, i) => survived(at, command, i + 1), first)
  }
  assert.ok(seen.leaks > 0)
  tell()
})

test('without a flush between them, some part of the writes leaves a broken image', () => {
  const start = begin({ _tag: 'New', options: { size: 2 ** 15, clusterBits: 9 }, backing: 0 })
  const filled = advance(start, { _tag: 'Write', at: 0, bytes: new Uint8Array(2 ** 15).fill(1) })
  const { writes } = after(filled, { _tag: 'SnapshotCreate', name: '' })
  const unordered = writes.filter((w) => w._tag !== 'Flush')
  const broken = [...crashes(filled.machine.files, unordered, 5)].filter((files) =>
    E.isLeft(E.tryCatch(() => safe(files), String))
  )
  assert.ok(broken.length > 0)
})

test('snapshots and sizes: drawn scripts', () => {
  const kinds = ['SnapshotCreate', 'SnapshotApply', 'SnapshotDelete', 'Resize', 'Write'] as const
  const images = newImages('plain', 'plain', 'v2', 'extended', 'data', 'raw')
  holds(
    fc.property(images, ops(...kinds), fc.nat({ max: 2 ** 20 }), (start, script, seed) => {
      script.slice(0, 5).reduce((at, op, i) => survived(at, commandOf(op, at.disk), seed + i), begin(start))
    }),
    { runs: 40 }
  )
  tell()
})

test.run()
