/** QEMU under the crash explorer: what its log of writes says, and that known orders of writes are found in it. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { viewOf } from '../../src/bytes/octets.js'
import { promiseOf } from '../../src/crash/explore.js'
import { apply, storeOf } from '../../src/store/files.js'
import { read } from '../../src/store/store.js'
import type { Move } from '../arbitrary/script.js'
import type { Shape } from '../arbitrary/shape.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { recordQemu } from './record.js'
import { linesOf } from './report.js'
import { shortest, violationIn } from './search.js'
import { writesOf } from './write-log.js'

const test = suite('QEMU and crashes')

const file = { part: 'image', depth: 0 } as const

/** A log of entries: sector, sectors, flags, and the byte that fills what was written. */
const logOf = (entries: readonly (readonly [number, number, number, number?])[]): Uint8Array => {
  const sectors = entries.flatMap(([at, length, flags, fill]) => {
    const head = new Uint8Array(512)
    for (const [i, word] of [at, length, flags, 0].entries()) viewOf(head).setBigUint64(8 * i, BigInt(word), true)
    return [head, ...(fill === undefined ? [] : [new Uint8Array(512 * length).fill(fill)])]
  })
  const head = new Uint8Array(512)
  viewOf(head).setBigUint64(0, 0x6a_7366_7773_6872n, true)
  viewOf(head).setBigUint64(8, 1n, true)
  viewOf(head).setBigUint64(16, BigInt(entries.length), true)
  viewOf(head).setUint32(24, 512, true)
  return new Uint8Array(Buffer.concat([head, ...sectors]))
}

const log = logOf([
  [3, 2, 0, 7],
  [0, 0, 1],
  [3, 1, 4]
])

test('a log lists writes, flushes and discards in their order', () => {
  assert.equal(
    writesOf(log, file),
    E.right([
      { _tag: 'Write', file, at: 1536, bytes: new Uint8Array(1024).fill(7) },
      { _tag: 'Flush' },
      { _tag: 'Punch', file, at: 1536, length: 512 }
    ])
  )
})

test('a file that is no log, or a truncated one, is refused', () => {
  const other = log.slice()
  other[0] = 0
  for (const [bytes, why] of [
    [other, 'not a log of writes'],
    [log.subarray(0, 20), 'a log of 20 bytes'],
    [log.subarray(0, 1500), 'the bytes of entry 0 lie past the end of the log'],
    [log.subarray(0, log.length - 1), 'entry 2 lies past the end of the log'],
    [logOf([[0, 1, 2, 7]]), 'entry 0 has flags 2']
  ] as const)
    assert.equal(writesOf(bytes, file), E.left(why))
})

const shape: Shape = { options: { size: 8192, clusterBits: 9 }, backing: 0 }

/** A move to guest byte `at` of a disk of 8192 bytes. */
const move = (kind: Move['kind'], at: number, size: number): Move => ({
  kind,
  where: at * 8,
  size: Math.log2(size),
  off: 0,
  which: 1
})

const effort = { exhaustive: 512, sample: 64, seed: 1 }

needsQemu(test)('the writes of a log lead to the image that QEMU leaves', () => {
  const moves = [
    move('Write', 0, 4096),
    move('SnapshotCreate', 0, 512),
    move('Write', 512, 1024),
    move('Discard', 0, 2048)
  ]
  const { before, writes, image } = recordQemu(shape, moves)
  const after = storeOf(apply(writes)(before), file)
  assert.ok(writes.length > 20)
  assert.equal(read(after, 0, image.length), image)
})

needsQemu(test)('a write that is cut short shows old bytes or new ones', () => {
  assert.is(
    violationIn(recordQemu(shape, [move('Write', 0, 4096), move('Flush', 0, 1), move('Write', 512, 2048)]), effort),
    undefined
  )
})

needsQemu(test)(
  'a payload whose space is given back before the L2 entry lets go of it is found, by the shortest script',
  () => {
    const moves = [
      move('Write', 4096, 512),
      move('WriteCompressed', 0, 512),
      move('Flush', 0, 1),
      move('Discard', 0, 512)
    ]
    const recording = recordQemu(shape, moves)
    const violation = violationIn(recording, effort)
    if (violation === undefined) throw new Error('no violation')
    assert.is(promiseOf(violation.why), 'C4 [CMP-09]')
    const found = shortest({ shape, moves, recording, violation }, effort)
    assert.equal(
      found.recording.commands.map(({ _tag }) => _tag),
      ['WriteCompressed', 'Discard']
    )
    assert.match(linesOf(found).join('\n'), /on the disk  punch 512 bytes at [0-9]+\n    lost         write/)
  }
)

test.run()
