/** Several files, and the driver of plans over them. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { flush, type HostWrite } from '../../src/bytes/host-write.js'
import { atDepth, readAt, runSync, emit } from '../../src/bytes/plan.js'
import { apply, sameFiles, storeOf, worldOf } from '../../src/store/files.js'
import { emptyStore, toBytes } from '../../src/store/store.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { changes, data, image } from './changes.js'
import { changedBytes } from './naive.js'

const test = suite('files')

const write = (at: number, file = image): HostWrite => ({ _tag: 'Write', file, at, bytes: Uint8Array.of(at + 1) })

test('a write goes to the file that it names; a missing file is empty', () => {
  const backing = { part: 'image', depth: 1 } as const
  const refs = [image, data, backing]
  holds(
    fc.property(fc.array(fc.oneof(changes(refs, 4, 2), fc.constant(flush))), (done) => {
      const files = apply(done)([])
      for (const ref of refs) {
        const mine = done.flatMap((each) => (each._tag !== 'Flush' && each.file === ref ? [each] : []))
        const wanted = mine.reduce(changedBytes, new Uint8Array(0))
        assert.equal(toBytes(storeOf(files, { ...ref })), wanted)
      }
      assert.ok(sameFiles(files, files.toReversed()))
      assert.is(
        sameFiles(files, []),
        files.every(({ store }) => store.length === 0)
      )
    })
  )
  assert.is(storeOf([], image), emptyStore)
  assert.equal(apply([flush])([]), [])
})

test('a plan reads from the files', () => {
  const emitted: string[] = []
  const files = apply([write(3), write(5, data), write(7, { part: 'data', depth: 1 })])([])
  const plan = function* () {
    const [own] = yield* readAt(3, 1)
    yield* emit('half')
    const parts = [yield* readAt(4, 2, data), yield* atDepth(1, readAt(7, 2, data))]
    return [own, ...parts.map((part) => [...part])]
  }
  const world = worldOf(files, (what: string) => emitted.push(what))
  assert.equal(runSync(plan(), world), E.right([4, [0, 6], [8, 0]]))
  assert.equal(emitted, ['half'])
})

test.run()
