/** LUKS partition headers: what qcow2 reports of an encryption area. */
import * as assert from 'uvu/assert'
import { fromText } from '../../src/bytes/octets.js'
import { luksHeader, luksSize, luksSlot, luksText } from '../../src/format/luks.js'
import { luksHeaders, luksKeySlots } from '../arbitrary/index.js'
import { suite } from '../run/suite.js'
import { laws, same } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('luks')

laws(test, 'LUKS header', [luksHeaders])
laws(test, 'key slot', [luksKeySlots])

test('a header of 208 bytes and eight key slots of 48 bytes each', () => {
  same([luksHeader.size, luksSlot.size, luksSize], [208, 48, 592])
  same(
    luksHeader.rows.map(({ at }) => at),
    [0, 6, 8, 40, 72, 104, 108, 112, 132, 164, 168]
  )
  same(
    luksSlot.rows.map(({ at }) => at),
    [0, 4, 8, 40, 44]
  )
})

test('a text ends before its first zero, and bytes that are no text show as none', () => {
  assert.is(luksText(fromText('aes\0\0\0')), 'aes')
  assert.is(luksText(fromText('aes')), 'aes')
  assert.is(luksText(bytesIn('00616263')), '')
  assert.is(luksText(bytesIn('ff61')), '')
})

test.run()
