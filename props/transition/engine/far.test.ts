/** Damaged images whose metadata lie where no file reaches: a writer refuses them, by a clause and soon. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { ClauseId } from '../../../spec/index.js'
import { viewOf } from '../../../src/bytes/octets.js'
import { fromMemory, runSync } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import { header } from '../../../src/format/header.js'
import type { Command } from '../../../src/transition/command.js'
import { repair } from '../../../src/transition/repair/repair.js'
import { suite } from '../../run/suite.js'
import { machineOf, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('far')

const { files, opened } = newMachine({ size: 2 ** 20 })
const head = opened.metadata.header

const written: Command = { _tag: 'Write', at: 0, bytes: new Uint8Array(512).fill(1) }

/** Bytes from 2^53 on: what is added to the number of a sector or a cluster there may be lost. */
const far = [2n ** 54n, 2n ** 62n, 2n ** 63n - 2n ** 32n]

/** The clause that refuses a command on an image that was changed. */
const refusedBy = (change: (image: Uint8Array) => void, command: Command, from = files): ClauseId | undefined => {
  const image = from.image.slice()
  change(image)
  const done = perhaps(machineOf({ ...from, image }), command)
  return E.isLeft(done) ? done.left[0]?.clause : undefined
}

test('a refcount block past the end of any file is refused', () => {
  for (const block of far) {
    const change = (image: Uint8Array): void => {
      viewOf(image).setBigUint64(Number(head.refcountTableOffset) + 8, block)
    }
    assert.is(refusedBy(change, { _tag: 'Resize', size: 512 }), 'GEN-05', `${block}`)
  }
})

test('a table past the end of any file is not written', () => {
  for (const l1TableOffset of far) {
    const change = (image: Uint8Array): void => {
      image.set(header.encode({ ...head, l1TableOffset }))
    }
    assert.is(refusedBy(change, written), 'GEN-05', `${l1TableOffset}`)
  }
})

test('bytes past the end of any file are not written', () => {
  const { files: there } = right(perhaps({ files, opened }, written))
  const l2 = Number(viewOf(there.image).getBigUint64(Number(head.l1TableOffset)) & 0xff_ffff_ffff_fe00n)
  for (const at of [2n ** 53n, 2n ** 55n, 2n ** 56n - 2n ** 17n]) {
    const change = (image: Uint8Array): void => {
      viewOf(image).setBigUint64(l2, (1n << 63n) | at)
    }
    assert.is(refusedBy(change, written, there), 'GEN-05', `${at}`)
  }
})

test('a repair asks for nothing past the end of any file', () => {
  const { files: there, opened: saved } = right(perhaps({ files, opened }, { _tag: 'SnapshotCreate', name: 'a' }))
  const image = there.image.slice()
  viewOf(image).setBigUint64(Number(saved.metadata.header.snapshotsOffset), 2n ** 63n)
  viewOf(image).setUint32(Number(saved.metadata.header.snapshotsOffset) + 8, 0)
  const ends: number[] = []
  runSync(repair({ backing: [], decompressor: portable }, image.length, 'all'), {
    read: (r) => {
      ends.push(r.at + r.length)
      return fromMemory(image)(r)
    }
  })
  assert.ok(ends.length > 10)
  assert.equal(
    ends.filter((end) => end > Number.MAX_SAFE_INTEGER),
    []
  )
})

test.run()
