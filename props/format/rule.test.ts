/** Rules: which numbers they allow, and how they say so. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { allows, atLeast, atMost, between, inWords, multipleOf, oneOf, refusing, zero } from '../../src/bytes/rule.js'
import { edges } from '../../src/fuzz/edges.js'
import { numbers } from '../arbitrary/number.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { same } from './laws.js'

const test = suite('rule')

const max = 2n ** 64n - 1n

test('a rule allows what its words say, up to its very limits', () => {
  for (const [rule, words, inside, outside] of [
    [between(9, 31, 'BMP-04'), '9 to 31', [9n, 31n], [8n, 32n]],
    [atLeast(104, 'HDR-02'), 'at least 104', [104n, max], [103n, 0n]],
    [atMost(65536, 'SNAP-07'), 'at most 65536', [0n, 65536n], [65537n]],
    [multipleOf(8, 'HDR-02'), 'a multiple of 8', [0n, 8n, 2n ** 63n], [1n, 7n, 9n]],
    [oneOf([2, 3], 'OPEN-02'), '2 or 3', [2n, 3n], [1n, 4n]],
    [zero('BMP-01'), '0', [0n], [1n, max]]
  ] as const) {
    assert.is(inWords(rule.allowed), words)
    for (const n of inside) assert.ok(allows(rule.allowed, n), `${words}: ${n}`)
    for (const n of outside) assert.not.ok(allows(rule.allowed, n), `${words}: ${n}`)
  }
})

test('a limit is of QEMU, any other demand of both parties, unless it says otherwise', () => {
  same([atMost(1, 'L1-03').source, atMost(1, 'L1-03').phase], ['qemu', 'limit'])
  for (const rule of [between(0, 1, 'L1-03'), atLeast(1, 'L1-03'), multipleOf(8, 'L1-03'), oneOf([1], 'L1-03')])
    same([rule.source, rule.phase], ['both', 'invalid'])
  assert.is(refusing('OPEN-12', zero('REF-02')).refusal, 'OPEN-12')
})

test('the edges of a rule lie on both sides of its limits', () => {
  for (const rule of [between(9, 21, 'OPEN-03'), multipleOf(8, 'HDR-02'), oneOf([1], 'BMP-02')])
    same([...new Set(edges(255n, [rule]).map((n) => allows(rule.allowed, n)))].sort(), [false, true])
  holds(fc.property(numbers(3n, 77n), (n) => n >= 3n && n <= 77n))
})

test.run()
