/** The rule tables: each rule is broken by values that break no other, and its issue names the clause and the bytes at fault. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { type FieldRule, type Placing, RuleTable } from '../../src/bytes/judgement.js'
import { isObject } from '../../src/bytes/json.js'
import { valueAt } from '../../src/bytes/object.js'
import { headerPlaces } from '../../src/format/header.js'
import * as format from '../../src/format/index.js'
import { describedStructures } from '../tools/pages/described.js'
import * as arbitrary from '../arbitrary/index.js'
import { lengths, numbers } from '../arbitrary/number.js'
import { octets } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import { drawFromEnvironment } from '../run/seed.js'
import { note, suite } from '../run/suite.js'
import { same } from './laws.js'

const test = suite('rules')

/** The share of the cases that a short run draws. */
const share = Math.min(1, drawFromEnvironment().runs)

/** Values that break one rule and no other, for each rule of a table; of a tenth of the cases none need to. */
const enough = Math.floor(3 * share)

/** A value, what it is judged with, and where it was made from a well-formed one, that one. */
interface Case<A, C> {
  readonly value: A
  readonly context: C
  readonly sound?: A
}

/** What encodes the values of a structure. */
interface Encoder<A> {
  encode(a: A): Uint8Array
  is(u: unknown): boolean
}

/** How often each rule was broken together with others of its table, and how often alone. */
const broken = new Map<FieldRule<never, never>, number>()
const alone = new Map<FieldRule<never, never>, number>()

const count = (counts: Map<FieldRule<never, never>, number>, rule: FieldRule<never, never>): void => {
  counts.set(rule, (counts.get(rule) ?? 0) + 1)
}

/** Rules that are broken only where a narrower one is. */
const wide = ['bitmap directory entry granularityBits: BMP-02']

let compared = 0

const keysOf = (a: unknown): readonly string[] => (isObject(a) ? Object.keys(a) : [])

/** Where one field was changed, and one rule for that field broken, the bytes that changed are those that the issue names. */
const placed = <A, C>(table: RuleTable<A, C>, encoder: Encoder<A>, { value, context, sound }: Case<A, C>) => {
  const [rule, ...more] = table.rules.filter((each) => each.broken(value, context))
  if (sound === undefined || rule === undefined || more.length > 0 || !encoder.is(value)) return
  const changed = keysOf(value).filter((key) => !isDeepStrictEqual(valueAt(value, key), valueAt(sound, key)))
  const [before, after] = [encoder.encode(sound), encoder.encode(value)]
  if (!isDeepStrictEqual(changed, [rule.field]) || before.length !== after.length) return
  compared++
  const [issue] = table.judge(value, context)
  const from = after.findIndex((byte, i) => byte !== before[i])
  const to = after.findLastIndex((byte, i) => byte !== before[i]) + 1
  assert.ok(
    issue !== undefined && issue.at <= from && to <= issue.at + issue.size,
    `${from} to ${to}: ${issue?.message}`
  )
}

const judged = <A, C>(table: RuleTable<A, C>, cases: fc.Arbitrary<Case<A, C>>, encoder?: Encoder<A>): void => {
  holds(
    fc.property(cases, fc.nat({ max: 2 ** 40 }), (drawn, at) => {
      const { value, context } = drawn
      const rules = table.rules.filter((rule) => rule.broken(value, context))
      const [here, there] = [table.judge(value, context), table.judge(value, context, at)]
      same(
        here.map((i) => [i.clause, i.phase, i.source, i.refusal]),
        rules.map((rule) => [rule.clause, rule.phase ?? 'invalid', rule.source ?? 'both', rule.refusal])
      )
      same(
        there.map((i) => [i.field, i.at, i.size, i.found, i.expected]),
        here.map((i) => [i.field, i.at + at, i.size, i.found, i.expected])
      )
      if (encoder !== undefined) placed(table, encoder, drawn)
      for (const rule of rules) count(rules.length === 1 ? alone : broken, rule)
    }),
    { runs: 4000 }
  )
}

type Drawn<A> = Pick<arbitrary.Structure<A>, 'wellFormed' | 'anyValue'>

/** The value with the part of another one that the picks lead to: a field, or a part of a field that has parts. */
const withPart = (a: unknown, other: unknown, picks: readonly number[]): unknown => {
  const [pick = 0, ...further] = picks
  if (!isObject(a) || a instanceof Uint8Array || picks.length === 0) return other
  const key = Object.keys(a)[pick % Object.keys(a).length] ?? ''
  return { ...a, [key]: withPart(a[key], valueAt(other, key), further) }
}

/** Well-formed values in which up to three fields, or parts of them, are those of any value. */
const changed = <A>(s: Drawn<A>): fc.Arbitrary<Required<Case<A, undefined>>> =>
  fc
    .tuple(
      s.wellFormed,
      s.anyValue,
      fc.array(fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 })
    )
    .map(([sound, other, ways]) => {
      const value = ways.reduce<unknown>((now, way) => withPart(now, other, way), sound)
      return { sound, value: value as A, context: undefined }
    })

/** The same, judged in some context. */
const changedIn = <A, C>(s: Drawn<A>, contexts: fc.Arbitrary<C>): fc.Arbitrary<Case<A, C>> =>
  fc.tuple(changed(s), contexts).map(([drawn, context]) => ({ ...drawn, context }))

const drawn = <A, C>(values: fc.Arbitrary<A>, contexts: fc.Arbitrary<C>): fc.Arbitrary<Case<A, C>> =>
  fc.tuple(values, contexts).map(([value, context]) => ({ value, context }))

/** A structure whose fields have rules by themselves only. */
const fields = <A>(
  type: Placing<A> & Encoder<A> & { readonly rules: readonly FieldRule<unknown>[] },
  s: Drawn<A>
): void => judged(new RuleTable<A, undefined>(type, type.rules), changed(s), type)

const none = fc.constant(undefined)
const geometries = fc.record({ version: fc.constantFrom(2, 3), clusterBits: fc.integer({ min: 9, max: 21 }) })

/** Headers of any kind, of other formats and versions too. */
const strangers = fc
  .tuple(arbitrary.headers.anyValue, fc.nat({ max: 0xffff_ffff }), fc.nat({ max: 9 }))
  .map(([h, magic, version]) => ({ ...h, magic, version }))

test('the header', () => {
  const cases = changed({ wellFormed: arbitrary.headers.wellFormed, anyValue: strangers })
  judged(new RuleTable<format.Header, undefined>(headerPlaces, format.headerFields.rules), cases, format.header)
  const clustered = cases
    .filter(({ value: { clusterBits } }) => clusterBits >= 9 && clusterBits <= 21)
    .map((each) => ({ ...each, context: each.value }))
  judged(format.headerRules, clustered, format.header)
  judged(
    new RuleTable<format.Header['additional'], undefined>(format.additionalFields, format.additionalFields.rules),
    drawn(
      arbitrary.headers.anyValue.map((h) => h.additional),
      none
    )
  )
})

test('header extensions, by themselves and with the header', () => {
  fields(format.featureName, arbitrary.payloads.names)
  fields(format.bitmapsExtension, arbitrary.payloads.bitmaps)
  fields(format.encryptionPointer, arbitrary.payloads.encryption)
  for (const table of format.lengthRules.values()) judged(table, drawn(arbitrary.extensionRecords.anyValue, none))
  judged(format.repeatRules, drawn(arbitrary.extensions.anyValue, fc.boolean()))
  judged(format.areaRules, drawn(arbitrary.extensionAreas.anyValue, none))
  const heads = fc
    .tuple(arbitrary.headers.wellFormed, arbitrary.extensionAreas.wellFormed, fc.boolean(), fc.constantFrom(0, 2))
    .map(([h, area, bitmaps, cryptMethod]) => ({
      header: { ...h, cryptMethod, autoclearFeatures: { ...h.autoclearFeatures, bitmaps } },
      area
    }))
  judged(format.headRules, drawn(heads, geometries))
})

test('table entries', () => {
  judged(format.l1Rules, changedIn(arbitrary.l1Entries, geometries), format.l1Entry)
  judged(format.refcountTableRules, changedIn(arbitrary.refcountTableEntries, geometries), format.refcountTableEntry)
  judged(format.bitmapTableRules, changedIn(arbitrary.bitmapTableEntries, geometries), format.bitmapTableEntry)
  const contexts = fc.constantFrom(...arbitrary.l2Contexts)
  judged(
    format.l2Rules,
    fc.tuple(contexts, contexts).chain(([ctx, other]) =>
      drawn(
        fc.oneof(
          arbitrary.l2EntriesOf(ctx).anyValue,
          arbitrary.l2EntriesOf(other).wellFormed,
          fc
            .tuple(arbitrary.l2EntriesOf(ctx).wellFormed, fc.constantFrom(0, 1, 2), fc.constantFrom(0, 1, 4))
            .map(([e, allocated, zeros]) => ({ ...e, subclusters: { allocated, zeros } }))
        ),
        fc.constant({ ...ctx, clusterBits: other.clusterBits })
      )
    )
  )
})

const near = fc.integer({ min: 0, max: 3 })

test('clusters of an external data file', () => {
  judged(
    format.dataFileRules,
    drawn(fc.record({ host: near, guest: near, fileLength: fc.option(near, { nil: undefined }) }), none)
  )
})

test('the snapshot table', () => {
  judged(format.snapshotRules, changedIn(arbitrary.snapshots, geometries), format.snapshotEntry)
  const sizes = fc.tuple(arbitrary.snapshots.wellFormed, near, near, near).map(([s, l1Size, vmStateSize, large]) => ({
    ...s,
    l1Size,
    vmStateSize,
    extra: { rest: s.extra.rest, vmStateSize: BigInt(large) * 2n ** 15n, diskSize: 2n ** 15n }
  }))
  judged(format.snapshotSizeRules, drawn(sizes, fc.constant({ clusterBits: 9, extendedL2: false, disk: 0n })))
  judged(
    new RuleTable(format.snapshotExtra, format.snapshotExtra.rules),
    drawn(arbitrary.snapshotExtras.anyValue, none)
  )
  judged(format.snapshotTableRules, drawn(lengths(2 ** 27, 2 ** 26, 2 ** 26 + 1), none))
})

/** Bitmaps whose table has as many entries as the disk needs, or one more or less. */
const loadings = fc
  .tuple(
    arbitrary.bitmaps.wellFormed,
    geometries,
    fc.nat({ max: 5 }),
    fc.constantFrom(0, 1, -1),
    numbers(0n, 2n ** 64n - 1n)
  )
  .map(([b, { clusterBits }, n, more, bitmapTableOffset]) => ({
    value: { ...b, bitmapTableOffset, bitmapTableSize: Math.max(0, n + more) },
    context: { clusterBits, disk: BigInt(n) * 2n ** BigInt(b.granularityBits + clusterBits + 3) }
  }))

const directories = fc
  .record({
    extension: arbitrary.payloads.bitmaps.anyValue,
    entries: fc.nat({ max: 3 }),
    more: fc.boolean(),
    nbBitmaps: fc.nat({ max: 3 }),
    read: fc.boolean()
  })
  .map(({ extension, entries, more, nbBitmaps, read }) => ({
    extension: { ...extension, nbBitmaps },
    ...(read ? { found: { entries, more } } : {})
  }))

const lastClusters = fc
  .tuple(octets(64), fc.nat({ max: 512 }), fc.boolean())
  .map(([bytes, used, clear]) => ({ bytes: clear ? new Uint8Array(64) : bytes, used }))

/** Bitmaps that every cluster size has a place for, and QEMU loads. */
const loadable = fc.tuple(arbitrary.bitmaps.wellFormed, fc.integer({ min: 1, max: 9 })).map(([b, n]) => ({
  ...b,
  bitmapTableOffset: BigInt(n) << 21n,
  flags: { ...b.flags, extraDataCompatible: false },
  bitmapTableSize: n,
  name: new Uint8Array(8 * n).fill(0x61),
  extra: new Uint8Array(0),
  padding: new Uint8Array(0)
}))

test('bitmaps', () => {
  judged(format.directoryRules, drawn(directories, none))
  const { anyValue } = arbitrary.bitmaps
  judged(format.bitmapRules, changedIn({ anyValue, wellFormed: loadable }, geometries), format.bitmapEntry)
  judged(format.bitmapNameRules, drawn(arbitrary.bitmaps.wellFormed, fc.boolean()))
  judged(format.bitmapLoadingRules, loadings)
  judged(format.bitmapSavedRules, drawn(anyValue, none))
  judged(format.bitmapTotalRules, drawn(arbitrary.bitmaps.wellFormed, lengths(2 ** 29, 2 ** 28, 2 ** 28 + 8)))
  judged(format.lastBitsRules, drawn(lastClusters, none))
})

test('the LUKS header', () => {
  const { luksHeaders, luksKeySlots } = arbitrary
  const ended = (text: Uint8Array): Uint8Array => text.with(-1, 0)
  const sound = luksHeaders.wellFormed.map((h) => ({
    ...h,
    magic: Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe),
    cipherName: ended(h.cipherName),
    cipherMode: ended(h.cipherMode),
    hashSpec: ended(h.hashSpec)
  }))
  const areas = fc.constantFrom({ length: 0x1f_9000n }, { length: 2n ** 50n })
  judged(
    format.luksHeaderRules,
    changedIn({ wellFormed: sound, anyValue: luksHeaders.anyValue }, areas),
    format.luksHeader
  )
  const keys = fc.record({
    payloadOffset: fc.constantFrom(4040, 2 ** 33),
    keyBytes: fc.constant(64),
    before: fc.constantFrom([], [1000])
  })
  judged(format.luksSlotRules, changedIn(luksKeySlots, keys), format.luksSlot)
  const near = fc.tuple(luksKeySlots.wellFormed, fc.nat(2000)).map(([s, n]) => ({ ...s, keyMaterialOffset: 8 + n }))
  judged(format.luksSlotRules, drawn(near, keys))
})

test('every rule of every table was broken by values that break no other rule', () => {
  const all = describedStructures.flatMap(({ title, tables }) =>
    tables.flatMap(({ rules }) =>
      rules.map((rule) => {
        const name = `${title} ${rule.field}: ${rule.clause}`
        return { name, times: (wide.includes(name) ? broken : alone).get(rule) ?? 0 }
      })
    )
  )
  same(
    all.filter(({ times }) => times < enough),
    []
  )
  assert.ok(compared > 1000 * share)
  note(`${compared} places compared with the bytes that were changed`)
  note(`${all.length} rules, each broken alone by ${Math.min(...all.map(({ times }) => times))} values or more`)
})

test.run()
