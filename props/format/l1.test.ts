/** L1 table entries. */
import * as assert from 'uvu/assert'
import { l1Entry } from '../../src/format/l1.js'
import { l1Entries } from '../arbitrary/index.js'
import { suite } from '../run/suite.js'
import { laws, sameBytes, valueOf } from './laws.js'
import { bytesIn } from './notation.js'
import { hasMasks } from './words.js'

const test = suite('l1')

laws(test, 'L1 entry', [l1Entries])

test('bits 9 to 55 are the offset of the L2 table, bit 63 is COPIED, and all others are reserved', () => {
  hasMasks(l1Entry, { l2TableOffset: 0x00ff_ffff_ffff_fe00n, copied: 1n << 63n, reserved: 0x7f00_0000_0000_01ffn })
})

test('an entry is read as it is: reserved bits do not change the offset, and are kept', () => {
  const bytes = bytesIn('ff00000000050fff')
  const entry = valueOf(l1Entry, bytes)
  assert.is(entry.l2TableOffset, 0x50e00n)
  sameBytes(l1Entry.encode(entry), bytes)
})

test.run()
