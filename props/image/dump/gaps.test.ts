/** Gaps and segments, compared with the bytes one by one. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { ByteRange } from '../../../src/image/byte-range.js'
import { gaps, segments } from '../../../src/image/dump/gaps.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'

const test = suite('gaps')

const bytesOf = ({ at, size }: ByteRange): readonly number[] => Array.from({ length: size }, (_, i) => at + i)

test('the gaps are the bytes of no range, in runs as long as possible', () => {
  const ranges = fc.array(fc.record({ at: fc.nat(24), size: fc.nat(8) }), { maxLength: 5, size: 'max' })
  holds(
    fc.property(ranges, fc.nat(24), (drawn, length) => {
      const covered = new Set(drawn.flatMap(bytesOf))
      const found = gaps(drawn, length)
      assert.equal(
        found.flatMap(bytesOf),
        bytesOf({ at: 0, size: length }).filter((at) => !covered.has(at))
      )
      for (const [i, { at, size }] of found.entries()) {
        assert.ok(size > 0)
        const next = found[i + 1]
        // Only a range without bytes may part two gaps.
        if (next?.at === at + size) assert.ok(drawn.some((range) => range.at === next.at && range.size === 0))
      }
    }),
    { runs: 1000 }
  )
})

test('segments are blocks of the file, those of one value together, and have all bytes', () => {
  const blocks = fc.array(fc.tuple(fc.constantFrom(0, 0, 1, 255), fc.constantFrom(0, 0, 0, 7)), { maxLength: 6 })
  holds(
    fc.property(blocks, fc.constantFrom(0, 1, 511, 512, 1000), fc.nat(511), (drawn, at, less) => {
      const whole = drawn.flatMap(([fill, odd]) => [...new Uint8Array(511).fill(fill), fill ^ odd])
      const bytes = Uint8Array.from(whole.slice(0, Math.max(0, whole.length - less)))
      const found = segments(bytes, at)
      assert.equal(found.flatMap(bytesOf), bytesOf({ at, size: bytes.length }))
      for (const [i, { at: from, size, fill }] of found.entries()) {
        const own = bytes.subarray(from - at, from - at + size)
        if (fill !== undefined) assert.ok(own.every((byte) => byte === fill))
        assert.ok(i === 0 || from % 512 === 0, 'begins inside a block')
        assert.ok(i === 0 || found[i - 1]?.fill !== fill, 'two neighbours have one value')
        // A block of one value is in no segment of others.
        for (let block = Math.ceil(from / 512) * 512; fill === undefined && block + 512 <= from + size; block += 512)
          assert.ok(new Set(bytes.subarray(block - at, block - at + 512)).size > 1)
      }
    }),
    { runs: 500 }
  )
})

test.run()
