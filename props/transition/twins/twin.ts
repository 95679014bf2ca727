/** The same commands done by us and by qemu-img, to the same bytes: what may differ is the choice of clusters. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { entriesOf, type Entry, entryOf, isSet, offsetIn, openImage } from '../../../spec/reference/image.js'
import type { SnapshotEntry } from '../../../src/format/snapshot.js'
import type { Command } from '../../../src/transition/command.js'
import { countIn, type Machine, machineOf, perhaps } from '../model/machine.js'

/** A file of an image on disk, below a folder that goes with the work. */
export const inFolder = (work: (folder: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-twin-'))
  try {
    work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What a program prints. */
const said = (folder: string, program: 'qemu-img' | 'qemu-io', ...args: readonly string[]): string =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** An image of which qemu-img has a copy. */
export interface Twins {
  readonly folder: string
  readonly ours: Machine
}

const nothing = new Uint8Array(0)
const theirImage = 'theirs.qcow2'
const ourImage = 'ours.qcow2'

const fileIn = (folder: string, name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)))

/** Their image as it is now. */
const theirs = ({ folder, ours: { files } }: Twins): Machine =>
  machineOf({ ...files, image: fileIn(folder, theirImage) })

/** Twins from these bytes on. */
export const twins = (folder: string, image: Uint8Array, backing: Uint8Array = nothing): Twins => {
  writeFileSync(join(folder, theirImage), image)
  return { folder, ours: machineOf({ image, data: nothing, backing }) }
}

const flags = (bits: bigint, count: bigint): string => `${isSet(bits, 63) ? 'copied' : 'shared'} ${count}`

/** What is in an external data file is not counted. */
const entryShape = (m: Machine, size: number, e: Entry): string =>
  e.isCompressed
    ? 'compressed'
    : [
        e.hasZeroFlag ? 'zero' : '',
        e.hasCluster ? flags(e.bits, m.opened.g.externalDataFile ? 0n : countIn(m, e.host / size)) : 'none',
        e.bitmap === 0n ? '' : e.bitmap.toString(16)
      ].join(' ')

/** The active tree without host offsets: kinds, COPIED flags, counts and subclusters of everything in it. */
const shapeOf = (m: Machine): readonly unknown[] => {
  const image = openImage(m.files.image, undefined, undefined)
  const perTable = image.clusterSize / (image.extendedL2 ? 16 : 8)
  return entriesOf(m.files.image, image.l1).map((word) => {
    const table = offsetIn(word)
    if (table === 0) return 'none'
    const entries = Array.from({ length: perTable }, (_, i) =>
      entryShape(m, image.clusterSize, entryOf(image, table, i))
    )
    // A table without anything is as good as none.
    if (entries.every((e) => e === ' none ')) return 'none'
    return [flags(word, countIn(m, table / image.clusterSize)), entries.join(', ')]
  })
}

const tableOf = ({ opened }: Machine): readonly Partial<SnapshotEntry>[] =>
  opened.metadata.snapshots.map(({ l1TableOffset, ...rest }) => rest)

/** Fails unless both are the same but for the choice of clusters, and qemu-img has nothing to say against ours. */
export const alike = (t: Twins): void => {
  const other = theirs(t)
  assert.equal(tableOf(t.ours), tableOf(other))
  assert.equal(shapeOf(t.ours), shapeOf(other))
  writeFileSync(join(t.folder, ourImage), t.ours.files.image)
  said(t.folder, 'qemu-img', 'check', ourImage)
  const list = (name: string): string => said(t.folder, 'qemu-img', 'snapshot', '-l', name)
  assert.is(list(ourImage), list(theirImage))
  for (const snapshot of [undefined, ...t.ours.opened.metadata.snapshots])
    assert.equal(bytesOf(t, ourImage, snapshot), bytesOf(t, theirImage, snapshot))
}

/** The guest bytes of the disk or of a snapshot, as qemu-img converts them. */
const bytesOf = ({ folder }: Twins, name: string, snapshot: SnapshotEntry | undefined): string => {
  const chosen = snapshot === undefined ? [] : ['-l', `snapshot.id=${Buffer.from(snapshot.id).toString()}`]
  said(folder, 'qemu-img', 'convert', '-O', 'raw', ...chosen, name, 'out.raw')
  return readFileSync(join(folder, 'out.raw')).toString('latin1')
}

/** A new image of qemu-img's, with options as it spells them, over a raw file that may be empty; returns its bytes. */
export const made = (folder: string, options: string, size: number, backing: Uint8Array): Uint8Array => {
  if (backing.length > 0) writeFileSync(join(folder, 'backing.raw'), backing)
  const over = backing.length > 0 ? ['-b', 'backing.raw', '-F', 'raw'] : []
  said(folder, 'qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, ...over, theirImage, `${size}`)
  return fileIn(folder, theirImage)
}

/** The words of qemu-img or qemu-io for a command. */
const spelt = (c: Command): readonly ['qemu-img' | 'qemu-io', ...(readonly string[])] => {
  switch (c._tag) {
    case 'Write':
      return ['qemu-io', '-c', `write -P ${c.bytes[0] ?? 0} ${c.at} ${c.bytes.length}`, theirImage]
    case 'Resize':
      return [
        'qemu-img',
        'resize',
        '-q',
        '--shrink',
        `--preallocation=${c.preallocation ?? 'off'}`,
        theirImage,
        `${c.size}`
      ]
    case 'SnapshotCreate':
      return ['qemu-img', 'snapshot', '-c', c.name, theirImage]
    case 'SnapshotApply':
      return ['qemu-img', 'snapshot', '-a', c.name, theirImage]
    case 'SnapshotDelete':
      return ['qemu-img', 'snapshot', '-d', c.name, theirImage]
    case 'Flush':
      return ['qemu-io', '-c', 'flush', theirImage]
    default:
      throw new Error(`no words for ${c._tag}`)
  }
}

/** Both after a command; a snapshot of ours has the date of theirs. */
export const both = (t: Twins, command: Command): Twins => {
  const [program, ...args] = spelt(command)
  said(t.folder, program, ...args)
  const last = theirs(t).opened.metadata.snapshots.at(-1)
  const dated =
    command._tag === 'SnapshotCreate'
      ? { ...command, seconds: last?.dateSec ?? 0, nanoseconds: last?.dateNsec ?? 0 }
      : command
  const ours = perhaps(t.ours, dated)
  if (E.isLeft(ours)) throw new Error(ours.left.map((i) => i.message).join('\n'))
  return { ...t, ours: ours.right }
}
