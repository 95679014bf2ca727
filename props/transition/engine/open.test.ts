/** Opening for writing: what an image's feature bits forbid, and what they oblige a writer to. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { portable } from '../../../src/compression/decompress.js'
import { type Header, header } from '../../../src/format/header.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import { open } from '../../../src/transition/engine/open.js'
import { suite } from '../../run/suite.js'
import { type Files, machineOf, newMachine, perhaps, right, runOver } from '../model/machine.js'

const test = suite('open')

const { files, opened } = newMachine({ size: 2 ** 20 })
const head = opened.metadata.header

const withHeader = (change: Partial<Header>): Files => {
  const image = files.image.slice()
  image.set(header.encode({ ...head, ...change }))
  return { ...files, image }
}

const headerOf = ({ image }: Files): Header => {
  const read = header.decode(image)
  if (E.isLeft(read)) throw new Error('no header')
  return read.right
}

test('unknown autoclear bits are cleared before anything is written, and no others', () => {
  const { autoclearFeatures } = head
  for (const reserved of [1n << 2n, 1n << 40n, 1n << 63n]) {
    const machine = machineOf(withHeader({ autoclearFeatures: { ...autoclearFeatures, reserved } }))
    assert.equal(headerOf(machine.files), head)
    const written = right(perhaps(machine, { _tag: 'Write', at: 0, bytes: new Uint8Array(512).fill(1) }))
    assert.is(headerOf(written.files).autoclearFeatures.reserved, 0n)
  }
})

const options = { backing: [], decompressor: portable }

test('an image that is dirty or marked corrupt is not opened', () => {
  const { incompatibleFeatures } = head
  for (const [bit, clause] of [['dirty', 'FEAT-04'] as const, ['corrupt', 'FEAT-05'] as const]) {
    const marked = withHeader({ incompatibleFeatures: { ...incompatibleFeatures, [bit]: true } })
    const done = runOver(marked, open(options))
    assert.is(E.isLeft(done) ? done.left[0]?.clause : undefined, clause)
  }
})

test('an image that fails several opening checks is refused by the first of them', () => {
  const { incompatibleFeatures } = head
  const clausesOf = (marks: Partial<typeof incompatibleFeatures>): readonly string[] => {
    const incompatible = { ...incompatibleFeatures, extendedL2: true, ...marks }
    const done = runOver(withHeader({ clusterBits: 13, incompatibleFeatures: incompatible }), open(options))
    return E.isLeft(done) ? done.left.map(({ clause }) => clause) : []
  }
  assert.equal(clausesOf({}), ['SUB-01'])
  assert.equal(clausesOf({ dirty: true }), ['SUB-01'])
  assert.equal(clausesOf({ corrupt: true }), ['FEAT-05'])
  assert.equal(clausesOf({ corrupt: true, reserved: 1n << 60n }), ['FEAT-01'])
})

test('where bitmaps are missing that the header promises, the header alone may be written', () => {
  const { autoclearFeatures } = head
  const machine = machineOf(withHeader({ autoclearFeatures: { ...autoclearFeatures, bitmaps: true } }))
  const clausesOf = (command: AnyCommand): readonly string[] => {
    const done = perhaps(machine, command)
    return E.isLeft(done) ? done.left.map(({ clause }) => clause) : []
  }
  const bytes = new Uint8Array(512).fill(1)
  assert.equal(clausesOf({ _tag: 'Write', at: 0, bytes }), ['FEAT-07'])
  assert.equal(clausesOf({ _tag: 'BitmapAdd', name: 'b', granularity: 65_536, enabled: true }), ['FEAT-07'])
  assert.equal(clausesOf({ _tag: 'SnapshotCreate', name: 's' }), ['FEAT-07'])
  assert.equal(clausesOf({ _tag: 'Discard', at: 0, length: 65_536 }), [])
  assert.equal(clausesOf({ _tag: 'Amend', options: { lazyRefcounts: true } }), [])
})

test.run()
