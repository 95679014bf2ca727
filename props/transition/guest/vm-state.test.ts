/** VM state that is written: it reads back, guests see nothing of it, and a crash leaves each byte old or new. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { portable } from '../../../src/compression/decompress.js'
import { chainSize } from '../../../src/image/guest/chain.js'
import { activeDisk } from '../../../src/image/guest/extents.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { activeVmState } from '../../../src/image/guest/vm-state.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { holds } from '../../run/holds.js'
import { note, share, suite } from '../../run/suite.js'
import { crashStates } from '../crash/crashes.js'
import {
  countsOf,
  type Files,
  guestOf,
  type Machine,
  machineOf,
  newMachine,
  perhaps,
  right,
  runOver
} from '../model/machine.js'

const test = suite('VM state that is written')

/** Bytes of VM state that a script reaches. */
const reach = 12 * 1024

/** The first bytes of the VM state, and zeros where the L1 table has no room for them. */
const vmState = (files: Files): Uint8Array => {
  const { opened } = machineOf(files)
  const chain = [{ _tag: 'Image', disk: activeVmState(opened.g, activeDisk(opened.metadata, opened.g)) }] as const
  const out = new Uint8Array(reach)
  out.set(right(runOver(files, readGuest(chain, 0, Math.min(reach, chainSize(chain)), portable))))
  return out
}

const scripts = fc.tuple(
  fc.constantFrom<CreateOptions>(
    { size: 8192, clusterBits: 9 },
    { size: 8192, clusterBits: 9, version: 2 },
    { size: 512, clusterBits: 9, refcountOrder: 0 },
    { size: 8192, clusterBits: 14, extendedL2: true }
  ),
  fc.constantFrom(0, 40_960),
  fc.array(
    fc.oneof(
      fc.tuple(
        fc.constant('WriteVmState' as const),
        fc.constantFrom(0, 700, reach - 1500),
        fc.integer({ min: 1, max: 1500 })
      ),
      fc.tuple(fc.constantFrom('Write' as const, 'SnapshotCreate' as const), fc.constant(0), fc.constant(512))
    ),
    { minLength: 3, maxLength: 5 }
  )
)

const commandOf = ([tag, at, length]: readonly [AnyCommand['_tag'], number, number], n: number): AnyCommand => {
  const bytes = new Uint8Array(length).fill(n)
  if (tag === 'WriteVmState') return { _tag: tag, position: at, bytes }
  return tag === 'Write' ? { _tag: tag, at, bytes } : { _tag: 'SnapshotCreate', name: `s${n}` }
}

const isOldOrNew = (found: Uint8Array, old: Uint8Array, now: Uint8Array): boolean =>
  found.every((byte, i) => byte === old[i] || byte === now[i])

test('it reads back, the guest disk stays, and a crash leaves each byte old or new', () => {
  let states = 0
  holds(
    fc.property(scripts, ([options, backing, script]) => {
      const start = newMachine(options, new Uint8Array(backing).fill(0xbb))
      script.reduce<Machine>((m, drawn, i) => {
        const command = commandOf(drawn, i + 1)
        const done = perhaps(m, command)
        share('commands carried out', 0.5, done._tag === 'Right')
        if (done._tag === 'Left') return m
        const [old, now] = [vmState(m.files), vmState(done.right.files)]
        const { corruptions, leaks, checkErrors } = countsOf(done.right.files)
        assert.equal([corruptions, leaks, checkErrors], [0, 0, 0])
        if (command._tag !== 'WriteVmState') {
          assert.equal(now, old)
          return done.right
        }
        const guest = guestOf(m.files)
        for (const files of crashStates(m.files, done.right.writes)) {
          states++
          assert.ok(isOldOrNew(vmState(files), old, now), 'VM state is neither old nor new')
          assert.equal(guestOf(files), guest)
          assert.is(countsOf(files).corruptions, 0)
        }
        old.set(command.bytes, command.position)
        assert.equal(now, old)
        assert.equal(guestOf(done.right.files), guest)
        return done.right
      }, start)
    }),
    { runs: 30 }
  )
  note(`${states} crash states`)
})

test.run()
