/** Codecs are io-ts types: its own types hold them, and they hold its own. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import * as assert from 'uvu/assert'
import { rawBytes } from '../../src/bytes/byte-type.js'
import { flagJson, itemsJson, type JsonType, smallJson } from '../../src/bytes/json.js'
import { Type } from '../../src/bytes/type.js'
import { header } from '../../src/format/header.js'
import { apply, storeOf, toBytes } from '../../src/store/index.js'
import { create } from '../../src/transition/index.js'
import { suite } from '../run/suite.js'

const test = suite('type')

const made = create({ size: 2 ** 20 })
if (E.isLeft(made)) throw new Error('no image')
const image = toBytes(storeOf(apply(made.right)([]), { part: 'image', depth: 0 }))

/** The same type in the class of io-ts, and in ours. */
const read: t.Validate<unknown, number> = (u, c) => (typeof u === 'number' ? t.success(u + 1) : t.failure(u, c))
const both = [t.Type, Type].map((made) => new made<number, string>('n', t.number.is, read, (n) => `${n - 1}`))

test('a value decodes in the context in which io-ts decodes it, without `this`', () => {
  const [theirs, ours] = both.map(({ decode }) => [decode(1), decode('x')])
  assert.equal(ours?.[0], E.right(2))
  assert.is(E.isLeft(ours?.[1] ?? E.right(0)), true)
  const contexts = [theirs, ours].map((all) => all?.flatMap((e) => (E.isLeft(e) ? e.left : [])))
  const shown = contexts.map((errors) =>
    errors?.map(({ value, context }) => [value, context.map(({ key, type, actual }) => [key, type.name, actual])])
  )
  assert.equal(shown[1], shown[0])
  assert.equal(shown[1], [['x', [['', 'n', 'x']]]])
})

test('pipe reads by one type and then by the next, and writes the other way round', () => {
  for (const type of both) {
    const even = t.refinement(t.number, (n) => n % 2 === 0, 'even')
    const next = new t.Type<number, number, number>(
      'half',
      t.number.is,
      (n, c) => E.map((e: number) => e / 2)(even.validate(n, c)),
      (n) => 2 * n
    )
    const piped = type.pipe(next)
    assert.is(piped.name, 'pipe(n, half)')
    assert.equal(piped.decode(3), E.right(2))
    assert.equal(piped.encode(2), '3')
    assert.equal(PathReporter.report(piped.decode('x')), ['Invalid value "x" supplied to : pipe(n, half)'])
    assert.equal(PathReporter.report(piped.decode(2)), ['Invalid value 3 supplied to : pipe(n, half)'])
    assert.is(type.pipe(next, 'name').name, 'name')
    assert.is(type.asDecoder(), type)
    assert.is(type.asEncoder(), type)
  }
})

test('a record of io-ts holds a codec, whose issues stay issues', () => {
  const bytes = new t.Type<Uint8Array>(
    'bytes',
    rawBytes.is,
    (u, c) => (rawBytes.is(u) ? t.success(u) : t.failure(u, c)),
    t.identity
  )
  const pair = t.type({ first: bytes.pipe(header), flag: t.boolean })
  const decoded = pair.decode({ first: image, flag: true })
  assert.ok(E.isRight(decoded) && decoded.right.first.clusterBits === 16)
  const refused = pair.decode({ first: new Uint8Array(112), flag: 1 })
  assert.equal(PathReporter.report(refused), [
    'header magic at byte 0: found 0x0, expected 0x514649fb [OPEN-01]',
    'Invalid value 1 supplied to : { first: pipe(bytes, header), flag: boolean }/flag: boolean'
  ])
})

const lists = [[], [true, false], [1, 'x', 2, -1], ['1'], 'x', undefined, { length: 0 }]

const readsAsTheirs = <A>(item: JsonType<A>): void => {
  const [theirs, ours] = [t.readonlyArray(item), itemsJson(item)]
  assert.is(ours.name, theirs.name)
  for (const u of lists) {
    assert.is(ours.is(u), theirs.is(u))
    const [expected, found] = [theirs.decode(u), ours.decode(u)]
    assert.equal(PathReporter.report(E.map(String)(found)), PathReporter.report(E.map(String)(expected)))
    if (E.isLeft(expected)) continue
    assert.equal(found, expected)
    assert.equal(E.map(ours.encode)(found), E.map(theirs.encode)(expected))
  }
}

test('a list reads as the readonlyArray of io-ts reads it', () => {
  readsAsTheirs(flagJson)
  readsAsTheirs(smallJson('u8', 255))
})

test.run()
