/** What is typed into the explorer, and what its URL says. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { flipped, parseBytes, parseNumber } from '../../src/explorer/edits.js'
import { fragmentOf, parseFragment, views } from '../../src/explorer/fragment.js'
import { gridOf } from '../../src/explorer/cells.js'
import { grouped, offsetText, parseOffset, sizeText } from '../../src/explorer/numbers.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('explorer words')

const offsets: readonly (readonly [string, number | undefined])[] = [
  ['0x30008', 0x30008],
  ['30008h', 0x30008],
  ['196616', 196616],
  [' 196 616 ', 196616],
  ['64k', 65536],
  ['1.5 MiB', 1572864],
  ['2T', 2 ** 41],
  ['0x', undefined],
  ['', undefined],
  ['-1', undefined],
  ['12q', undefined],
  ['99999999999999999999', undefined]
]

for (const [text, wanted] of offsets)
  test(`the offset "${text}"`, () => {
    assert.is(parseOffset(text), wanted)
  })

test('a fragment leads back to its place', () => {
  const place = fc.record({ at: fc.maxSafeNat(), view: fc.constantFrom(...views) }, { noNullPrototype: true })
  holds(fc.property(place, (p) => assert.equal(parseFragment(fragmentOf(p)), p)))
  assert.is(fragmentOf({ at: 0x30008, view: 'bytes' }), '#at=0x30008')
  assert.equal(parseFragment('#at=nonsense&view=other&=&x'), { at: 0, view: 'bytes' })
})

test('sizes and numbers are human-readable', () => {
  assert.equal([0, 1023, 65536, 1572864, 2 ** 40].map(sizeText), ['0 B', '1023 B', '64 KiB', '1.5 MiB', '1 TiB'])
  assert.is(grouped(1234567).replace(/\u202f/g, ' '), '1 234 567')
  assert.is(offsetText(196616), '0x30008')
})

test('bytes and numbers are typed in full, or not taken', () => {
  assert.equal(parseBytes('51 46 49 fb', 4), Uint8Array.of(0x51, 0x46, 0x49, 0xfb))
  assert.is(parseBytes('51 46 49', 4), undefined)
  assert.is(parseBytes('51 46 49 fg', 4), undefined)
  assert.equal(parseNumber('0x10000', 4), Uint8Array.of(0, 1, 0, 0))
  assert.equal(parseNumber('65536', 4), Uint8Array.of(0, 1, 0, 0))
  assert.is(parseNumber('256', 1), undefined)
  assert.is(parseNumber('-1', 1), undefined)
})

test('a flipped bit is the bit of the big-endian number', () => {
  const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 })
  const word = (b: Uint8Array): bigint => new DataView(b.buffer, b.byteOffset).getBigUint64(0)
  holds(fc.property(bytes, fc.nat(63), (b, bit) => assert.is(word(flipped(b, bit)), word(b) ^ (1n << BigInt(bit)))))
})

test('a grid covers its range with no more cells than it may have', () => {
  const range = fc.tuple(fc.maxSafeNat(), fc.nat(2 ** 40)).filter(([from, size]) => from + size <= 2 ** 52)
  holds(
    fc.property(range, fc.integer({ min: 1, max: 4096 }), ([from, size], most) => {
      const grid = gridOf(from, from + size, most)
      assert.ok(grid.cells <= most)
      assert.ok(grid.from <= from && grid.from + grid.cells * grid.perCell >= from + size)
    })
  )
})

test.run()
