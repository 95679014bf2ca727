/** Where findings are: the byte that a finding names is explained as the structure and the field that it names. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Issue } from '../../../src/bytes/issue.js'
import { check } from '../../../src/image/check/check.js'
import { explain } from '../../../src/image/dump/explain.js'
import { holds } from '../../run/holds.js'
import { note, share, suite } from '../../run/suite.js'
import { right, runOn, smallImages } from '../world.js'

const test = suite('places of findings')

/** The structures whose entries and fields findings name, as `explain` names them. */
const structures: Readonly<Record<string, string>> = {
  header: 'header',
  'L1 table entry': 'L1 table',
  'L2 entry': 'L2 table',
  'refcount table entry': 'refcount table',
  'snapshot table entry': 'snapshot table',
  'bitmap directory entry': 'bitmap directory',
  'bitmap table entry': 'bitmap table',
  'bitmaps extension': 'header extensions',
  'full disk encryption pointer': 'header extensions',
  'feature name table': 'header extensions'
}

/** Structures whose parts are fields, not whole entries. */
const withFields: ReadonlySet<string> = new Set(['header', 'snapshot table', 'bitmap directory'])

/** What a check finds, or the reasons for which it refuses the image. */
const foundIn = (image: Uint8Array): readonly Issue[] => {
  const done = E.flatten(runOn(image, check(image.length)))
  return E.isLeft(done) ? done.left : done.right.findings
}

/** Fails unless the first findings, each of another structure or field, are where they say; counts those that were compared. */
const areInPlace = (image: Uint8Array): number => {
  const named = new Map(foundIn(image).map((issue) => [`${issue.structure} ${issue.field}`, issue]))
  let compared = 0
  for (const { structure, field, at, size, message } of [...named.values()].slice(0, 6)) {
    const wanted = structures[structure]
    if (wanted === undefined || at >= image.length) continue
    const { explanations } = right(runOn(image, explain(image.length, at)))
    const own = explanations.filter((each) => each.structure === wanted)
    // A table that a check follows as QEMU does, although its offset breaks a rule, is no region; nor is one of a refused image.
    share('findings in a structure that is explained', 0.5, own.length > 0)
    if (own.length === 0) {
      const others = explanations.map((each) => each.structure)
      assert.ok(wanted !== 'header' || others.length === 0, `${message}: ${others.join()}`)
      continue
    }
    compared += 1
    const [name = ''] = field.split('.')
    // A field without bytes, such as an empty name, is where the next one is.
    if (!withFields.has(wanted) || name === '' || size === 0) continue
    const parts = own.map(({ part }) => part)
    assert.ok(
      parts.some((part) => part === name || part.endsWith(`: ${name}`)),
      `${message}: ${parts.join()}`
    )
    if (wanted === 'header') assert.is(own.find(({ part }) => part === name)?.at, at, message)
  }
  return compared
}

test('each finding on the corpus is in the structure and the field that it names', () => {
  const compared = smallImages(2 ** 18).reduce((sum, image) => sum + areInPlace(image), 0)
  note(`${compared} findings`)
  assert.ok(compared > 150, String(compared))
})

test('each finding on a damaged image is in the structure and the field that it names', () => {
  const images = smallImages(2 ** 16)
  const edit = fc.tuple(
    fc.oneof(fc.nat(112), fc.integer({ min: 512, max: 2 ** 12 }), fc.nat(2 ** 16)),
    fc.constantFrom(1, 2, 4, 0x10, 0x40, 0x80, 0xff)
  )
  holds(
    fc.property(fc.nat(images.length - 1), fc.array(edit, { minLength: 1, maxLength: 3 }), (i, edits) => {
      const image = (images[i] ?? new Uint8Array(1)).slice()
      for (const [at, bits] of edits) image[at % image.length] = (image[at % image.length] ?? 0) ^ bits
      areInPlace(image)
    }),
    { runs: 2000 }
  )
})

test.run()
