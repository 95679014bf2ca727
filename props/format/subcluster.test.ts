/** Subclusters: what each is, by its two bits and by its cluster. */
import * as assert from 'uvu/assert'
import { l2Entry } from '../../src/format/l2-entry.js'
import type { L2Context } from '../../src/format/l2.js'
import { type Subcluster, subclusterAt } from '../../src/format/subcluster.js'
import { suite } from '../run/suite.js'
import { same, valueOf } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('subcluster')

const internal: L2Context = { version: 3, clusterBits: 16, extendedL2: true, externalDataFile: false }
const external = { ...internal, externalDataFile: true }

/** Descriptor, zero bit, allocation bit, what the subcluster is. */
const states: readonly (readonly [descriptor: string, zero: number, allocated: number, is: Subcluster, L2Context])[] = [
  ['8000000000050000', 0, 1, 'data', internal],
  ['8000000000050000', 1, 0, 'zero-allocated', internal],
  ['8000000000050000', 0, 0, 'unallocated-allocated', internal],
  ['8000000000050000', 1, 1, 'invalid', internal],
  ['0000000000000000', 1, 0, 'zero-plain', internal],
  ['0000000000000000', 0, 0, 'unallocated-plain', internal],
  ['0000000000000000', 0, 1, 'invalid', internal],
  ['0000000000000000', 1, 1, 'invalid', internal],
  ['4000000000050000', 0, 0, 'compressed', internal],
  ['8000000000000000', 0, 1, 'data', external],
  ['8000000000000000', 1, 0, 'zero-allocated', external],
  ['8000000000000000', 0, 0, 'unallocated-allocated', external],
  ['8000000000000000', 0, 1, 'invalid', internal],
  ['8000000000000000', 1, 0, 'zero-plain', internal]
]

const entry = (descriptor: string, zeros: number, allocated: number, ctx: L2Context) => {
  const hex = [zeros, allocated].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  return valueOf(l2Entry(ctx), bytesIn(`${descriptor} ${hex}`))
}

for (const [descriptor, zero, allocated, is, ctx] of states) {
  const place = ctx.externalDataFile ? ' in an external data file' : ''
  test(`${descriptor} with zero bit ${zero} and allocation bit ${allocated}${place}: ${is}`, () => {
    for (let x = 0; x < 32; x++) assert.is(subclusterAt(entry(descriptor, zero << x, allocated << x, ctx), x), is)
  })
}

test('bit x of each half speaks of subcluster x and of no other', () => {
  for (let x = 0; x < 32; x++) {
    const kinds = Array.from({ length: 32 }, (_, i) => subclusterAt(entry('8000000000050000', 0, 1 << x, internal), i))
    same(
      kinds,
      kinds.map((_, i) => (i === x ? 'data' : 'unallocated-allocated'))
    )
  }
})

test('0 to 2 KiB and 5 to 6 KiB written, 8 to 12 KiB zeroed: as QEMU leaves it', () => {
  const e = entry('8000000000050000', 0x30, 0x05, internal)
  same(
    [0, 1, 2, 3, 4, 5, 6].map((x) => subclusterAt(e, x)),
    [
      'data',
      'unallocated-allocated',
      'data',
      'unallocated-allocated',
      'zero-allocated',
      'zero-allocated',
      'unallocated-allocated'
    ]
  )
})

test.run()
