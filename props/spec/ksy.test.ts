/** The parsers that kaitai-struct-compiler makes of spec/qcow2.ksy give the values of our codecs. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, loadExpect, names, packed } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { filesOf, loadVectors } from '../../src/node/conform/index.js'
import { note, suite } from '../run/suite.js'
import { type Expected, expectedOf } from './ksy/expected.js'
import { javascriptParser, python, pythonDifferences } from './ksy/parsers.js'

const test = suite('ksy')

interface Sample {
  readonly name: string
  readonly image: Uint8Array
  readonly expected: readonly Expected[]
}

function* sampleOf(name: string, image: Uint8Array): Generator<Sample> {
  const expected = expectedOf(image)
  if (expected.length > 0) yield { name, image, expected }
}

/** Bytes of the largest image that is compared: the tables of large clusters take a parser long. */
const most = process.env['QCOW2_KSY'] === 'all' ? Infinity : 2 ** 20

/** The size of a file from its compressed form, whose last four bytes hold it. */
const sizeOf = (name: string): number =>
  packed(loadExpect(name).files[imageName] ?? '')
    .subarray(-4)
    .readUInt32LE()

function* corpus(): Generator<Sample> {
  for (const name of names()) if (sizeOf(name) <= most) yield* sampleOf(name, load(name).image)
}

/** Every tenth vector. */
function* vectors(): Generator<Sample> {
  const all = loadVectors()
  const some = E.isRight(all) ? all.right.vectors.filter((_, i) => i % 10 === 0) : []
  for (const vector of some) {
    const files = filesOf(vector)
    if (E.isRight(files)) yield* sampleOf(vector.id, files.right.get(imageName) ?? new Uint8Array())
  }
}

/** Numbers are doubles in the runtime for JavaScript. */
const isExact = ({ value }: Expected): boolean => !/^\d{16,}$/.test(value) || BigInt(value) <= Number.MAX_SAFE_INTEGER

const sources = { corpus, 'conformance vectors': vectors }

for (const [title, samples] of Object.entries(sources))
  test(`the parser in JavaScript finds in the images of the ${title} what the codecs find`, async () => {
    const parser = await javascriptParser()
    let [images, values] = [0, 0]
    for (const { name, image, expected } of samples()) {
      const lookup = parser(image)
      const exact = expected.filter(isExact)
      for (const { path, value } of exact) {
        const found = lookup(path)
        if (found !== value) assert.unreachable(`${name}: ${path.join('.')}: found ${found}, expected ${value}`)
      }
      images += 1
      values += exact.length
    }
    assert.ok(images > 100 && values > 20_000, `${values} values of ${images} images`)
    note(`${values} values of ${images} images of the ${title}`)
  })

const title = 'the parser in Python finds in the smallest of these images what the codecs find'
if (python !== undefined)
  test(title, async () => {
    const all = Object.values(sources).flatMap((samples) => [...samples()])
    assert.is(await pythonDifferences(all.filter(({ image }) => image.length <= 2 ** 18)), '')
  })
else test.skip(title, 'python3-kaitaistruct is not installed')

test.run()
