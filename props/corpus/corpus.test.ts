/** The corpus is complete, follows the recipes, and QEMU makes the same images again. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { cook } from '../../corpus/cook.js'
import type { Expect } from '../../corpus/expect.js'
import { sha256 } from '../../src/node/conform/suite.js'
import { corpusFolder, load, loadExpect, manifest, names, packed } from '../../corpus/load.js'
import { recipes } from '../../corpus/recipes/index.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'

const test = suite('corpus')
const listed = manifest()

test('every recipe has an image, and every image a recipe', () => {
  assert.equal(
    names(),
    recipes.map(({ name }) => name)
  )
  assert.is(listed.count, names().length)
  assert.is(new Set(names()).size, listed.count)
  assert.ok(listed.count >= 440)
})

test('the cases are numbered 01 to 77 without a gap', () => {
  const numbers = names().flatMap((name) => /^case-(\d\d)-/.exec(name)?.[1] ?? [])
  assert.equal(
    numbers,
    Array.from({ length: 77 }, (_, index) => String(index + 1).padStart(2, '0'))
  )
})

test('the folders hold only the files of the images', () => {
  const files = names().flatMap((name) => Object.values(loadExpect(name).files))
  assert.equal(readdirSync(join(corpusFolder, 'images')).sort(), [...files].sort())
  assert.equal(
    readdirSync(join(corpusFolder, 'expect')).sort(),
    names()
      .map((name) => `${name}.json`)
      .sort()
  )
})

test('every image has its recorded digests and length', () => {
  for (const { name, sha256: digest } of listed.images) {
    const { expect, image } = load(name)
    assert.is(sha256(packed(expect.files['img.qcow2'] ?? '')), digest, name)
    assert.is(sha256(image), expect.sha256, name)
    assert.is(image.length, expect.length, name)
  }
})

test('every expectation has the title, steps, options and exit code of check of its recipe', () => {
  for (const { name, title, steps, check, opts, varies } of recipes) {
    const expect = loadExpect(name)
    assert.equal([expect.name, expect.title, expect.steps], [name, title, steps])
    assert.equal([expect.opts, expect.varies], [opts, varies], name)
    assert.is(expect.check.exit, check, name)
  }
})

/** The exit codes of `qemu-img check` other than 0, by case. */
const unclean: Readonly<Record<string, number>> = { '14': 3, '27': 2, '74': 3, '75': 2 }

test('check finds a leak in cases 14 and 74, corruption in 27 and 75, and nothing in the other cases', () => {
  for (const name of names().filter((each) => each.startsWith('case-')))
    assert.is(loadExpect(name).check.exit, unclean[name.slice(5, 7)] ?? 0, name)
})

test('every answer of qemu-img with exit code 0 is recorded as JSON', () => {
  for (const name of names()) {
    const { info, check, map, guest } = loadExpect(name)
    for (const { exit, stdout } of [info, check, map]) assert.is(exit === 0 && stdout === null, false, name)
    for (const { exit, sha256: digest } of [guest.active, ...guest.snapshots])
      assert.is(exit === 0, digest !== undefined, name)
  }
})

/** The expectation without the dates of snapshots, and without the digest of an image that holds them. */
const timeless = ({ sha256: digest, ...expect }: Expect): unknown => ({
  ...JSON.parse(JSON.stringify(expect, (key, value: unknown) => (/^date-n?sec$/.test(key) ? 0 : value))),
  ...(expect.varies === undefined ? { digest } : {})
})

const sample = [
  'case-04-size-rounded',
  'case-15-backing-smaller',
  'case-22-zero-clusters',
  'case-27-lazy-refcounts-crashed',
  'case-30-zstd',
  'case-37-data-file',
  'case-49-snapshots',
  'case-54-bitmaps',
  'case-60-aes',
  'matrix-512-w1-v3-zstd',
  'matrix-1k-w16-v2-zlib',
  'matrix-64k-w64-v3-zlib-ext',
  'odd-snapshot-extra-40',
  'broken-luks-without-pointer'
]

const isRemade = (name: string) => async (): Promise<void> => {
  const recipe = recipes.find((each) => each.name === name)
  const cooked = recipe === undefined ? E.left('has no recipe') : await cook(recipe)
  if (E.isLeft(cooked)) throw new Error(cooked.left)
  const { expect, files } = load(name)
  assert.equal(timeless(cooked.right.expect), timeless(expect))
  const digests = (kept: Iterable<Uint8Array>): readonly string[] => Array.from(kept, sha256)
  if (expect.varies === undefined) assert.equal(digests(cooked.right.files.values()), digests(files.values()))
}

for (const name of sample) {
  const title = `${name} is the same when QEMU makes it again`
  if (qemu === undefined || qemu === listed.qemu) needsQemu(test)(title, isRemade(name))
  else test.skip(title, `the corpus was made with ${listed.qemu}, and this is ${qemu}`)
}

note(`${listed.count} images made with ${listed.qemu}`)
test.run()
