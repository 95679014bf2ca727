/** The overlap check: a damaged L2 entry leads a guest write to metadata, and the write is refused. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { viewOf } from '../../../src/bytes/octets.js'
import { trustedBitmaps } from '../../../src/image/metadata.js'
import type { Command } from '../../../src/transition/command.js'
import { suite } from '../../run/suite.js'
import { type Machine, machineOf, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('overlap check')

const size = 512
/** Guest bytes of an L2 table. */
const coverage = (size / 8) * size

const writeAt = (at: number, length = size): Command => ({ _tag: 'Write', at, bytes: new Uint8Array(length).fill(1) })
/** The guest cluster whose L2 entry is damaged. */
const damaged = writeAt(size)

const after = (m: Machine, command: Command): Machine => right(perhaps(m, command))

/** A disk of many L2 tables, the first of which has one entry. */
const sound = after(newMachine({ size: 2 ** 22, clusterBits: 9 }), writeAt(0))

const firstL2Table = ({ files, opened }: Machine): number =>
  Number(viewOf(files.image).getBigUint64(Number(opened.metadata.header.l1TableOffset)) & 0x00ff_ffff_ffff_fe00n)

/** The machine in whose second guest cluster a cluster of the image itself is mapped, as if it were its own. */
const mapping = (m: Machine, host: number): Machine => {
  const image = m.files.image.slice()
  viewOf(image).setBigUint64(firstL2Table(m) + 8, (1n << 63n) | BigInt(host))
  return machineOf({ ...m.files, image })
}

const refusedBy = (m: Machine, command: Command): string => {
  const done = perhaps(m, command)
  return E.isLeft(done) ? (done.left[0]?.message ?? '') : 'done'
}

test('a guest write over metadata is refused, whatever section it meets', () => {
  const snapshot = after(sound, { _tag: 'SnapshotCreate', name: 'a' })
  const bitmap = after(sound, { _tag: 'BitmapAdd', name: 'b', granularity: 65_536, enabled: false })
  const sections: readonly (readonly [string, Machine, number])[] = [
    ['active L1 table', sound, Number(sound.opened.metadata.header.l1TableOffset)],
    ['active L2 table', sound, firstL2Table(sound)],
    ['refcount table', sound, Number(sound.opened.metadata.header.refcountTableOffset)],
    ['refcount block', sound, 2 * size],
    ['snapshot table', snapshot, Number(snapshot.opened.metadata.header.snapshotsOffset)],
    ['inactive L1 table', snapshot, Number(snapshot.opened.metadata.snapshots[0]?.l1TableOffset)],
    ['bitmap directory', bitmap, Number(trustedBitmaps(bitmap.opened.metadata)?.bitmapDirectoryOffset)]
  ]
  for (const [section, m, host] of sections) {
    const message = refusedBy(mapping(m, host), damaged)
    assert.match(message, `a write of guest data over ${section}`)
    assert.match(message, '[INT-21]')
  }
})

/** The first host cluster that is free, as a byte. */
const free = (m: Machine): number => m.opened.firstFree * size

test('a table that an earlier command has made is protected from the next', () => {
  const m = mapping(sound, free(sound))
  const known = after(m, writeAt(0))
  assert.is(refusedBy(known, damaged), 'done')
  assert.match(refusedBy(after(known, writeAt(coverage)), damaged), 'over active L2 table')
})

test('a refcount block that an earlier command has made is protected from the next', () => {
  // The first block counts 256 clusters; the next one is the first cluster that it counts itself.
  const m = after(mapping(sound, 256 * size), writeAt(0))
  assert.match(refusedBy(after(m, writeAt(coverage, 260 * size)), damaged), 'over refcount block')
})

test.run()
