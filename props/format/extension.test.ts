/** Header extensions and the area they stand in: padding, end, order, and whatever is unknown. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { concat, fromText, part } from '../../src/bytes/octets.js'
import { geometry } from '../../src/format/geometry.js'
import { type ExtensionArea, extensionArea, extensionStarts, extensionRange } from '../../src/format/extension-area.js'
import { featureNames, nameOf } from '../../src/format/extension-payload.js'
import { type Extension, extension, typeOf } from '../../src/format/extension.js'
import { extensionTypes } from '../../src/format/extension-kinds.js'
import {
  extensionAreas,
  extensionRecords,
  extensions,
  featureNameTables,
  headers,
  payloads
} from '../arbitrary/index.js'
import { octets } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { issuesOf, laws, same, sameBytes, valueOf } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('extension')

laws(test, 'record', [extensionRecords])
laws(test, 'header extension', [extensions])
laws(test, 'header extension area', [extensionAreas])
laws(test, 'feature name table', [featureNameTables])
laws(test, 'feature name', [payloads.names])
laws(test, 'bitmaps extension', [payloads.bitmaps])
laws(test, 'full disk encryption pointer', [payloads.encryption])

const areaOf = (notation: string): ExtensionArea => valueOf(extensionArea, bytesIn(notation))
const data = (e: Extension | undefined): unknown => e?.data

test('each known type has its number, and any other is kept as it is', () => {
  for (const [type, tag] of [
    ['e2792aca', 'BackingFormat'],
    ['6803f857', 'FeatureNames'],
    ['23852875', 'Bitmaps'],
    ['0537be77', 'Encryption'],
    ['44415441', 'DataFile'],
    ['12345678', 'Other'],
    ['ffffffff', 'Other']
  ] as const) {
    const lengths = { Bitmaps: 24, Encryption: 16, FeatureNames: 48, BackingFormat: 8, DataFile: 8, Other: 8 }
    const bytes = bytesIn(`${type} 000000${lengths[tag].toString(16).padStart(2, '0')} 00*${lengths[tag]}`)
    const e = valueOf(extension, bytes)
    assert.is(e._tag, tag)
    assert.is(typeOf(e), Number(`0x${type}`))
  }
})

test('the next extension follows the padding, whatever the padding holds', () => {
  for (const padding of ['000000', 'ffffff', '44415441'.slice(2)]) {
    const {
      extensions: [first, second, ...others],
      end
    } = areaOf(`e2792aca 00000005 71636f7732 ${padding} 44415441 00000003 726177 ffffffffff 00*8`)
    same([first?._tag, second?._tag, others, end], ['BackingFormat', 'DataFile', [], 0])
    same([data(first), data(second)], [fromText('qcow2'), fromText('raw')])
    same(first?.padding, bytesIn(padding))
  }
})

test('an area may end without an end marker: right after a record, or within its padding', () => {
  const record = bytesIn('e2792aca 00000005 71636f7732 000000')
  for (const length of [13, 14, 15, 16]) {
    const { extensions: list, end, rest } = valueOf(extensionArea, part(record, 0, length))
    same([list.length, end, rest.length, list[0]?.padding.length], [1, undefined, 0, length - 13])
  }
  same(valueOf(extensionArea, new Uint8Array()), { extensions: [], rest: new Uint8Array() })
})

test('an end marker ends the area, and the bytes after it are kept', () => {
  const { extensions: list, end, rest } = areaOf('00000000 00000003 616263 6803f857 ffffffff')
  same([list, end], [[], 3])
  sameBytes(rest, bytesIn('616263 6803f857 ffffffff'))
})

test('a length past the end of the area is refused before anything is made for it', () => {
  for (const length of ['7fffffff', 'ffffffff', '80000000', '00000009'])
    for (const type of ['12345678', '00000000', 'e2792aca', '6803f857']) {
      const issues = issuesOf(extensionArea, bytesIn(`${type} ${length} 00*8`))
      same(
        issues.map((i) => [i.clause, i.at, i.field, i.refusal]),
        [['EXT-03', 4, 'length', 'OPEN-25']]
      )
    }
})

test('the walk reads what was put in, in its order, repeats included', () => {
  holds(
    fc.property(fc.array(extensions.wellFormed, { maxLength: 8 }), octets(12), (list, behind) => {
      const bytes = concat([...list.map((e) => extension.encode(e)), new Uint8Array(8), behind])
      const area = valueOf(extensionArea, bytes)
      same(area, { extensions: list, end: 0, rest: behind })
      for (const start of extensionStarts(area)) assert.is(start % 8, 0)
    })
  )
})

test('a known type whose payload has another length is kept as bytes', () => {
  for (const notation of [
    '23852875 00000017 00*24',
    '23852875 00000019 00*32',
    '0537be77 0000000f 00*16',
    '0537be77 00000000'
  ]) {
    const e = valueOf(extension, bytesIn(notation))
    assert.is(e._tag, 'Other')
    sameBytes(extension.encode(e), bytesIn(notation))
  }
})

test('an extension under the tag of another, or of type 0, is none', () => {
  const padding = new Uint8Array()
  const bytes = new Uint8Array(24)
  assert.ok(extension.is({ _tag: 'Other', type: 1, data: bytes, padding }))
  assert.ok(extension.is({ _tag: 'Other', type: extensionTypes.Bitmaps, data: new Uint8Array(23), padding }))
  for (const type of [0, extensionTypes.BackingFormat, extensionTypes.DataFile, extensionTypes.Bitmaps])
    assert.not.ok(extension.is({ _tag: 'Other', type, data: bytes, padding }))
})

test('an extension may lack padding only at the end of the area', () => {
  const [short, whole]: readonly Extension[] = [3, 8].map((n) => ({
    _tag: 'DataFile',
    data: new Uint8Array(n),
    padding: new Uint8Array()
  }))
  const rest = new Uint8Array()
  for (const [list, end, is] of [
    [[short], undefined, true],
    [[whole, short], undefined, true],
    [[short, whole], undefined, false],
    [[short], 0, false],
    [[whole], 0, true],
    [[whole], 1, false]
  ] as const)
    assert.is(extensionArea.is({ extensions: list, ...(end === undefined ? {} : { end }), rest }), is)
  assert.not.ok(extensionArea.is({ extensions: [], rest: new Uint8Array(1) }))
})

test('a feature name of 46 bytes has no zero after it, and bytes after the last whole name are kept', () => {
  const bytes = bytesIn('0105 61*46 0206 c3a9 00*44 ff*47')
  const { names, rest } = valueOf(featureNames, bytes)
  same(
    names.map((n) => [n.type, n.bit, nameOf(n)]),
    [
      [1, 5, 'a'.repeat(46)],
      [2, 6, 'é']
    ]
  )
  sameBytes(rest, bytesIn('ff*47'))
})

test('the area ends at the backing file name, or at the end of the first cluster without one', () => {
  holds(
    fc.property(headers.wellFormed, (h) => {
      const g = geometry(h)
      if (g === undefined) throw new Error('has no geometry')
      const { from, to } = extensionRange(h, g)
      assert.is(from, h.version === 2 ? 72 : h.headerLength)
      const name = Number(h.backingFileOffset)
      assert.is(to, name === 0 ? 2 ** h.clusterBits : Math.max(name, from))
    })
  )
})

test('an area is judged extension by extension: every issue of one is found at its place', () => {
  holds(
    fc.property(extensionAreas.anyValue, (area) => {
      const starts = extensionStarts(area)
      const alone = area.extensions.flatMap((e, i) => extension.judge(e, starts[i]).map((issue) => issue.message))
      const all = extensionArea.judge(area).map((issue) => issue.message)
      same(all.slice(0, alone.length), alone)
    })
  )
})

test.run()
