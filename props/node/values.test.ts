/** Values of options and arguments: one parser each, which accepts what QEMU's tools accept. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { Decoder } from 'io-ts'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { byteSize, decodeWith, integerOption, onOff, sizeOption, type TextCodec } from '../../src/node/text/values.js'
import { holds } from '../run/holds.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('values')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-values-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

const texts = [
  '1k',
  '1K',
  '+1k',
  ' 1k',
  '1k ',
  '1.5k',
  '1.3k',
  '1.',
  '1.k',
  '0.5k',
  '.5k',
  '1.5',
  '1.0',
  '0x10',
  '0X10'
]
const sizes = [
  ...texts,
  '0x',
  '0x1.8k',
  '010',
  '1b',
  '1B',
  '1.5b',
  '1kb',
  '1Ki',
  '1e',
  '1e3',
  '1e3k',
  '-1',
  '',
  ' ',
  '1_0'
]
const large = ['7E', '8E', '16E', '9223372036854775808', '18446744073709551615', '18446744073709551616']
const numbers = ['16', '+16', ' 16', '020', '0x10', '16k', '16.0', '1e1', '', '08']
const states = ['on', 'off', 'yes', 'no', 'true', 'false', 'y', 'n', 'On', '1', '']

const size = decodeWith(byteSize('image size'))

needsQemu(test)(
  'a text is a size, an integer, or on or off exactly where it is one for qemu-img, and with its message',
  () => {
    const message = (...args: readonly string[]): string => {
      const { stderr } = spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...args], {
        cwd: folder,
        encoding: 'utf8'
      })
      return stderr
        .replaceAll(/^qemu-img: (x: )?/gm, '')
        .replaceAll('\n', ' ')
        .trim()
    }
    const of = (text: string, codec: Decoder<unknown, unknown>, message: string): void => {
      const value = decodeWith(codec)(text)
      const malformed = /expects|Invalid image size|out of range/.test(message)
      assert.equal(E.isLeft(value), malformed, `'${text}': ${message}`)
      if (E.isLeft(value)) assert.is(value.left.message, message, text)
    }
    for (const text of sizes.filter((each) => !each.startsWith('-')))
      of(text, byteSize('image size'), message('x', text))
    for (const text of large) of(text, byteSize('image size'), message('x', text))
    for (const text of [...sizes, ...large]) of(text, sizeOption('size'), message('-o', `size=${text}`, 'x'))
    for (const text of numbers)
      of(text, integerOption('refcount_bits'), message('-o', `refcount_bits=${text}`, 'x', '1M'))
    for (const text of states) of(text, onOff('extended_l2'), message('-o', `extended_l2=${text}`, 'x', '1M'))
  }
)

test('a fraction of a unit is whole bytes, and octal digits are a number', () => {
  assert.equal(['1.5k', '1.3k', '0x10', '1.', ' +7E'].map(size), [1536, 1331, 16, 1, 7 * 2 ** 60].map(E.right))
  assert.equal(decodeWith(integerOption('refcount_bits'))('020'), E.right(16))
  assert.equal(decodeWith(sizeOption('size'))('9007199254740993'), E.right(2n ** 53n + 1n))
})

test('what a codec encodes it decodes', () => {
  const same = <A>(codec: TextCodec<A>, arbitrary: fc.Arbitrary<A>): void => {
    holds(fc.property(arbitrary, (a) => assert.equal(codec.decode(codec.encode(a)), E.right(a))))
  }
  same(byteSize('image size'), fc.maxSafeNat())
  same(sizeOption('size'), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  same(integerOption('refcount_bits'), fc.maxSafeNat())
  same(onOff('extended_l2'), fc.boolean())
})

test.run()
