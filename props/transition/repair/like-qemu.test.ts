/** Repairs that come out as those of every QEMU: exit code, what was fixed, and the words that change. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { imageName } from '../../../corpus/recipe.js'
import { label, viewOf } from '../../../src/bytes/octets.js'
import { bitmapFixed } from '../../../src/format/bitmap-directory.js'
import { lastExtension } from '../../../src/format/extension-area.js'
import type { RepairMode } from '../../../src/transition/repair/repair.js'
import { fixedIn, repairOf } from '../../damage/repairs.js'
import { note, suite } from '../../run/suite.js'
import { type Qemu, qemus } from '../../run/qemus.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import { type Machine, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('like qemu')

/** An image that commands have made, a view of its bytes, and the places of its first tables. */
interface Made {
  readonly image: Uint8Array
  readonly view: DataView
  readonly l1: number
  readonly l2: number
  readonly block: number
  /** Host byte of the table of the first bitmap, and of its entry in the directory. */
  readonly bitmapTable: number
  readonly bitmapEntry: number
}

const made = (options: CreateOptions, commands: readonly AnyCommand[]): Made => {
  const { files, opened } = commands.reduce<Machine>((m, command) => right(perhaps(m, command)), newMachine(options))
  const image = files.image.slice()
  const view = viewOf(image)
  const { header, extensions, bitmaps } = opened.metadata
  const l1 = Number(header.l1TableOffset)
  return {
    image,
    view,
    l1,
    l2: Number(view.getBigUint64(l1) & 0xff_ffff_ffff_fe00n),
    block: Number(view.getBigUint64(Number(header.refcountTableOffset))),
    bitmapTable: Number(bitmaps[0]?.bitmapTableOffset ?? 0n),
    bitmapEntry: Number(lastExtension(extensions, 'Bitmaps')?.data.bitmapDirectoryOffset ?? 0n)
  }
}

const write = (clusters: number, clusterBits: number): AnyCommand => ({
  _tag: 'Write',
  at: 0,
  bytes: new Uint8Array(clusters * 2 ** clusterBits).fill(7)
})

const plain: CreateOptions = { size: 65_536, clusterBits: 12 }
const extended: CreateOptions = { size: 65_536, clusterBits: 14, extendedL2: true }

/** Words of 64 bits by their host bytes. */
type Words = readonly (readonly [at: number, word: bigint])[]

interface Case {
  readonly title: string
  readonly mode: RepairMode
  readonly image: Uint8Array
  /** Exit code, and the corruptions and leaks that were fixed. */
  readonly report: readonly [exit: number, corruptions: number, leaks: number]
  readonly words: Words
}

/** Sets words, and returns the image. */
const damaged = ({ image, view }: Made, words: Words): Uint8Array => {
  for (const [at, word] of words) view.setBigUint64(at, word)
  return image
}

/** The clusters of the table that is no longer named have no refcounts: a leak would be repaired by QEMU alone (CHK-15). */
const farTable = (): Case => {
  const m = made(plain, [write(1, 12)])
  for (const at of [m.l2, Number(m.view.getBigUint64(m.l2) & 0xff_ffff_ffff_fe00n)])
    m.view.setUint16(m.block + (2 * at) / 4096, 0)
  return {
    title: 'an L1 entry past the end of the file loses its COPIED flag',
    mode: 'all',
    image: damaged(m, [[m.l1, 0x8000_0000_7f04_0000n]]),
    report: [2, 1, 0],
    words: [[m.l1, 0x7f04_0000n]]
  }
}

const farCluster = (): Case => {
  const m = made(plain, [write(1, 12)])
  return {
    title: 'an L2 entry past the end of the file loses its COPIED flag',
    mode: 'all',
    image: damaged(m, [[m.l2, 0x8000_0000_7f04_0000n]]),
    report: [2, 1, 1],
    words: [[m.l2, 0x7f04_0000n]]
  }
}

/**
 * Under extended L2 the first entry, half a cluster before the second, with a subcluster bitmap. It becomes unallocated with
 * the same bitmap; or it stays, and the second cluster has one reference more.
 */
const unaligned = (title: string, bitmap: bigint, report: Case['report'], stays = false): Case => {
  const m = made(extended, [write(2, 14)])
  const [first, second] = [m.view.getBigUint64(m.l2) + 0x2000n, m.view.getBigUint64(m.l2 + 16)]
  const image = damaged(m, [
    [m.l2, first],
    [m.l2 + 8, bitmap]
  ])
  const words: Words = [
    [m.l2, stays ? first : 0n],
    [m.l2 + 8, bitmap],
    [m.l2 + 16, stays ? second & ~(1n << 63n) : second]
  ]
  return { title: `an unaligned entry ${title}`, mode: 'all', image, report, words }
}

const unalignedShared = (): Case => {
  const m = made(plain, [write(1, 12), { _tag: 'SnapshotCreate', name: 's' }])
  return {
    title: 'an unaligned zero entry of a table that a snapshot shares is fixed once',
    mode: 'all',
    image: damaged(m, [[m.l2, m.view.getBigUint64(m.l2) + 0x201n]]),
    report: [0, 1, 1],
    words: [[m.l2, 1n]]
  }
}

/** A snapshot without the size of its disk, and an L1 entry whose COPIED flag is wrong. */
const incompleteSnapshot = (): Case => {
  const m = made(plain, [write(1, 12), { _tag: 'SnapshotCreate', name: 's' }])
  const entry = Number(m.view.getBigUint64(64))
  m.view.setUint32(entry + 36, 8)
  const l1 = m.view.getBigUint64(m.l1)
  return {
    title: 'a repair of leaks corrects COPIED beside an incomplete snapshot',
    mode: 'leaks',
    image: damaged(m, [[m.l1, l1 | (1n << 63n)]]),
    report: [2, 1, 0],
    words: [[m.l1, l1]]
  }
}

/** A bitmap in use, whose table has an entry that says both an offset and that all bits are set. */
const badBitmap = (mode: RepairMode): Case => {
  const m = made(plain, [{ _tag: 'BitmapAdd', name: 'b', granularity: 4096, enabled: true }, write(1, 12)])
  const flags = bitmapFixed.placeOf('flags').at
  m.view.setUint32(m.bitmapEntry + flags, m.view.getUint32(m.bitmapEntry + flags) | 1)
  const word = 0x8001n
  return {
    title: `beside a bitmap in use that cannot be read, a repair of ${mode} writes nothing`,
    mode,
    image: damaged(m, [[m.bitmapTable, word]]),
    report: [1, 0, 0],
    words: [[m.bitmapTable, word]]
  }
}

const outsideBlock = (): Case => {
  const m = made(plain, [write(1, 12)])
  const entry = Number(m.view.getBigUint64(48)) + 8
  m.view.setUint16(m.block + (2 * m.l2) / 4096, 3)
  return {
    title: 'a repair of leaks does without a refcount block outside the file',
    mode: 'leaks',
    image: damaged(m, [[entry, 0xffff_ffff_ffff_f000n]]),
    report: [2, 0, 1],
    words: [[entry, 0xffff_ffff_ffff_f000n]]
  }
}

/** Refcounts of 64 bits, the second of which no double holds. */
const largeRefcount = (): Case => {
  const m = made({ ...plain, refcountOrder: 6 }, [write(1, 12)])
  const entry = m.block + (8 * m.l2) / 4096
  return {
    title: 'a leaked refcount above 2^53 is lowered',
    mode: 'leaks',
    image: damaged(m, [[entry, 0x7fff_ffff_ffff_fffen]]),
    report: [0, 0, 1],
    words: [[entry, 1n]]
  }
}

const unreadableBlock = (): Case => {
  const m = made(plain, [write(1, 12)])
  const entry = Number(m.view.getBigUint64(48))
  return {
    title: 'a repair of leaks is not refused because of refcounts that cannot be read',
    mode: 'leaks',
    image: damaged(m, [[entry, 0x7fff_ffff_ffff_f000n]]),
    report: [1, 0, 0],
    words: [[entry, 0x7fff_ffff_ffff_f000n]]
  }
}

const cases: readonly Case[] = [
  farTable(),
  farCluster(),
  unaligned('without an allocation bit loses its host cluster alone', 0xff_0000_0000n, [0, 1, 1]),
  unaligned('without any subcluster bit becomes unallocated', 0n, [0, 1, 1]),
  unaligned('with an allocation bit stays', 0xff_0000_ff00n, [2, 2, 0], true),
  unalignedShared(),
  badBitmap('leaks'),
  badBitmap('all'),
  incompleteSnapshot(),
  outsideBlock(),
  unreadableBlock(),
  largeRefcount()
]

/** A report and the words at the places of a case. */
type Outcome = Pick<Case, 'report' | 'words'>

const wordsOf = (image: Uint8Array, words: Words): Words =>
  words.map(([at]) => [at, viewOf(image).getBigUint64(at)] as const)

const ourOutcome = ({ image, mode, words }: Case): Outcome => {
  const files = new Map([[imageName, image]])
  const subject = { image, files, expect: { info: { stdout: null }, guest: { snapshots: [] } } }
  const { report, image: after } = repairOf(subject, mode)
  const [, exit = '1', corruptions = '0', leaks = '0'] = /^(\d+) .*fixed (\d+) (\d+)$/.exec(report) ?? []
  return { report: [Number(exit), Number(corruptions), Number(leaks)], words: wordsOf(after, words) }
}

const qemuOutcome = ({ command }: Qemu, folder: string, { image, mode, words }: Case): Outcome => {
  const path = join(folder, imageName)
  writeFileSync(path, image)
  const [file, ...args] = command('qemu-img')
  const { status, stdout } = spawnSync(file, [...args, 'check', '-r', mode, '--output=json', path])
  const json: unknown = stdout.length === 0 ? {} : JSON.parse(label(stdout))
  const { corruptions, leaks } = fixedIn(json)
  return {
    report: [status ?? -1, corruptions, leaks],
    words: wordsOf(readFileSync(path), words)
  }
}

for (const each of cases)
  test(each.title, () => {
    const { report, words } = each
    assert.equal(ourOutcome(each), { report, words })
  })

test('each QEMU of this machine repairs the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-like-qemu-'))
  try {
    for (const qemu of qemus())
      for (const each of cases) {
        const { title, report, words } = each
        assert.equal(qemuOutcome(qemu, folder, each), { report, words }, `${qemu.version}: ${title}`)
      }
  } finally {
    rmSync(folder, { recursive: true })
  }
  note(
    qemus()
      .map(({ version }) => version)
      .join(', ')
  )
})

test.run()
