/** The matrix that is kept, and the violations that it shows. */
import * as assert from 'uvu/assert'
import { violations } from '../../spec/violations.js'
import { toHex } from '../../src/bytes/octets.js'
import { filesOf, imageName, loadVectors } from '../../src/node/conform/suite.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { right } from '../image/world.js'
import { suite } from '../run/suite.js'
import { keptMatrix } from './matrix.js'

const test = suite('matrix')

const { readers, vectors: count } = right(keptMatrix())
const { vectors } = right(loadVectors())

const vectorOf = (id: string): Vector => {
  const vector = vectors.find((one) => one.id === id)
  if (vector === undefined) throw new Error(`there is no vector ${id}`)
  return vector
}

test('eleven readers were run on all vectors, and every outcome is in one column', () => {
  assert.is(readers.length, 11)
  assert.is(count, vectors.length)
  for (const { name, count: each, leftOut, failed } of readers) {
    const asked = Object.values(each).reduce((sum, n) => sum + n)
    assert.is(asked + leftOut, count, name)
    assert.is(Object.keys(failed).length, asked - each.right, name)
    for (const id of Object.keys(failed)) vectorOf(id)
  }
})

test('QEMU and the reference read every vector as it must be read', () => {
  const sound = readers.filter(({ name }) => /^(?:QEMU|spec)/.test(name))
  assert.is(sound.length, 4)
  for (const { name, failed } of sound) assert.equal(failed, {}, name)
})

test('this package refuses those alone whose backing format it would have to guess', () => {
  const ours = readers.filter(({ name }) => name.startsWith('qcow2-spec'))
  assert.is(ours.length, 2)
  for (const { failed } of ours)
    for (const [id, found] of Object.entries(failed)) {
      assert.is(found, 'refused', id)
      assert.match(id, /backing-without-format|header-extensions-type-in/)
    }
})

test('there are 15 violations or more, in four programs', () => {
  assert.ok(violations.length >= 15)
  assert.is(new Set(violations.map(({ program }) => program)).size, 4)
})

test('the image of a violation has the bytes that are stated of it', () => {
  for (const { title, vector: id, bytes } of violations) {
    const image = right(filesOf(vectorOf(id))).get(imageName) ?? new Uint8Array()
    for (const [at, hex] of bytes) assert.is(toHex(image.subarray(at, at + hex.length / 2)), hex, `${title}: ${at}`)
  }
})

test('a violation was seen in every version of the program: a disk where none may be, or other bytes', () => {
  for (const { program, title, vector: id, command } of violations) {
    const rows = readers.filter(({ preset }) => preset === program)
    assert.ok(rows.length > 0, program)
    for (const { shown } of rows) {
      const { found = '', at, expected, bytes } = shown[id] ?? {}
      if (command !== undefined) assert.match(found, /Assertion/, title)
      else if (vectorOf(id).result === 'invalid') assert.match(found, /^opened, /, title)
      else {
        assert.match(found, /^other bytes/, title)
        assert.ok(at !== undefined && bytes !== expected, title)
      }
    }
  }
})

test.run()
