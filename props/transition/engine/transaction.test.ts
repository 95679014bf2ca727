/** What a transaction makes of metadata that changes: writes of whole sectors, of the bytes that it was given. */
import * as assert from 'uvu/assert'
import { fromMemory, runSync } from '../../../src/bytes/plan.js'
import type { Write } from '../../../src/bytes/host-write.js'
import { Transaction } from '../../../src/transition/engine/transaction.js'
import { suite } from '../../run/suite.js'
import { right } from '../model/machine.js'

const test = suite('transaction')

const size = 2 ** 16
const world = { read: fromMemory(new Uint8Array(4 * size).fill(9)) }
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

const writesIn = (tx: Transaction, stage: number): readonly Write[] =>
  (tx.hostWrites()[stage] ?? []).flatMap((write) => (write._tag === 'Write' ? [write] : []))

test('neighbouring tables are written each from its own memory, and small neighbours in one write', () => {
  const tx = new Transaction({ clusterBits: 16 })
  const tables = [filled(size, 1), filled(size, 2)]
  for (const [i, bytes] of tables.entries())
    right(runSync(tx.put('active L2 table', 'prepare', i * size, bytes), world))
  for (const at of [3 * size, 3 * size + 512])
    right(runSync(tx.put('active L2 table', 'prepare', at, filled(512, 3)), world))
  const writes = writesIn(tx, 0)
  assert.equal(
    writes.map(({ at, bytes }) => [at, bytes.length]),
    [
      [0, size],
      [size, size],
      [3 * size, 1024]
    ]
  )
  assert.ok(tables.every(({ buffer }, i) => writes[i]?.bytes.buffer === buffer))
})

test('a change of a part of a sector leaves the bytes of the change before it as they were', () => {
  const tx = new Transaction({ clusterBits: 16 })
  const table = filled(size, 1)
  right(runSync(tx.put('active L2 table', 'prepare', 0, table), world))
  right(runSync(tx.putWord('active L2 table', 'expose', 8, 7), world))
  assert.equal(table, filled(size, 1))
  const read = right(runSync(tx.read({ _tag: 'Read', file: { part: 'image', depth: 0 }, at: 0, length: 24 }), world))
  assert.equal([...read], [...filled(8, 1), 0, 0, 0, 0, 0, 0, 0, 7, ...filled(8, 1)])
  const [prepared] = writesIn(tx, 0)
  assert.equal(prepared?.bytes, table)
  const exposed = tx.hostWrites().slice(1).flat()
  assert.is(exposed.length, 1)
  assert.equal(exposed[0]?._tag === 'Write' && exposed[0].bytes.subarray(0, 16), read.subarray(0, 16))
})

test.run()
