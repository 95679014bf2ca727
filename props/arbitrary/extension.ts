/** Header extensions, and areas of them: order, duplicates, padding of any content, with and without an end marker. */
import fc from 'fast-check'
import { empty } from '../../src/bytes/octets.js'
import {
  bitmapsExtension,
  encryptionPointer,
  type FeatureNames,
  featureName
} from '../../src/format/extension-payload.js'
import { type Extension, extension, extensionRecord, typeOf } from '../../src/format/extension.js'
import { extensionTypes, type Payloads } from '../../src/format/extension-kinds.js'
import type { ExtensionArea } from '../../src/format/extension-area.js'
import { maxBackingFormat } from '../../src/format/limits.js'
import type { Mode } from './leaf.js'
import { lengths, numbers } from './number.js'
import { octetsOf } from './octets.js'
import { areaFields, extensionFields, featureNamesFields } from '../../src/fuzz/structures.js'
import { entry, fixed, paddingOf, structure, type Structure } from './structure.js'

const names = fixed(featureName)
const bitmaps = fixed(bitmapsExtension, 'bitmaps extension')
const encryption = fixed(encryptionPointer, 'full disk encryption pointer')

/** An extension of one kind. */
type ExtensionOf<Tag extends keyof Payloads> = Extract<Extension, { readonly _tag: Tag }>

const modal = <A>(s: Structure<A>, mode: Mode): fc.Arbitrary<A> => (mode === 'any' ? s.anyValue : s.wellFormed)

/** Feature name tables, with bytes behind the last whole name. */
export const featureNameTables: Structure<FeatureNames> = structure('feature name table', featureNamesFields, (mode) =>
  fc
    .tuple(fc.array(modal(names, mode), { maxLength: 4 }), octetsOf(lengths(featureName.size - 1, 47)))
    .map(([all, rest]) => ({ names: all, rest }))
)

/** The payloads of fixed length. */
export const payloads = { names, bitmaps, encryption }

/** Records before their type is looked at. */
export const extensionRecords = entry(extensionRecord, { data: [7, 8, 9, 16, 24] })

const known = Object.values(extensionTypes)

/** Types that no extension has, those beside a known one among them. */
const unknownTypes = numbers(1n, 0xffff_ffffn)
  .map(Number)
  .filter((type) => !known.some((other) => other === type))

const strings = (mode: Mode): fc.Arbitrary<Uint8Array> =>
  octetsOf(lengths(mode === 'any' ? 40 : maxBackingFormat, 3, 5, 15, 16))

/** Payloads whose length is not that of their type. */
const misfits = fc
  .tuple(
    fc.constantFrom(extensionTypes.Bitmaps, extensionTypes.Encryption),
    octetsOf(lengths(40, 15, 16, 17, 23, 24, 25))
  )
  .filter(
    ([type, data]) => data.length !== (type === extensionTypes.Bitmaps ? bitmapsExtension : encryptionPointer).size
  )
  .map(([type, data]): Extension => ({ _tag: 'Other', type, data, padding: empty }))

/** The generator of each known extension. */
const generators: { readonly [Tag in keyof Payloads]: (mode: Mode) => fc.Arbitrary<ExtensionOf<Tag>> } = {
  BackingFormat: (mode) => strings(mode).map((data) => ({ _tag: 'BackingFormat', data, padding: empty })),
  DataFile: () => strings('any').map((data) => ({ _tag: 'DataFile', data, padding: empty })),
  FeatureNames: (mode) =>
    modal(featureNameTables, mode).map((data) => ({ _tag: 'FeatureNames', data, padding: empty })),
  Bitmaps: (mode) => modal(bitmaps, mode).map((data) => ({ _tag: 'Bitmaps', data, padding: empty })),
  Encryption: (mode) => modal(encryption, mode).map((data) => ({ _tag: 'Encryption', data, padding: empty }))
}

const others = fc
  .tuple(unknownTypes, strings('any'))
  .map(([type, data]): Extension => ({ _tag: 'Other', type, data, padding: empty }))

const unpadded = (mode: Mode): fc.Arbitrary<Extension> =>
  fc.oneof(
    ...Object.values(generators).map((generator): fc.Arbitrary<Extension> => generator(mode)),
    others,
    ...(mode === 'any' ? [misfits] : [])
  )

/** Extensions padded to a multiple of 8. The padding may hold anything, in a well-formed one too. */
const padded = (mode: Mode): fc.Arbitrary<Extension> =>
  unpadded(mode).chain((e) => paddingOf(extension.sizeOf(e), 'any').map((padding) => ({ ...e, padding })))

/** The extension with no more than this much of its padding: as at the end of an area. */
const cut = (e: Extension, kept: number): Extension => ({ ...e, padding: e.padding.subarray(0, kept) })

/** Extensions of every kind. */
export const extensions: Structure<Extension> = structure('header extension', extensionFields, (mode) =>
  mode === 'wellFormed' ? padded(mode) : fc.tuple(padded(mode), fc.nat({ max: 7 })).map(([e, n]) => cut(e, n))
)

/** Extensions of different types. */
const distinct = (list: readonly Extension[]): readonly Extension[] =>
  list.filter((e, i) => list.findIndex((other) => typeOf(other) === typeOf(e)) === i)

const anyArea: fc.Arbitrary<ExtensionArea> = fc
  .record({
    list: fc.array(padded('any'), { maxLength: 5 }),
    end: fc.option(fc.oneof(fc.constant(0), lengths(24, 7, 8)), { nil: undefined }),
    rest: octetsOf(lengths(80, 8, 24)),
    kept: fc.nat({ max: 7 })
  })
  .map(({ list, end, rest, kept }): ExtensionArea => {
    if (end !== undefined) return { extensions: list, end: Math.min(end, rest.length), rest }
    return { extensions: list.map((e, i) => (i === list.length - 1 ? cut(e, kept) : e)), rest: empty }
  })

const wellFormedArea: fc.Arbitrary<ExtensionArea> = fc
  .record({ list: fc.array(padded('wellFormed'), { maxLength: 5 }), marked: fc.boolean(), rest: fc.nat({ max: 40 }) })
  .map(({ list, marked, rest }): ExtensionArea => {
    const once = distinct(list)
    return marked ? { extensions: once, end: 0, rest: new Uint8Array(rest) } : { extensions: once, rest: empty }
  })

/** Extension areas. */
export const extensionAreas: Structure<ExtensionArea> = structure('header extension area', areaFields, (mode) =>
  mode === 'any' ? anyArea : wellFormedArea
)
