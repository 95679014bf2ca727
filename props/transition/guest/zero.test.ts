/** Zeroing, discarding and writing: the L2 entries that each clause gives, and the disk that the abstract machine gives. */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { clause } from '../../../spec/index.js'
import { noise } from '../../../src/fuzz/noise.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import type { HostWrite, Write } from '../../../src/bytes/host-write.js'
import { concat } from '../../../src/bytes/octets.js'
import type { Command } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { diskSize, golden } from './golden-zero.js'
import { beginnings, draws, follow } from '../model/guest-commands.js'
import {
  abstraction,
  countsOf,
  type Files,
  type Machine,
  machineOf,
  newMachine,
  perform,
  perhaps
} from '../model/machine.js'
import { snapshotted } from '../model/snapshotted.js'
import { l2Text } from '../twins/by-qemu.js'

const test = suite('zero')

const traits = { version: 3, grain: 65_536, dataFile: false, backingSize: 0 } as const

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isRight(result)) return result.right
  throw new Error('refused')
}

for (const { clause: id, says, options, backed, commands, entries } of golden)
  test(`${id}: ${says}`, () => {
    const machine = commands.reduce<Machine>(
      (m, c) => right(c === 'snapshot' ? snapshotted(m, 's') : perhaps(m, c)),
      newMachine({ size: diskSize, ...options }, backed === true ? noise(1, 3.5 * 65_536) : undefined)
    )
    const found = l2Text(machine.files)
    for (const [cluster, entry] of Object.entries(entries))
      assert.is(found[Number(cluster)], entry, `cluster ${cluster}: ${clause(id).says}`)
  })

const start = (options: Omit<CreateOptions, 'size'>, commands: readonly (Command | 'snapshot')[]): Machine =>
  commands.reduce<Machine>(
    (m, c) => right(c === 'snapshot' ? snapshotted(m, 's') : perhaps(m, c)),
    newMachine({ size: diskSize, ...options })
  )
const cluster = 65_536
const write: Command = { _tag: 'Write', at: 0, bytes: new Uint8Array(3 * cluster).fill(1) }
const discard: Command = { _tag: 'Discard', at: 0, length: 4 * cluster }

/** What a command does to the files, in order: the file, the bytes, and whether it writes or punches them. */
const deeds = (m: Machine, command: Command): readonly string[] =>
  right(perhaps(m, command)).writes.map((w) => {
    if (w._tag === 'Flush' || w._tag === 'Truncate') return w._tag
    const length = w._tag === 'Write' ? w.bytes.length : w.length
    return `${w._tag} ${w.file.part} 0x${w.at.toString(16)} ${length}`
  })

test('ZD-15: a hole is punched when the change of the entry is durable, or with it in an external data file', () => {
  assert.equal(deeds(start({}, [write]), discard), [
    'Write image 0x40000 512',
    'Flush',
    'Write image 0x20000 512',
    'Punch image 0x50000 196608'
  ])
  assert.equal(deeds(start({ dataFile: { name: 'data.raw', raw: false } }, [write]), discard), [
    'Write image 0x40000 512',
    'Punch data 0x0 196608'
  ])
})

test('a payload is not punched, nor is what a snapshot holds', () => {
  const compressed: Command = { ...write, _tag: 'WriteCompressed' }
  for (const commands of [[compressed], [write, 'snapshot']] as const) {
    const m = start({}, commands)
    assert.not.ok(deeds(m, discard).some((deed) => deed.startsWith('Punch')))
    const { snapshots } = abstraction(right(perhaps(m, discard)).files, traits)
    for (const s of snapshots) assert.is(Buffer.compare(s.content.subarray(0, 3 * cluster), write.bytes), 0)
  }
})

test('DATA-07: the raw disk has its zeros before the entries say so', () => {
  const m = start({ dataFile: { name: 'data.raw', raw: true } }, [write])
  const zero: Command = { ...discard, _tag: 'WriteZeroes', unmap: false }
  assert.equal(deeds(m, discard), ['Punch data 0x0 262144', 'Flush', 'Write image 0x40000 512'])
  assert.equal(deeds(m, zero), ['Write data 0x0 262144', 'Flush', 'Write image 0x40000 512'])
})

/** A write as writes of `size` bytes that change something; what is past the end of the image is zeros. */
const pieces = (files: Files, w: Write, size: number): readonly Write[] =>
  Array.from({ length: Math.ceil(w.bytes.length / size) }, (_, i) => ({
    ...w,
    at: w.at + size * i,
    bytes: w.bytes.subarray(size * i, size * (i + 1))
  })).filter(({ at, bytes }) => bytes.some((b, i) => b !== (files.image[at + i] ?? 0)))

/**
 * What may be there after a crash: any of the sectors written between two flushes, and of the words of a sector in which
 * few of them change.
 */
const crashStates = (files: Files, writes: readonly HostWrite[]): readonly Files[] => {
  const flush = writes.findIndex((w) => w._tag === 'Flush')
  const epoch = flush === -1 ? writes : writes.slice(0, flush)
  const parts = epoch
    .flatMap((w) => (w._tag === 'Write' ? pieces(files, w, 512) : []))
    .flatMap((sector) => {
      const words = pieces(files, sector, 8)
      return words.length <= 4 ? words : [sector]
    })
  assert.ok(parts.length <= 10, `${parts.length} parts`)
  const states = Array.from({ length: 2 ** parts.length }, (_, chosen) =>
    perform(
      files,
      parts.filter((_part, i) => ((chosen >> i) & 1) === 1)
    )
  )
  return [...states, ...(flush === -1 ? [] : crashStates(perform(files, epoch), writes.slice(flush + 1)))]
}

test('zeroing a part of a subcluster after whole ones exposes no other data', () => {
  const unit = 512
  const size = 2 ** 14
  const ones = (from: number, units: number): Command => ({
    _tag: 'Write',
    at: from * unit,
    bytes: new Uint8Array(units * unit).fill(1)
  })
  const empty = newMachine({ size: 2 * size, clusterBits: 14, extendedL2: true }, noise(1, 2 * size))
  // The second write behind the snapshot gives the disk an L2 table of its own.
  const taken = right(snapshotted(right(perhaps(empty, ones(4, 4))), 's'))
  const { files } = right(perhaps(taken, ones(32, 1)))
  const m = machineOf({ ...files, image: concat([files.image, new Uint8Array(4 * size).fill(0x55)]) })
  const done = right(perhaps(m, { _tag: 'WriteZeroes', at: 4 * unit, length: 4.5 * unit, unmap: false }))
  const [before, after] = [m.files, done.files].map((each) => abstraction(each, traits).content)
  const states = crashStates(m.files, done.writes)
  for (const state of states) {
    const { content, snapshots } = abstraction(state, traits)
    assert.ok(content.every((b, i) => b === before?.[i] || b === after?.[i]))
    const held = snapshots.map((s) => s.content.subarray(0, size))
    assert.ok(held.every((bytes) => bytes.every((b, i) => b === before?.[i])))
    assert.is(countsOf(state).corruptions, 0)
  }
  note(`${states.length} crash states`)
})

test('host clusters released from many L2 tables are punched in few holes', () => {
  const size = 2 ** 20
  const options = { size, clusterBits: 9 }
  const all: Command = { _tag: 'Write', at: 0, bytes: new Uint8Array(size).fill(1) }
  const m = right(perhaps(newMachine(options), all))
  const punched = deeds(m, { _tag: 'Discard', at: 0, length: size }).filter((deed) => deed.startsWith('Punch'))
  assert.ok(punched.length < size / 512 / 16, `${punched.length} holes`)
})

/** The image with other bits in the L2 entry of its first guest cluster. */
const withEntry = (m: Machine, bits: bigint): Machine => {
  const image = m.files.image.slice()
  new DataView(image.buffer).setBigUint64(4 * cluster, bits)
  return machineOf({ ...m.files, image })
}

test('an impossible L2 entry is refused by its clause', () => {
  const external = start({ dataFile: { name: 'data.raw', raw: false } }, [write])
  const cases: readonly (readonly [Machine, bigint, string])[] = [
    [start({}, [write]), 0x8000_0000_0005_0200n, 'L2-02'],
    [start({}, [write]), 0x8000_0000_0003_0000n, 'INT-21'],
    [start({}, [write]), 0x8000_0000_0070_0000n, 'REF-07'],
    [external, 0x8000_0000_0002_0000n, 'DATA-04']
  ]
  for (const [m, bits, clause] of cases) {
    const done = perhaps(withEntry(m, bits), discard)
    assert.is(E.isLeft(done) ? done.left[0]?.clause : 'done', clause)
  }
})

test('a range that reaches past the end of the disk is refused', () => {
  const m = start({}, [])
  const beyond: readonly Command[] = [
    { _tag: 'Discard', at: diskSize, length: 512 },
    { _tag: 'WriteZeroes', at: 0, length: diskSize + 1, unmap: true },
    { _tag: 'WriteCompressed', at: 4 * cluster, bytes: new Uint8Array(cluster) }
  ]
  for (const command of beyond) {
    const done = perhaps(m, command)
    assert.is(E.isLeft(done) ? done.left[0]?.clause : 'done', 'RD-01')
  }
})

test('after every command an image has the disk of the abstract machine and no findings', () =>
  holds(fc.property(beginnings, fc.array(draws, { minLength: 1, maxLength: 14, size: 'max' }), follow), { runs: 80 }))

test.run()
