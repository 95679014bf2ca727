/** The header: where version 2 ends, which additional fields are there, and what its fields say together. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { concat, part } from '../../src/bytes/octets.js'
import { geometry } from '../../src/format/geometry.js'
import { judgeHeader, presentedSize } from '../../src/format/header-rules.js'
import { compressionType, type Header, header, headerFields, v2Defaults } from '../../src/format/header.js'
import { headers } from '../arbitrary/index.js'
import { noise } from '../../src/fuzz/noise.js'
import { octets } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { laws, same, sameBytes, valueOf } from './laws.js'
import { bytesIn, withPatch } from './notation.js'

const test = suite('header')

laws(test, 'header', [headers], 200)

const v3 = bytesIn('514649fb00000003 00*15 0c 00*76 0400000070 00*8')
const v2 = withPatch(v3, '4 00000002').slice(0, 72)

test('bytes from 72 on are no part of a version 2 header, and never its features', () => {
  holds(
    fc.property(headers.anyValue, octets(64), (drawn, behind) => {
      const bytes = part(concat([withPatch(header.encode(drawn), '4 00000002').subarray(0, 72), behind]), 0, 136)
      const h = valueOf(header, bytes)
      same({ ...h, ...v2Defaults }, h)
      assert.is(header.sizeOf(h), 72)
      sameBytes(header.encode(h), bytes.subarray(0, 72))
      same(valueOf(header, bytes.subarray(0, 72)), h)
    })
  )
})

test('version 2 means no features, refcounts of 16 bits, a length of 72 and deflate', () => {
  const h = valueOf(header, v2)
  for (const { reserved, ...flags } of [h.incompatibleFeatures, h.compatibleFeatures, h.autoclearFeatures]) {
    assert.is(reserved, 0n)
    assert.ok(Object.values(flags).every((flag) => !flag))
  }
  same([h.refcountOrder, h.headerLength, compressionType(h)], [4, 72, 0])
})

test('a version 2 header with any other value in a field it does not have is none', () => {
  const h = valueOf(header, v2)
  const others: readonly Partial<Header>[] = [
    { refcountOrder: 3 },
    { headerLength: 104 },
    { incompatibleFeatures: { ...h.incompatibleFeatures, dirty: true } },
    { compatibleFeatures: { ...h.compatibleFeatures, reserved: 2n } },
    { autoclearFeatures: { ...h.autoclearFeatures, bitmaps: true } },
    { additional: { rest: Uint8Array.of(0) } },
    { additional: { compressionType: 0, rest: new Uint8Array() } }
  ]
  assert.ok(header.is(h))
  for (const other of others) assert.not.ok(header.is({ ...h, ...other }))
})

/** A version 3 header of this length in clusters of this size, with noise from byte 104 on. */
const withLength = (headerLength: number, clusterBits: number): Header => {
  const bytes = concat([v3.subarray(0, 104), noise(1, 5000)])
  const view = new DataView(bytes.buffer)
  view.setUint32(20, clusterBits)
  view.setUint32(100, headerLength)
  const h = valueOf(header, bytes)
  sameBytes(header.encode(h), bytes.subarray(0, header.sizeOf(h)))
  return h
}

test('an additional field is present if header_length covers it whole, and the bytes after the fields are kept', () => {
  for (let length = 104; length <= 136; length++) {
    const { additional } = withLength(length, 12)
    const [first, ...padding] = noise(1, 8)
    assert.is(additional.compressionType, length > 104 ? first : undefined)
    same(additional.padding, length >= 112 ? Uint8Array.from(padding) : undefined)
    const known = length >= 112 ? 112 : Math.min(length, 105)
    sameBytes(additional.rest, noise(1, 40).subarray(known - 104, length - 104))
  }
})

test('an absent compression_type means deflate, whatever bytes are in its place', () => {
  assert.is(compressionType(withLength(104, 12)), 0)
  assert.is(compressionType(withLength(105, 12)), noise(1, 1)[0])
})

test('a header_length below 104 or past the first cluster covers no additional field', () => {
  for (const length of [0, 72, 103, 104, 4097, 0x7fff_ffff, 0xffff_ffff])
    assert.is(header.sizeOf(withLength(length, 12)), 104, `header_length ${length}`)
  assert.is(header.sizeOf(withLength(4096, 12)), 4096)
  assert.is(header.sizeOf(withLength(512, 9)), 512)
  assert.is(header.sizeOf(withLength(513, 9)), 104)
  for (const clusterBits of [0, 6, 22, 31, 32, 63, 0xffff_ffff])
    assert.is(header.sizeOf(withLength(112, clusterBits)), 104, `cluster_bits ${clusterBits}`)
})

test('the fields of the table are contiguous: 104 bytes, header_length at 100', () => {
  const offsets = Object.fromEntries(headerFields.rows.map(({ at, row }) => [row.name, at]))
  same(offsets, {
    magic: 0,
    version: 4,
    backing_file_offset: 8,
    backing_file_size: 16,
    cluster_bits: 20,
    size: 24,
    crypt_method: 32,
    l1_size: 36,
    l1_table_offset: 40,
    refcount_table_offset: 48,
    refcount_table_clusters: 56,
    nb_snapshots: 60,
    snapshots_offset: 64,
    incompatible_features: 72,
    compatible_features: 80,
    autoclear_features: 88,
    refcount_order: 96,
    header_length: 100
  })
  assert.is(headerFields.size, 104)
})

test('a well-formed header breaks no rule across its fields either', () => {
  holds(
    fc.property(headers.wellFormed, (h) => {
      same(judgeHeader(h), [])
      assert.ok(geometry(h) !== undefined)
    }),
    { runs: 300 }
  )
})

test('any header is judged, and every issue lies in its fields', () => {
  holds(
    fc.property(headers.anyValue, (h) => {
      for (const i of judgeHeader(h)) assert.ok(i.at + i.size <= 112 && i.phase !== 'malformed', i.message)
      if (geometry(h) === undefined) assert.ok(judgeHeader(h).length > 0)
    }),
    { runs: 300 }
  )
})

test('a disk is presented in whole sectors', () => {
  const h = valueOf(header, v3)
  for (const [size, presented] of [
    [1048476n, 1048064n],
    [511n, 0n],
    [512n, 512n],
    [2n ** 64n - 1n, 2n ** 64n - 512n]
  ] as const)
    assert.is(presentedSize({ ...h, size }), presented)
})

test.run()
