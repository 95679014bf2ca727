/** The crash states of an epoch are those that the models define, each once; all of them if they are few. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { flush, type HostWrite, type Punch, type Truncate, type Write } from '../../src/bytes/host-write.js'
import { crashStates, type Effort, explore, type Model, usualEffort } from '../../src/store/crash.js'
import type { CrashState } from '../../src/store/disk.js'
import { type Epoch, epochsOf } from '../../src/store/epoch.js'
import { apply, type FileChange, type Files, sameFiles, storeOf } from '../../src/store/files.js'
import { differing, fromBytes, toBytes } from '../../src/store/store.js'
import { noise } from '../../src/fuzz/noise.js'
import { holds } from '../run/holds.js'
import { note, suite } from '../run/suite.js'
import { changes, contents, data, image } from './changes.js'
import { naiveStates } from './naive-states.js'

const test = suite('crash states')

const both = [image, data]
const sound = ['P0', 'P1', 'P2', 'P3'] as const
const fully: Effort = { exhaustive: Infinity, sample: 0, seed: 1 }
const barely: Effort = { ...usualEffort, exhaustive: 0, sample: 20 }

const filesOf = (...bytes: readonly Uint8Array[]): Files =>
  bytes.flatMap((each, i) => both.slice(i, i + 1).map((file) => ({ file, store: fromBytes(each) })))

/** The length, and each byte that differs from the one before it, with its offset. */
const runsOf = (bytes: Uint8Array): string => {
  let text = `${bytes.length}:`
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== bytes[i - 1]) text += ` ${i} ${bytes[i] ?? 0}`
  return text
}
const keyOf = (bytes: readonly Uint8Array[]): string => bytes.map(runsOf).join(', ')
const keyOfFiles = (files: Files): string => keyOf(both.map((file) => toBytes(storeOf(files, file))))

const firstEpoch = (before: Files, writes: readonly HostWrite[]): Epoch => {
  const [epoch] = epochsOf(before, writes)
  if (epoch === undefined) throw new Error('no epoch')
  return epoch
}

const statesOf = (model: Model, before: Files, writes: readonly HostWrite[], effort = fully): readonly CrashState[] => [
  ...crashStates(model, firstEpoch(before, writes), effort)
]
const keysOf = (...args: Parameters<typeof statesOf>): ReadonlySet<string> =>
  new Set(statesOf(...args).map(({ files }) => keyOfFiles(files)))

const within = (some: ReadonlySet<string>, all: ReadonlySet<string>): boolean => [...some].every((key) => all.has(key))

const write = (at: number, bytes: Uint8Array): Write => ({ _tag: 'Write', file: image, at, bytes })

/** An epoch of two small files: few pieces of changes, often in one sector. */
const small = (most: number) =>
  fc.record({
    before: fc.tuple(contents(4), contents(2)),
    done: fc.array(
      fc.oneof({ weight: 4, arbitrary: changes([image], 3, 1) }, { weight: 1, arbitrary: changes([data], 1, 1) }),
      { maxLength: most, size: 'max' }
    )
  })

const larger = fc.record({
  before: fc.tuple(contents(20), contents(4)),
  done: fc.array(changes(both, 24, 3), { minLength: 4, maxLength: 20, size: 'max' })
})

/** Writes that change one sector each: the first `count` ones. */
const apart = (count: number): readonly Write[] =>
  Array.from({ length: count }, (_, i) => write(512 * i + 8 * i, noise(i, 8)))
const blank = filesOf(new Uint8Array(30 * 512))

for (const [model, most, runs] of [
  ['P0', 5, 300],
  ['P1', 5, 300],
  ['P2', 4, 200],
  ['P3', 2, 60]
] as const)
  test(`the states of ${model} are those of its definition`, () => {
    holds(
      fc.property(small(most), ({ before, done }) => {
        const found = statesOf(model, filesOf(...before), done).map(({ files }) => keyOfFiles(files))
        const wanted = naiveStates(model, both, before, done).map(keyOf)
        assert.equal(found.toSorted(), [...new Set(wanted)].sort())
      }),
      { runs }
    )
  })

const cut = (length: number): Truncate => ({ _tag: 'Truncate', file: image, length })
const punch = (at: number, length: number): Punch => ({ _tag: 'Punch', file: image, at, length })

/** Changes of one sector or of one length. The file has three sectors and a half before. */
const corners: Readonly<Record<string, readonly FileChange[]>> = {
  'the same write on either side of a truncation': [write(512, noise(1, 8)), cut(512), write(512, noise(1, 8))],
  'the same write past the end on either side of one': [write(2048, noise(1, 8)), cut(1000), write(2048, noise(1, 8))],
  'a write that is there already, behind a truncation': [cut(512), write(1024, noise(0, 512))],
  'a write past the end, and a truncation to where it ends': [write(2048, noise(1, 8)), cut(2056)],
  'a truncation to the same length, behind another': [cut(100), cut(100)],
  'a file that shrinks and grows again': [cut(100), cut(1792), punch(1024, 512)],
  'a write past the end, one before it, and a truncation between': [
    write(2048, noise(1, 8)),
    cut(1000),
    write(2100, noise(1, 8))
  ],
  'zeros past the end, and a punched range in them': [write(2048, new Uint8Array(520)), punch(2040, 512)],
  'a sector that becomes what it was': [write(0, noise(1, 8)), write(0, noise(0, 8)), write(512, noise(1, 8))],
  'a write into a hole past the end': [write(4000, noise(1, 8)), write(3000, noise(1, 8))]
}

for (const [title, done] of Object.entries(corners))
  test(`${title}: the states of each model are those of its definition`, () => {
    const before = [noise(0, 1792), noise(0, 0)]
    for (const model of sound) {
      const found = statesOf(model, filesOf(...before), done).map(({ files }) => keyOfFiles(files))
      assert.equal(found.toSorted(), [...new Set(naiveStates(model, both, before, done).map(keyOf))].sort(), model)
    }
  })

test('each model has all states of the one before', () => {
  holds(
    fc.property(small(4), ({ before, done }) => {
      const found = sound.map((model) => keysOf(model, filesOf(...before), done))
      found.slice(1).forEach((states, i) => assert.ok(within(found[i] ?? new Set(), states)))
    }),
    { runs: 50 }
  )
})

test('states are distinct; the first is the one before the epoch, and those of P0 up to the one after it are among them', () => {
  const any = fc.oneof(small(4), larger)
  holds(
    fc.property(any, fc.constantFrom(...sound), fc.nat(), ({ before, done }, model, seed) => {
      const files = filesOf(...before)
      const states = statesOf(model, files, done, { exhaustive: 64, sample: 20, seed })
      const keys = new Set(states.map((state) => keyOfFiles(state.files)))
      assert.is(keys.size, states.length)
      assert.ok(states[0] !== undefined && sameFiles(states[0].files, files))
      assert.ok(within(keysOf('P0', files, done), keys))
      assert.ok(keys.has(keyOfFiles(apply(done)(files))))
    })
  )
})

test('digests are equal if and only if the files are, across the epochs of a list', () => {
  const lists = fc.record({
    before: fc.tuple(contents(4), contents(2)),
    done: fc.array(fc.oneof(changes(both, 4, 2), fc.constant(flush)), { maxLength: 10, size: 'max' })
  })
  holds(
    fc.property(lists, ({ before, done }) => {
      const keys = new Map<number, string>()
      const digests = new Map<string, number>()
      const effort = { exhaustive: 100, sample: 20, seed: 1 }
      explore(
        'P2',
        filesOf(...before),
        done,
        ({ files, digest }) => {
          const key = keyOfFiles(files)
          assert.is(keys.get(digest) ?? key, key)
          assert.is(digests.get(key) ?? digest, digest)
          keys.set(digest, key)
          digests.set(key, digest)
        },
        effort
      )
    })
  )
})

test('n sectors written once have n + 1 states in P0, 2^n in P1 and P2', () => {
  for (let n = 0; n <= 12; n++) {
    assert.is(statesOf('P0', blank, apart(n)).length, n + 1)
    assert.is(statesOf('P1', blank, apart(n)).length, 2 ** n)
    assert.is(statesOf('P2', blank, apart(n)).length, 2 ** n)
  }
})

test('one write of n sectors is all or nothing in P1, and torn between sectors in P2', () => {
  for (const n of [1, 2, 5]) {
    assert.is(statesOf('P1', blank, [write(0, noise(1, 512 * n))]).length, 2)
    assert.is(statesOf('P2', blank, [write(0, noise(1, 512 * n))]).length, 2 ** n)
  }
})

test('a sector written n times has n + 1 states, none with a later write but without an earlier one', () => {
  const writes = Array.from({ length: 6 }, (_, i) => write(8 * i, Uint8Array.of(i + 1)))
  for (const model of ['P0', 'P1', 'P2'] as const) {
    const states = statesOf(model, blank, writes).map(({ files }) => toBytes(storeOf(files, image)))
    const there = states.map((bytes) => writes.filter(({ at }) => bytes[at] !== 0).length)
    assert.equal(there.toSorted(), [0, 1, 2, 3, 4, 5, 6])
    states.forEach((bytes, i) => assert.ok(writes.slice(0, there[i]).every(({ at }) => bytes[at] !== 0)))
  }
})

test('a sector is torn after each 8 bytes that differ, in both directions; with one such word it is not', () => {
  assert.is(statesOf('P3', blank, [write(0, noise(1, 512))]).length, 2 + 2 * 63)
  assert.is(statesOf('P3', blank, [write(3, noise(1, 5))]).length, 2)
  assert.is(statesOf('P3', blank, [write(3, noise(1, 6))]).length, 4)
  assert.is(statesOf('P3', blank, [write(0, noise(1, 16)), write(512, noise(2, 16))]).length, 4 + 2 * 2 * 2)
})

test('a change that changes nothing gives no states', () => {
  const same = [write(100, new Uint8Array(2000)), { _tag: 'Truncate', file: image, length: 30 * 512 } as const]
  assert.is(statesOf('P3', blank, same).length, 1)
  assert.is(statesOf('P2', blank, [...apart(3), ...apart(3), ...same]).length, 8)
})

test('a truncation may be durable without the writes before it', () => {
  const files = filesOf(noise(1, 1024))
  const done: readonly HostWrite[] = [write(0, noise(2, 8)), { _tag: 'Truncate', file: image, length: 512 }]
  const keys = keysOf('P1', files, done)
  assert.is(keys.size, 4)
  assert.ok(keys.has(keyOfFiles(filesOf(noise(1, 512)))))
})

test('consecutive states differ in one sector', () => {
  const states = statesOf('P2', blank, [...apart(8), write(0, noise(9, 9))])
  assert.is(states.length, 3 * 2 ** 7)
  for (const [i, state] of states.entries()) {
    const last = states[i - 1]
    if (last !== undefined) assert.is(differing(storeOf(last.files, image), storeOf(state.files, image)).length, 1)
  }
})

test('too many states are sampled, with each sector alone and each sector missing alone', () => {
  const before = filesOf(new Uint8Array(13 * 512))
  const all = keysOf('P2', before, apart(13))
  const some = keysOf('P2', before, apart(13), { ...barely, sample: 500 })
  assert.ok(within(some, all) && some.size < all.size)
  for (const one of apart(13)) {
    assert.ok(some.has(keyOfFiles(apply([one])(before))))
    assert.ok(some.has(keyOfFiles(apply(apart(13).filter(({ at }) => at !== one.at))(before))))
    for (const other of apart(13)) assert.ok(some.has(keyOfFiles(apply([one, other])(before))))
  }
  holds(
    fc.property(small(2), fc.constantFrom(...sound), fc.nat(), ({ before: bytes, done }, model, seed) => {
      const files = filesOf(...bytes)
      assert.ok(within(keysOf(model, files, done, { ...barely, seed }), keysOf(model, files, done)))
    })
  )
})

test('above the state limit, each torn write is explored with the other sectors old, new and in between', () => {
  const writes = apart(12)
  const some = keysOf('P3', blank, [...writes, write(512 * 12, noise(2, 16)), ...apart(25).slice(13)], {
    ...barely,
    sample: 0
  })
  for (const there of [[], writes, [...writes, ...apart(25).slice(13)]]) {
    assert.ok(some.has(keyOfFiles(apply([...there, write(512 * 12, noise(2, 8))])(blank))))
    assert.ok(some.has(keyOfFiles(apply([...there, write(512 * 12 + 8, noise(2, 16).subarray(8))])(blank))))
  }
})

test('the same seed gives the same states in the same order, and another seed others', () => {
  const digests = (seed: number): readonly number[] =>
    statesOf('P3', blank, apart(25), { ...barely, sample: 50, seed }).map(({ digest }) => digest)
  assert.equal(digests(1), digests(1))
  assert.not.equal(digests(1), digests(2))
})

test('a flush makes the writes before it durable; without flushes a later write may be durable without an earlier one', () => {
  const writes = [write(0, Uint8Array.of(1)), flush, write(512, Uint8Array.of(1))]
  const heldIn = (model: Model): readonly string[] => {
    const held: string[] = []
    explore(model, blank, writes, ({ files }) => {
      const bytes = toBytes(storeOf(files, image))
      held.push(`${bytes[0] ?? 0}${bytes[512] ?? 0}`)
    })
    return held
  }
  for (const model of sound) assert.equal(heldIn(model).toSorted(), ['00', '10', '10', '11'])
  assert.equal(heldIn('P4').toSorted(), ['00', '01', '10', '11'])
})

test('every state of an epoch has all that was flushed before it', () => {
  const lists = fc.array(
    fc.oneof({ weight: 3, arbitrary: changes(both, 6, 2) }, { weight: 1, arbitrary: fc.constant(flush) }),
    {
      maxLength: 12,
      size: 'max'
    }
  )
  holds(
    fc.property(fc.tuple(contents(5), contents(2)), lists, (bytes, done) => {
      const before = filesOf(...bytes)
      const epochs = epochsOf(before, done)
      assert.is(epochs.length, 1 + done.filter(({ _tag }) => _tag === 'Flush').length)
      let place = 0
      for (const epoch of epochs) {
        assert.ok(sameFiles(epoch.before, apply(done.slice(0, place))(before)))
        const end = done.findIndex(({ _tag }, i) => _tag === 'Flush' && i >= place)
        place = end < 0 ? done.length : end + 1
        assert.ok(sameFiles(epoch.after, apply(done.slice(0, place))(before)))
      }
    })
  )
})

test('an exploration counts epochs, exhaustive epochs, sectors and states', () => {
  const writes = [...apart(3), flush, flush, ...apart(5).slice(3), flush]
  const seen: string[] = []
  const flushed: number[] = []
  const found = explore('P2', blank, writes, ({ files }, epoch, flushes) => {
    seen.push(keyOfFiles(files))
    flushed.push(flushes)
    assert.ok(sameFiles(epoch.before, apply(writes.slice(0, [0, 4, 5, 8][flushes]))(blank)))
  })
  assert.equal(found, { epochs: 4, whole: 4, sectors: 5, states: 8 + 1 + 4 + 1 })
  assert.equal(
    [0, 1, 2, 3].map((n) => flushed.filter((flushes) => flushes === n).length),
    [8, 1, 4, 1]
  )
  assert.is(new Set(seen).size, 8 + 4 - 1)
  assert.is(explore('P2', blank, apart(13), () => undefined).whole, 0)
  assert.is(explore('P3', blank, [write(0, noise(1, 4096))], () => undefined).whole, 0)
})

test('speed of enumeration', () => {
  const files = filesOf(noise(1, 60 * 1024))
  for (const model of ['P2', 'P3'] as const) {
    const begun = performance.now()
    let states = 0
    for (let i = 0; i < 5; i++) states += explore(model, files, apart(12), () => undefined).states
    const time = performance.now() - begun
    note(`${model}: ${Math.round((1000 * states) / time)} states a second, of 60 KiB and 12 sectors written`)
    assert.is(states, 5 * 4096)
  }
})

test.run()
