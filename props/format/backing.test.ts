/** The backing file name: where it may stand, and when there is none. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { refusalOf } from '../../src/bytes/issue.js'
import { backingNamePlace, backingRules } from '../../src/format/backing.js'
import { type Header, header } from '../../src/format/header.js'
import { lengths, numbers } from '../arbitrary/number.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { same, valueOf } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('backing file name')

const base = valueOf(header, bytesIn('514649fb00000002 00*64'))

const named = (clusterBits: number, backingFileOffset: bigint, backingFileSize: number): Header => ({
  ...base,
  clusterBits,
  backingFileOffset,
  backingFileSize
})

test('there is a name if both its offset and its length are other than 0', () => {
  same(backingNamePlace(named(16, 0n, 5)), undefined)
  same(backingNamePlace(named(16, 136n, 0)), undefined)
  same(backingNamePlace(named(16, 136n, 5)), { at: 136n, length: 5 })
})

test('a name is refused if it starts past the first cluster, ends past it, or is longer than 1023 bytes', () => {
  const places = fc.integer({ min: 9, max: 21 }).chain((clusterBits) => {
    const cluster = 2n ** BigInt(clusterBits)
    const near = fc.constantFrom(1n, 112n, cluster - 1024n, cluster - 1023n, cluster - 1n, cluster, cluster + 1n)
    return fc.tuple(
      fc.constant(clusterBits),
      fc.oneof(near, numbers(1n, 2n ** 64n - 1n)).filter((offset) => offset > 0n),
      lengths(2 ** 32 - 1, 2, 1022, 1023, 1024, 0xffff_ffff)
    )
  })
  holds(
    fc.property(places, ([clusterBits, offset, size]) => {
      const issues = backingRules.judge(named(clusterBits, offset, size), undefined)
      const left = 2n ** BigInt(clusterBits) - offset
      assert.is(issues.length > 0, left < 0n || BigInt(size) > left || size > 1023)
      if (issues[0] !== undefined) assert.is(refusalOf(issues[0]), left < 0n ? 'OPEN-06' : 'OPEN-28')
    }),
    { runs: 500 }
  )
})

test('a name may end exactly at the end of the first cluster', () => {
  same(backingRules.judge(named(9, 502n, 10), undefined), [])
  same(backingRules.judge(named(9, 512n, 0), undefined), [])
  assert.is(backingRules.judge(named(9, 512n, 1), undefined).length, 1)
})

test('without an offset the length has no meaning', () => {
  same(backingRules.judge(named(9, 0n, 0xffff_ffff), undefined), [])
})

test.run()
