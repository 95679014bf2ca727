/** What `info` says is what qemu-img says, of every image of the corpus. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { isObject } from '../../src/bytes/json.js'
import { padded, viewOf } from '../../src/bytes/octets.js'
import { infoReport, readInfo } from '../../src/image/info.js'
import { infoJson } from '../../src/image/info-json.js'
import { holds } from '../run/holds.js'
import { note, suite } from '../run/suite.js'
import { runOn } from './world.js'

const test = suite('info')

const own = ['features', 'extensions', 'findings', 'notes', 'verdict']
/** The host's own number, and a name QEMU spells out anew when it is JSON. */
const notCompared = (key: string, value: unknown): boolean =>
  key === 'actual-size' || (key === 'full-backing-filename' && String(value).startsWith('json:'))

test('an image is refused exactly where qemu-img refuses it', () => {
  let refused = 0
  for (const name of names()) {
    const { expect, image } = load(name)
    const info = runOn(image, readInfo())
    const ours = E.isLeft(info) || info.right.refused !== undefined
    assert.is(ours, expect.info.exit !== 0, `${name}: ${expect.info.stderr}`)
    if (ours) refused++
  }
  assert.ok(refused > 40)
  note(`${refused} of ${names().length} images refused, as by qemu-img`)
})

test('the fields of a header that decodes are reported also where the image is refused', () => {
  for (const name of ['broken-l1-short', 'broken-incompatible-bit-5']) {
    const info = runOn(load(name).image, readInfo())
    assert.ok(E.isRight(info) && info.right.refused !== undefined, name)
    assert.is(E.isRight(info) && info.right.metadata.header.version, 3)
  }
})

test('every key of qemu-img has the value of qemu-img', () => {
  let compared = 0
  for (const name of names()) {
    const { expect, image } = load(name)
    const said = expect.info.stdout
    const info = runOn(image, readInfo())
    if (!isObject(said) || E.isLeft(info)) continue
    const ours: unknown = JSON.parse(
      JSON.stringify(
        infoJson(infoReport(info.right, { filename: 'img.qcow2', length: image.length, fullName: (n) => n }))
      )
    )
    assert.ok(isObject(ours))
    for (const [key, value] of Object.entries(said)) {
      if (notCompared(key, value)) continue
      assert.equal(ours[key], value, `${name}: ${key}`)
      compared++
    }
    const extra = Object.keys(ours).filter((key) => !(key in said) && !own.includes(key))
    assert.equal(extra, [], name)
  }
  assert.ok(compared > 3000)
  note(`${compared} values compared`)
})

/** What is known of an image, and the JSON of the report on it; `undefined` where there is no header. */
const reported = (image: Uint8Array) => {
  const info = runOn(image, readInfo())
  if (E.isLeft(info)) return undefined
  const report = infoReport(info.right, { filename: 'img.qcow2', length: image.length, fullName: (n) => n })
  return { info: info.right, report, text: JSON.stringify(infoJson(report), undefined, 4) }
}

const numbers = fc.record({
  /** Bytes of the file. */
  length: fc.integer({ min: 104, max: 8192 }),
  snapshots: fc.constantFrom(0, 100, 65536),
  /** Sector of the snapshot table. */
  table: fc.nat(32),
  features: fc.tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n)),
  /** What the bytes after the header are. */
  rest: fc.oneof(fc.constant(0), fc.constant(1), fc.nat(255)),
  directory: fc.boolean()
})

test('a report on a refused image is in proportion to its file, and lists nothing past its end', () => {
  let refused = 0
  const { image } = load('matrix-512-w1-v3-zlib')
  holds(
    fc.property(numbers, ({ length, snapshots, table, features: [known, cleared], rest, directory }) => {
      const bytes = new Uint8Array(length).fill(rest)
      bytes.set(image.subarray(0, Math.min(length, 112)))
      const view = viewOf(padded(bytes, 8192))
      view.setUint32(56, 2 ** 31)
      view.setUint32(60, snapshots)
      view.setBigUint64(64, BigInt(512 * table))
      view.setBigUint64(72, known & ~0x1fn)
      view.setBigUint64(88, directory ? cleared | 1n : cleared)
      view.setUint32(100, 112)
      if (directory) {
        view.setUint32(112, 0x23852875)
        view.setUint32(116, 24)
        view.setUint32(120, 65535)
        view.setUint32(124, 0)
        view.setBigUint64(128, 65535n * 24n)
        view.setBigUint64(136, 512n)
      }
      const found = reported(new Uint8Array(view.buffer, 0, length))
      if (found?.info.refused === undefined) return
      refused++
      const { info, report, text } = found
      assert.ok(text.length <= 2 ** 16 * Math.ceil(length / 4096), `${text.length} bytes`)
      assert.ok(report.metadata.issues.every((issue) => issue.at < length))
      assert.ok(info.metadata.issues.length <= 1000, 'no more than some issues of each clause are kept')
    }),
    { runs: 30 }
  )
  assert.ok(refused > 0)
})

test.run()
