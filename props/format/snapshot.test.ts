/** The snapshot table: alignment, extra data of any length, and what stands for a field that is not there. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { concat, empty } from '../../src/bytes/octets.js'
import {
  icount,
  snapshotDiskSize,
  type SnapshotEntry,
  snapshotEntry,
  snapshotExtra,
  snapshotRules,
  snapshotStarts,
  snapshotTable,
  vmStateSize
} from '../../src/format/snapshot.js'
import { maxReadable } from '../../src/format/limits.js'
import { noise } from '../../src/fuzz/noise.js'
import { octets } from '../arbitrary/octets.js'
import { snapshotExtras, snapshots, snapshotTables } from '../arbitrary/index.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { laws, same, sameBytes, valueOf } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('snapshot')

laws(test, 'extra data', [snapshotExtras])
laws(test, 'snapshot table entry', [snapshots])
laws(test, 'snapshot table', snapshotTables, 40)

test('a field of the extra data is present if the length covers it whole, and the bytes after the fields are kept', () => {
  for (let length = 0; length <= 40; length++) {
    const bytes = noise(length, length)
    const { rest, ...known } = valueOf(snapshotExtra, bytes)
    const whole = Math.min(3, Math.floor(length / 8))
    same(Object.keys(known), ['vmStateSize', 'diskSize', 'icount'].slice(0, whole), `${length} bytes: `)
    sameBytes(rest, bytes.subarray(8 * whole))
  }
})

/** An entry with these 32 bits of VM state size and this extra data. */
const withExtra = (vmState: string, extra: string): SnapshotEntry => {
  const size = bytesIn(extra).length.toString(16).padStart(8, '0')
  return valueOf(snapshotEntry, bytesIn(`00*12 0000 0000 00*16 ${vmState} ${size} ${extra}`))
}

test('the VM state has the size of the 32-bit field, unless the extra data says otherwise', () => {
  assert.is(vmStateSize(withExtra('00000007', '00*0')), 7n)
  assert.is(vmStateSize(withExtra('00000007', '00*7')), 7n)
  assert.is(vmStateSize(withExtra('00000007', '0000000100000000')), 2n ** 32n)
  assert.is(vmStateSize(withExtra('00000007', '00*8')), 0n)
})

test('the disk has the size of the image, unless 16 bytes of extra data say otherwise', () => {
  assert.is(snapshotDiskSize(withExtra('00*4', '00*15'), 512n), 512n)
  assert.is(snapshotDiskSize(withExtra('00*4', '00*16'), 512n), 0n)
  assert.is(snapshotDiskSize(withExtra('00*4', '00*8 ff*8'), 512n), 2n ** 64n - 1n)
})

test('an icount is there if 24 bytes of extra data hold one that is not all ones', () => {
  assert.is(icount(withExtra('00*4', '00*23')), undefined)
  assert.is(icount(withExtra('00*4', '00*16 ff*8')), undefined)
  assert.is(icount(withExtra('00*4', '00*16 ff*7 fe')), 2n ** 64n - 2n)
  assert.is(icount(withExtra('00*4', '00*24')), 0n)
})

test('extra data, id and name follow the 40 bytes of the table in this order', () => {
  const s = valueOf(snapshotEntry, bytesIn('00*12 0002 0003 00*16 00*4 00000001 ee 3132 616263 ff*2'))
  same([s.extra.rest, s.id, s.name, s.padding], [bytesIn('ee'), bytesIn('3132'), bytesIn('616263'), bytesIn('ff*2')])
})

test('a name longer than its length field can state is none', () => {
  const s = valueOf(snapshotEntry, bytesIn('00*40'))
  assert.ok(snapshotEntry.is({ ...s, name: new Uint8Array(65535) }))
  assert.not.ok(snapshotEntry.is({ ...s, name: new Uint8Array(65536) }))
  assert.not.ok(snapshotEntry.is({ ...s, padding: new Uint8Array(1) }))
})

test('every entry starts at a multiple of 8, and the table ends with the last name, not with padding', () => {
  const lists = fc.array(snapshots.wellFormed, { maxLength: 6 })
  holds(
    fc.property(lists, octets(24), (list, behind) => {
      const table = list.map((s, i) => (i === list.length - 1 ? { ...s, padding: empty } : s))
      const type = snapshotTable(table.length)
      const bytes = type.encode(table)
      same(valueOf(type, concat([bytes, behind])), table)
      for (const start of snapshotStarts(table)) assert.is(start % 8, 0)
      const last = table.at(-1)
      const bare = last === undefined ? 0 : 40 + snapshotExtra.sizeOf(last.extra) + last.id.length + last.name.length
      assert.is(bytes.length, (snapshotStarts(table).at(-1) ?? 0) + bare)
    })
  )
})

test('a table has the given number of entries, and the bytes after them are ignored', () => {
  const entry = bytesIn('00*40')
  for (const n of [0, 1, 2, 3]) assert.is(valueOf(snapshotTable(n), concat([entry, entry, entry])).length, n)
})

test('an issue of an entry has the place of the entry in its table', () => {
  holds(
    fc.property(snapshots.wellFormed, snapshots.wellFormed, (first, second) => {
      const broken = { ...second, l1Size: 2 ** 32 - 1 }
      const alone = snapshotEntry.judge(broken)
      const entries = [
        { ...first, padding: new Uint8Array(-snapshotEntry.sizeOf({ ...first, padding: empty }) & 7) },
        broken
      ]
      const issues = snapshotTable(2).judge(entries)
      const start = snapshotStarts(entries)[1] ?? 0
      assert.ok(alone.length > 0 && start > 0)
      same(
        issues.map(({ at }) => at),
        alone.map(({ at }) => at + start)
      )
    })
  )
})

test('an L1 table that ends at the last byte that QEMU can read breaks no rule, and one that ends after it does', () => {
  const context = { version: 3, clusterBits: 9 } as const
  holds(
    fc.property(snapshots.wellFormed, (s) => {
      const ending = (by: bigint): SnapshotEntry => ({ ...s, l1Size: 64, l1TableOffset: maxReadable - 512n + by })
      const clauses = (e: SnapshotEntry) =>
        snapshotRules
          .about('l1TableOffset')
          .judge(e, context)
          .map((i) => i.clause)
      same(clauses(ending(0n)), [])
      same(clauses(ending(512n)), ['SNAP-07'])
    })
  )
})

test.run()
