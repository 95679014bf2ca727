/** Notes on QEMU: an image has one if and only if it is in a state in which QEMU loses something. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import type { ClauseId } from '../../spec/index.js'
import { checkMetadata } from '../../src/image/check/check.js'
import { exitCode } from '../../src/image/check/report.js'
import { qemuLosses } from '../../src/image/check/qemu-losses.js'
import { type Metadata, readMetadata } from '../../src/image/metadata.js'
import type { AnyCommand } from '../../src/transition/command.js'
import type { CreateOptions } from '../../src/transition/create/options.js'
import { suite } from '../run/suite.js'
import { type Files, type Machine, newMachine, perhaps, right, runOver } from '../transition/model/machine.js'

const test = suite('losses of QEMU')

const machine = (options: Partial<CreateOptions>, ...commands: readonly AnyCommand[]): Machine =>
  commands.reduce<Machine>(
    (m, command) => right(perhaps(m, command)),
    newMachine({ size: 65_536, clusterBits: 12, ...options })
  )

const metadataOf = (files: Files): Metadata => right(right(runOver(files, readMetadata())))

/** The clauses of the notes that the metadata alone show, and the clauses of all notes on QEMU of a check, which ends with 0. */
const notesOf = (files: Files): readonly [info: readonly ClauseId[], check: readonly ClauseId[]] => {
  const m = metadataOf(files)
  const options = m.header.incompatibleFeatures.externalDataFile ? { dataFileLength: files.data.length } : {}
  const report = right(right(runOver(files, checkMetadata(m, files.image.length, options))))
  assert.is(exitCode(report), 0)
  const losses = report.findings.filter((f) => f.severity === 'note' && f.expected.startsWith('no qemu-img '))
  return [qemuLosses(m).map(({ clause }) => clause), losses.map(({ clause }) => clause)]
}

const snapshot: AnyCommand = { _tag: 'SnapshotCreate', name: 's' }
const bitmap: AnyCommand = { _tag: 'BitmapAdd', name: 'b', granularity: 512, enabled: true }
const write: AnyCommand = { _tag: 'Write', at: 0, bytes: new Uint8Array(8192).fill(7) }
const zeroes: AnyCommand = { _tag: 'WriteZeroes', at: 0, length: 4096, unmap: false }

const withByte = (files: Files, at: number, value: number): Files => ({ ...files, image: files.image.with(at, value) })

test('snapshots beside a bitmap, an unknown autoclear bit or bitmaps that are not valid have a note', () => {
  const both = machine({}, snapshot, bitmap).files
  assert.equal(notesOf(both), [['CHK-14'], ['CHK-14']])
  assert.equal(notesOf(withByte(machine({}, snapshot).files, 88, 0x80)), [['CHK-14'], ['CHK-14']])
  assert.equal(
    qemuLosses(metadataOf(withByte(both, 95, 0))).map(({ clause }) => clause),
    ['CHK-14']
  )
  for (const files of [machine({}, snapshot).files, machine({}, bitmap).files]) assert.equal(notesOf(files), [[], []])
  const inUse = metadataOf(both)
  const stale = inUse.bitmaps.map((b) => ({ ...b, flags: { ...b.flags, inUse: true } }))
  assert.equal(qemuLosses({ ...inUse, bitmaps: stale }), [])
})

test('a check notes a zero entry whose cluster a snapshot has too', () => {
  assert.equal(notesOf(machine({}, write, snapshot, zeroes).files)[0], [])
  const shared = machine({}, write, zeroes, snapshot, { ...write, at: 8192 })
  assert.equal(notesOf(shared.files), [[], ['AM-07']])
  assert.equal(notesOf(machine({}, write, zeroes, snapshot).files), [[], []])
})

test('a check notes a raw data file that is longer than the disk', () => {
  const { files } = machine({ dataFile: { name: 'img.raw', raw: true } }, write)
  assert.equal(notesOf(files), [[], []])
  assert.equal(notesOf({ ...files, data: new Uint8Array(65_537) }), [[], ['DATA-08']])
})

test('a raw data file that ends with the last cluster, as QEMU makes it, has no note', () => {
  const { files } = machine({ size: 62_464, dataFile: { name: 'img.raw', raw: true } }, write)
  assert.equal(notesOf({ ...files, data: new Uint8Array(65_536) }), [[], []])
  assert.equal(notesOf({ ...files, data: new Uint8Array(65_537) }), [[], ['DATA-08']])
})

test('no image of the corpus without snapshots has a note on them', () => {
  for (const name of names()) {
    const read = runOver(
      { image: load(name).image, data: new Uint8Array(0), backing: new Uint8Array(0) },
      readMetadata()
    )
    if (E.isLeft(read) || E.isLeft(read.right) || read.right.right.header.nbSnapshots > 0) continue
    assert.equal(qemuLosses(read.right.right), [], name)
  }
})

test.run()
