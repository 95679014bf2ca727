/** Damaged images whose metadata lie where no file reaches: a writer refuses them, by a clause and soon. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { ClauseId } from '../../spec/index.js'
import { viewOf } from '../../src/bytes/octets.js'
import { header } from '../../src/format/header.js'
import type { Command } from '../../src/transition/command.js'
import { suite } from '../suite.js'
import { machineOf, newMachine, perhaps } from './machine.js'

const test = suite('far')

const { files, opened } = newMachine({ size: 2 ** 20 })
const head = opened.metadata.header

/** Bytes from 2^53 on: what is added to the number of a sector or a cluster there may be lost. */
const far = [2n ** 54n, 2n ** 62n, 2n ** 63n - 2n ** 32n]

/** The clause that refuses a command on an image that was changed. */
const refusedBy = (change: (image: Uint8Array) => void, command: Command): ClauseId | undefined => {
  const image = files.image.slice()
  change(image)
  const done = perhaps(machineOf({ ...files, image }), command)
  return E.isLeft(done) ? done.left[0]?.clause : undefined
}

test('a refcount block behind the end of any file is refused', () => {
  for (const block of far) {
    const change = (image: Uint8Array): void => {
      viewOf(image).setBigUint64(Number(head.refcountTableOffset) + 8, block)
    }
    assert.is(refusedBy(change, { _tag: 'Resize', size: 512 }), 'REF-04', `${block}`)
  }
})

test('a table behind the end of any file is not written', () => {
  for (const l1TableOffset of far) {
    const change = (image: Uint8Array): void => {
      image.set(header.encode({ ...head, l1TableOffset }))
    }
    assert.is(refusedBy(change, { _tag: 'Write', at: 0, bytes: new Uint8Array(512) }), 'GEN-05', `${l1TableOffset}`)
  }
})

test.run()
