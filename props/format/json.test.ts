/** The JSON of values: numbers and bytes in the form that loses nothing, and a reason for whatever is refused. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import {
  anyOctetsJson,
  bigJson,
  isObject,
  type Json,
  type JsonType,
  octetsJson,
  readJson,
  smallJson
} from '../../src/bytes/json.js'
import { concat, fromHex, fromText, toHex, toText } from '../../src/bytes/octets.js'
import { header } from '../../src/format/header.js'
import { extensionArea } from '../../src/format/extension-area.js'
import { snapshotTable } from '../../src/format/snapshot.js'
import { headers, ofEveryStructure, type Structure } from '../arbitrary/index.js'
import { numbers } from '../arbitrary/number.js'
import { octets } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { altered, same, sameBytes, valueOf, ways } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('json')

const u64 = bigJson('u64', 2n ** 64n - 1n)

/** The fields of a JSON object. */
const fieldsIn = (json: Json): Readonly<Record<string, unknown>> => (isObject(json) ? json : {})

/** The reason for which JSON is refused. */
const refusal = <A>(type: JsonType<A>, json: unknown): string => {
  const read = readJson(type)(json)
  return E.isLeft(read) ? read.left : 'is not refused'
}

test('a number is a number as long as a double holds it, and a decimal string beyond', () => {
  assert.is(u64.encode(2n ** 53n - 1n), 9007199254740991)
  assert.is(u64.encode(2n ** 53n), '9007199254740992')
  assert.is(u64.encode(2n ** 64n - 1n), '18446744073709551615')
  holds(
    fc.property(numbers(0n, 2n ** 64n - 1n), (n) =>
      same(u64.decode(JSON.parse(JSON.stringify(u64.encode(n)))), E.right(n))
    )
  )
})

test('a number is read as a number or as a decimal string, in its range and nothing else', () => {
  for (const json of [255, '255']) same(smallJson('u8', 255).decode(json), E.right(255))
  for (const json of [-1, 256, 1.5, NaN, Infinity, '256', '-1', '0xff', '1e2', '', ' 1', null, true, [1], {}])
    assert.match(refusal(smallJson('u8', 255), json), 'is not u8, a whole number from 0 to 255')
  for (const json of [2 ** 53, '18446744073709551616', `1${'0'.repeat(5000)}`])
    assert.match(refusal(u64, json), 'is not u64')
})

const forms: readonly (readonly [bytes: string, json: Json])[] = [
  ['00*0', ''],
  ['61', 'a'],
  ['c3a9', 'é'],
  ['f09f9880', '😀'],
  ['0a22', '\n"'],
  ['00*3', { zeros: 3 }],
  ['61 00*2', { text: 'a', zeros: 2 }],
  ['ff', { hex: 'ff' }],
  ['c3', { hex: 'c3' }],
  ['eda080', { hex: 'eda080' }],
  ['efbbbf61', '\ufeffa'],
  ['610062', { hex: '610062' }],
  ['ff 00', { hex: 'ff', zeros: 1 }]
]

for (const [notation, json] of forms)
  test(`the bytes ${notation} are ${JSON.stringify(json)}`, () => {
    same(anyOctetsJson.encode(bytesIn(notation)), json)
    same(anyOctetsJson.decode(json), E.right(bytesIn(notation)))
  })

test('bytes are read as text, in hexadecimal and with trailing zeros', () => {
  for (const json of ['a', { text: 'a' }, { hex: '61' }, { text: 'a', zeros: 0 }])
    same(anyOctetsJson.decode(json), E.right(bytesIn('61')))
  for (const json of [
    { hex: '6' },
    { hex: 'zz' },
    { hex: '61', text: 'a' },
    { text: 1 },
    { zeros: -1 },
    { zeros: 1.5 },
    { zeros: '1' },
    { zeros: 2 ** 40 },
    { other: 1 },
    [97],
    97,
    null
  ])
    assert.match(refusal(anyOctetsJson, json), 'is neither a string nor', JSON.stringify(json))
  assert.match(
    refusal(
      octetsJson('at most 2 bytes', (n) => n <= 2),
      'abc'
    ),
    '3 bytes are not at most 2 bytes'
  )
})

test('hexadecimal and text are each the inverse of reading them', () => {
  holds(
    fc.property(octets(20), fc.string({ unit: 'grapheme' }), (bytes, text) => {
      same(fromHex(toHex(bytes)), bytes)
      const read = toText(bytes)
      if (read !== undefined) sameBytes(fromText(read), bytes)
      assert.is(toText(fromText(`x${text}`)), `x${text}`)
    })
  )
})

test('a key that no field has is refused by its name, and so is a field that is missing', () => {
  const json = fieldsIn(header.json.encode(valueOf(header, bytesIn('514649fb00000002 00*64'))))
  assert.is(refusal(header.json, { ...json, clusterbits: 9 }), 'header has no field clusterbits')
  assert.match(refusal(header.json, { ...json, cluster_bits: undefined }), 'cluster_bits: missing')
  assert.match(refusal(header.json, { ...json, cluster_bits: 2 ** 32 }), 'cluster_bits: 4294967296 is not u32')
  assert.match(refusal(header.json, { ...json, refcount_order: 4 }), 'header has no field refcount_order')
})

test('a refusal within a list or an object names the path to it', () => {
  const area = { extensions: [{ extension: 'bitmaps', data: { nb_bitmaps: -1 } }] }
  assert.match(refusal(extensionArea.json, area), 'extensions')
  assert.match(refusal(extensionArea.json, area), 'data: nb_bitmaps: -1 is not u32')
  assert.match(refusal(extensionArea.json, { extensions: [{ extension: 'bitmap' }] }), 'extension: "bitmap" is none of')
  assert.match(refusal(snapshotTable(1).json, [{ l1_table_offset: 'x' }]), 'l1_table_offset: "x" is not u64')
})

test('fields that do not fit together are refused', () => {
  const h = headers.wellFormed.filter((a) => a.version === 3 && a.headerLength === 112)
  holds(
    fc.property(h, (a) => {
      const json = { ...fieldsIn(header.json.encode(a)), header_length: 120 }
      assert.is(refusal(header.json, json), 'the fields of the header do not fit together')
    }),
    { runs: 10 }
  )
})

const replacements = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  numbers(0n, 2n ** 65n).map(String),
  fc.constantFrom(undefined, -1, 2 ** 53, { zeros: 3 }, { hex: 'ff' }, 0n, Symbol.iterator)
)

test('altered JSON is read as a value that encodes, or refused with a reason', () => {
  const total = <A>({ name, type, anyValue }: Structure<A>): void =>
    holds(
      fc.property(fc.constant(name), anyValue, ways, replacements, (_, a, way, by) => {
        const read = readJson(type.json)(altered(type.json.encode(a), way, by))
        if (E.isLeft(read)) assert.ok(read.left.length > 0)
        else {
          assert.ok(type.is(read.right))
          same(type.decode(concat([type.encode(read.right)])), E.right(read.right))
        }
      }),
      { runs: 25 }
    )
  ofEveryStructure(total)
})

test.run()
