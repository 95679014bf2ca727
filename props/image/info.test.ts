/** What `info` says is what qemu-img says, of every image of the corpus. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { isObject } from '../../src/bytes/json.js'
import { infoReport, readInfo } from '../../src/image/info.js'
import { infoJson } from '../../src/image/info-json.js'
import { note, suite } from '../run/suite.js'
import { runOn } from './world.js'

const test = suite('info')

const own = ['features', 'extensions', 'findings', 'verdict']
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

test.run()
