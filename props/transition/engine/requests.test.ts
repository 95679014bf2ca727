/** Requests: what a command asks for of the files that it changes. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromMemory, type Read, runSync } from '../../../src/bytes/plan.js'
import { type AnyCommand, step } from '../../../src/transition/command.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'
import { advance, begin, commandOf, newImages, ops } from '../model/follow.js'
import { type Machine, newMachine, perhaps, right } from '../model/machine.js'

const test = suite('requests')

/** The ranges of the image file that a command asks for. */
const requestsOf = ({ files, opened }: Machine, command: AnyCommand): readonly Read[] => {
  const requests: Read[] = []
  runSync(step(opened, command), {
    read: (r) => {
      if (r.file.depth === 0 && r.file.part === 'image') requests.push(r)
      return fromMemory(r.file.depth > 0 ? files.backing : files[r.file.part])(r)
    },
    emit: () => undefined
  })
  return requests
}

test('a plan requests each sector whole, and once', () => {
  const starts = newImages('plain', 'v2', 'extended', 'data')
  const script = ops('Write', 'Write', 'Resize', 'SnapshotCreate', 'SnapshotDelete')
  const cases = fc.property(starts, script, (start, moves) => {
    moves.reduce((at, op) => {
      const command = commandOf(op, at.disk)
      const sectors = requestsOf(at.machine, command)
        .filter(({ at: from, length }) => (from % 512) + length <= 512)
        .map(({ at: from, length }) => `${from} ${length}`)
      assert.equal(sectors, [...new Set(sectors)])
      assert.ok(sectors.every((s) => s.endsWith(' 512')))
      return advance(at, command)
    }, begin(start))
  })
  holds(cases, { runs: 50 })
})

/** An image of 64 KiB clusters whose first 256 KiB a snapshot shares. */
const shared = (): Machine => {
  const commands: readonly AnyCommand[] = [
    { _tag: 'Write', at: 0, bytes: new Uint8Array(2 ** 18).fill(1) },
    { _tag: 'SnapshotCreate', name: 'a' },
    { _tag: 'Flush' }
  ]
  return commands.reduce<Machine>((m, command) => right(perhaps(m, command)), newMachine({ size: 2 ** 26 }))
}

test('a write reads an L1 entry, L2 entries, refcounts and the bytes around it', () => {
  const write: AnyCommand = { _tag: 'Write', at: 8192, bytes: new Uint8Array(4096).fill(2) }
  const m = shared()
  const copying = requestsOf(m, write)
  // Four sectors of metadata, the L2 table that is copied, the cluster on either side, and the refcount table.
  assert.equal(
    copying.map(({ length }) => length),
    [512, 512, 512, 512, 65_536, 8192, 53_248, 65_536]
  )
  const inPlace = requestsOf(right(perhaps(m, write)), write)
  assert.equal(
    inPlace.map(({ length }) => length),
    [512, 512]
  )
})

test.run()
