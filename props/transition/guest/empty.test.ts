/** Emptying: the disk becomes the backing file's, in every state that a crash may leave cluster by cluster. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { AnyCommand } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { suite } from '../../run/suite.js'
import { crashStates } from '../crash/crashes.js'
import { marked } from '../model/follow.js'
import { traits } from '../engine/heads.js'
import { abstraction, countsOf, type Machine, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('empty')

const size = 200 * 512
const below = marked(1, size - 5000)

const script = (compressed: boolean): readonly AnyCommand[] => [
  { _tag: 'Write', at: 700, bytes: new Uint8Array(20_000).fill(7) },
  { _tag: 'SnapshotCreate', name: 'kept' },
  { _tag: 'Write', at: 0, bytes: new Uint8Array(3000).fill(8) },
  { _tag: 'WriteZeroes', at: 40_960, length: 8192, unmap: true },
  ...(compressed ? [{ _tag: 'WriteCompressed', at: 65_536, bytes: new Uint8Array(32_768).fill(9) } as const] : []),
  { _tag: 'Write', at: size - 512, bytes: new Uint8Array(512).fill(6) }
]

const geometries: readonly CreateOptions[] = [
  { size, clusterBits: 9 },
  { size, clusterBits: 9, refcountOrder: 1 },
  { size, clusterBits: 12, version: 2 },
  { size, clusterBits: 14, extendedL2: true }
]

const after = (options: CreateOptions, keeping: boolean): Machine =>
  script(true)
    .filter(({ _tag }) => keeping || _tag !== 'SnapshotCreate')
    .reduce((m: Machine, command) => right(perhaps(m, command)), newMachine(options, below))

test('an emptied disk reads as its backing file, snapshots stay, and nothing leaks', () => {
  for (const options of geometries)
    for (const keeping of [true, false]) {
      const m = after(options, keeping)
      const { files } = right(perhaps(m, { _tag: 'MakeEmpty' }))
      const { content, snapshots } = abstraction(files, traits)
      const wanted = new Uint8Array(size)
      wanted.set(below)
      assert.equal(content, wanted)
      assert.equal(snapshots, abstraction(m.files, traits).snapshots)
      const { corruptions, leaks, checkErrors, allocatedClusters } = countsOf(files)
      assert.equal([corruptions, leaks, checkErrors], [0, 0, 0])
      assert.is(allocatedClusters, 0)
      if (!keeping) assert.ok(files.image.length < m.files.image.length)
      right(perhaps(right(perhaps(m, { _tag: 'MakeEmpty' })), { _tag: 'Write', at: 0, bytes: new Uint8Array(512) }))
    }
})

test('after a crash each sector has its old contents or those of the backing file, without corruption', () => {
  let states = 0
  for (const keeping of [true, false]) {
    const m = after({ size, clusterBits: 12 }, keeping)
    const old = abstraction(m.files, traits)
    const { writes, files } = right(perhaps(m, { _tag: 'MakeEmpty' }))
    const now = abstraction(files, traits)
    for (const state of crashStates(m.files, writes)) {
      const { content, snapshots } = abstraction(state, traits)
      assert.is(countsOf(state).corruptions, 0)
      assert.equal(snapshots, old.snapshots)
      for (let at = 0; at < size; at += 512) {
        const sector = Buffer.from(content.subarray(at, at + 512))
        const either = [old, now].some(({ content: c }) => sector.equals(c.subarray(at, at + 512)))
        assert.ok(either, `sector at ${at}`)
      }
      states++
    }
  }
  assert.ok(states > 10)
})

test('raw external data cannot be left out', () => {
  const done = perhaps(newMachine({ size, dataFile: { name: 'data.raw', raw: true } }), { _tag: 'MakeEmpty' })
  assert.is(E.isLeft(done) && done.left[0]?.clause, 'DATA-06')
})

test.run()
