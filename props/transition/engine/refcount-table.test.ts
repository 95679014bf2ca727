/** The refcount table: where a table needs more blocks than one of them has refcounts, they become part of the image in turn. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { fromMemory, runSync } from '../../../src/bytes/plan.js'
import { check } from '../../../src/image/check/check.js'
import { crashStates } from '../../../src/store/crash.js'
import { epochsOf } from '../../../src/store/epoch.js'
import { storeOf } from '../../../src/store/files.js'
import { toBytes } from '../../../src/store/store.js'
import { note, suite } from '../../run/suite.js'
import { countsOf, perhaps, right } from '../model/machine.js'
import { begin, stored } from '../model/recording.js'

const test = suite('refcount-table')

/** A block has 64 refcounts. So many clusters are leaked that the refcount table has just grown, and has room. */
const start = begin({
  options: { size: 2 ** 20, clusterBits: 9, refcountOrder: 6 },
  backing: 0,
  leaked: 20_000
}).machine
/** The L1 table of 9 GiB takes 4608 clusters, for which 74 blocks are added. */
const grown = right(perhaps(start, { _tag: 'Resize', size: 9 * 2 ** 30 }))

/** Corruptions of an image, as the checker counts them. */
const corruptionsIn = (image: Uint8Array): number => {
  const report = runSync(check(image.length), { read: fromMemory(image) })
  return E.isRight(report) && E.isRight(report.right) ? report.right.right.corruptions : -1
}

test('a table of more blocks than a block has refcounts leaves nothing wrong', () => {
  assert.is(countsOf(grown.files).corruptions, 0)
  assert.is(grown.opened.metadata.header.refcountTableOffset, start.opened.metadata.header.refcountTableOffset)
})

test('no crash leaves a block without its refcount', () => {
  const seen = { epochs: 0, states: 0 }
  for (const epoch of epochsOf(stored(start.files), grown.writes)) {
    // The first epoch writes what nothing points to: thousands of sectors.
    if (epoch.cells.length > 100) continue
    seen.epochs++
    for (const { files } of crashStates('P2', epoch, { exhaustive: 64, sample: 4, seed: 1 })) {
      seen.states++
      assert.is(corruptionsIn(toBytes(storeOf(files, { part: 'image', depth: 0 }))), 0)
    }
  }
  note(`${seen.epochs} epochs, ${seen.states} states`)
  assert.ok(seen.epochs >= 5)
})

test.run()
