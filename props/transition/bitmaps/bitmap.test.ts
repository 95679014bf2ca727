/** Dirty bitmaps: what the abstract disk says of them, what a crash leaves of them, and what QEMU makes of them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import { type Bitmap, type Command, type Disk, step, type Traits } from '../../../spec/disk.js'
import { bitmapsOf } from '../../../spec/reference/bitmap.js'
import { openImage } from '../../../spec/reference/image.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import { defaultGranularity } from '../../../src/transition/bitmaps/bitmaps.js'
import { step as carryOut } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { holds } from '../../run/holds.js'
import { needsQemu } from '../../run/qemu.js'
import { note, share, suite } from '../../run/suite.js'
import { crashStates } from '../crash/crashes.js'
import { headOf } from '../engine/heads.js'
import {
  abstraction,
  countsOf,
  type Files,
  type Machine,
  machineOf,
  newMachine,
  perform,
  perhaps,
  right,
  runOver
} from '../model/machine.js'

const test = suite('bitmaps')

const traits: Traits = { version: 3, grain: 512, dataFile: false, backingSize: 0 }

type BitmapCommand = Command & { readonly _tag: 'Write' | `Bitmap${string}` }

/** Small disks, in clusters small enough for every table to have more than one. */
const images: fc.Arbitrary<CreateOptions> = fc.record({
  size: fc.constantFrom(512, 7 * 512, 65_536, 65_536 + 512),
  clusterBits: fc.constantFrom(9, 9, 10, 12, 16),
  refcountOrder: fc.integer({ min: 0, max: 6 })
})

const names = fc.constantFrom('a', 'b', 'a longer name')
const granularities = fc.constantFrom(512, 512, 1024, 4096, 65_536, 2 ** 31)

const writes = (size: number): fc.Arbitrary<BitmapCommand> =>
  fc.tuple(fc.nat({ max: size }), fc.nat({ max: size }), fc.integer({ min: 1, max: 255 })).map(([x, y, fill]) => ({
    _tag: 'Write',
    at: Math.min(x, y),
    bytes: new Uint8Array(Math.abs(x - y)).fill(fill)
  }))

const additions: fc.Arbitrary<BitmapCommand> = fc.record({
  _tag: fc.constant('BitmapAdd' as const),
  name: fc.oneof({ weight: 9, arbitrary: names }, { weight: 1, arbitrary: fc.constantFrom('', 'x'.repeat(1024)) }),
  granularity: fc.oneof(
    { weight: 9, arbitrary: granularities },
    { weight: 1, arbitrary: fc.constantFrom(0, 256, 1000) }
  ),
  enabled: fc.boolean()
})

const others: fc.Arbitrary<BitmapCommand> = fc.oneof(
  fc.record({
    _tag: fc.constantFrom('BitmapRemove', 'BitmapClear', 'BitmapEnable', 'BitmapDisable'),
    name: names
  }),
  fc.record({ _tag: fc.constant('BitmapMerge' as const), from: names, name: names })
)

const commands = (size: number): fc.Arbitrary<BitmapCommand> => fc.oneof(writes(size), additions, others)

const scripts = (options: fc.Arbitrary<CreateOptions>, maxLength: number) =>
  options.chain((o) => fc.tuple(fc.constant(o), fc.array(commands(o.size), { maxLength, size: 'max' })))

const isClean = (files: Files): void => {
  const { corruptions, leaks, checkErrors } = countsOf(files)
  assert.equal([corruptions, leaks, checkErrors], [0, 0, 0])
}

/** The machine and the disk after a command, which both take or both refuse, by the same clause. */
const square = (m: Machine, disk: Disk, command: BitmapCommand): readonly [Machine, Disk] => {
  const outcome = step(command, disk)
  const done = perhaps(m, command)
  if (outcome._tag === 'Refused' || E.isLeft(done)) {
    assert.is(E.isLeft(done) ? done.left[0]?.clause : 'done', outcome._tag === 'Refused' ? outcome.clause : 'done')
    return [m, disk]
  }
  assert.equal(abstraction(done.right.files, traits), outcome.disk)
  isClean(done.right.files)
  return [done.right, outcome.disk]
}

test('bitmaps record every write, and every bitmap command has the outcome of the abstract disk', () => {
  holds(
    fc.property(scripts(images, 20), ([options, script]) => {
      const m = newMachine(options)
      script.reduce<readonly [Machine, Disk]>(([n, disk], c) => square(n, disk, c), [m, abstraction(m.files, traits)])
    })
  )
})

/** Whether the bitmaps have everything dirty that is in others of the same names. */
const coverAll = (found: readonly Bitmap[], wanted: readonly Bitmap[]): boolean =>
  wanted.every((b, i) => [...b.dirty].every((granule) => found[i]?.dirty.has(granule) === true))

/** The machine after a command that may be refused: a crash leaves its writes recorded, and of all else all or nothing. */
const recorded = (m: Machine, c: BitmapCommand, count: () => void = () => undefined): Machine => {
  const done = perhaps(m, c)
  share('commands carried out', 0.3, E.isRight(done))
  if (E.isLeft(done)) return m
  const [old, now] = [abstraction(m.files, traits), abstraction(done.right.files, traits)]
  for (const files of crashStates(m.files, done.right.writes)) {
    count()
    const { content, bitmaps } = abstraction(files, traits)
    if (c._tag !== 'Write') assert.ok([old, now].some((d) => isDeepStrictEqual(d.bitmaps, bitmaps)))
    else assert.ok(coverAll(bitmaps, (isDeepStrictEqual(content, old.content) ? old : now).bitmaps))
    assert.is(countsOf(files).corruptions, 0)
  }
  return done.right
}

const write = (at: number, length: number): BitmapCommand => ({
  _tag: 'Write',
  at,
  bytes: new Uint8Array(length).fill(length % 256)
})
const add = (name: string, granularity = 512, enabled = true): BitmapCommand => ({
  _tag: 'BitmapAdd',
  name,
  granularity,
  enabled
})

test('after a crash bitmaps record every byte that a write changed; other commands are all or nothing', () => {
  let states = 0
  const count = (): void => {
    states++
  }
  const small = images.map((o) => ({ ...o, clusterBits: 9, size: Math.min(o.size, 7 * 512) }))
  const inPlace = [write(0, 3000), add('a'), write(0, 700), write(1000, 1200), write(0, 3000)]
  inPlace.reduce((m: Machine, c) => recorded(m, c, count), newMachine({ size: 4096, clusterBits: 9 }))
  holds(
    fc.property(scripts(small, 8), ([options, script]) => {
      script.reduce((m: Machine, c) => recorded(m, c, count), newMachine(options))
    }),
    { runs: 15 }
  )
  note(`${states} crash states`)
})

/** What is recorded already costs no write, and so no flush. */
test('a second write to the same place writes the data alone', () => {
  const m = [add('a'), write(4096, 1024)].reduce<Machine>((n, c) => right(perhaps(n, c)), newMachine({ size: 65_536 }))
  const { writes: twice } = right(perhaps(m, { _tag: 'Write', at: 4096, bytes: new Uint8Array(1024).fill(2) }))
  assert.equal(
    twice.map((w) => w._tag === 'Write' && w.bytes.length),
    [1024]
  )
})

const resize = (m: Machine, size: number): Machine & { readonly writes: readonly HostWrite[] } => {
  const { writes: done, next } = right(runOver(m.files, carryOut(m.opened, { _tag: 'Resize', size })))
  return { files: perform(m.files, done), opened: next, writes: done }
}

/** The machine with a disk of another size: after a crash the bitmaps are those of the disk there is, or not trusted. */
const resized = (m: Machine, size: number, count: () => void): Machine => {
  const old = abstraction(m.files, traits)
  const outcome = step({ _tag: 'Resize', size }, old)
  const done = resize(m, size)
  const now = abstraction(done.files, traits)
  for (const files of crashStates(m.files, done.writes)) {
    const [head, { content, bitmaps }] = [headOf(files), abstraction(files, traits)]
    assert.is(head.refusal, undefined)
    assert.is(countsOf(files).corruptions, 0)
    if (head.trusted) assert.equal(bitmaps, (content.length === old.content.length ? old : now).bitmaps)
    else if (old.bitmaps.length > 0) count()
  }
  isClean(done.files)
  assert.equal(now.bitmaps, outcome._tag === 'Done' && outcome.disk.bitmaps)
  return done
}

test('bitmaps are as long as their disk, or not trusted while it changes', () => {
  let untrusted = 0
  const count = (): void => {
    untrusted++
  }
  const sizes = fc.array(
    fc.integer({ min: 1, max: 40 }).map((n) => n * 4096 - 512),
    { minLength: 1, maxLength: 3 }
  )
  const long = [add('a'), add('b', 1024), write(0, 700), write(2 ** 20 - 700, 700)].reduce<Machine>(
    (m, c) => right(perhaps(m, c)),
    newMachine({ size: 2 ** 20, clusterBits: 9 })
  )
  for (const to of [[2 ** 19, 2 ** 20], [2 ** 22]]) to.reduce((m, size) => resized(m, size, count), long)
  assert.ok(untrusted > 0)
  holds(
    fc.property(
      scripts(
        images.map((o) => ({ ...o, clusterBits: 9 })),
        6
      ),
      sizes,
      ([options, script], to) => {
        const m = script.reduce((n: Machine, c) => E.getOrElse(() => n)(perhaps(n, c)), newMachine(options))
        to.reduce((n, size) => resized(n, size, count), m)
      }
    ),
    { runs: 20 }
  )
  note(`${untrusted} crash states of resizing with bitmaps that are not trusted`)
})

/** An image of the corpus, by itself. */
const kept = (name: string): Machine =>
  machineOf({ image: load(name).image, data: new Uint8Array(0), backing: new Uint8Array(0) })

const clauseOf = (result: ReturnType<typeof perhaps>): string =>
  E.isLeft(result) ? (result.left[0]?.clause ?? '') : 'done'

test('a merge marks the ranges of the merged bitmap', () => {
  holds(
    fc.property(scripts(images, 12), names, names, ([options, script], from, name) => {
      const m = script.reduce<Machine>((n, c) => E.getOrElse((): Machine => n)(perhaps(n, c)), newMachine(options))
      const { bitmaps } = abstraction(m.files, traits)
      const [source, target] = [from, name].map((wanted) => bitmaps.find((b) => b.name === wanted))
      const merged = perhaps(m, { _tag: 'BitmapMerge', from, name })
      const isMerged = source !== undefined && target !== undefined && E.isRight(merged)
      share('merges carried out', 0.05, isMerged)
      if (!isMerged) return
      const unit = source.granularity
      const granules = [...source.dirty].map((i) => [i * unit, Math.min((i + 1) * unit, options.size)] as const)
      // Where the granules of the merged bitmap are no smaller, one byte of each marks as much: the first or the last.
      const ranges = granules.map(([start, end], i) => {
        if (target.granularity < unit) return [start, end] as const
        return i % 2 === 0 ? ([start, start + 1] as const) : ([end - 1, end] as const)
      })
      assert.equal(right(perhaps(m, { _tag: 'BitmapMark', name, ranges })).files, merged.right.files)
    })
  )
  const alone = newMachine({ size: 65_536 })
  const a = { name: 'a', granularity: 512, enabled: true }
  const added = right(perhaps(alone, { _tag: 'BitmapAdd', ...a }))
  const marked = right(
    perhaps(added, {
      _tag: 'BitmapMark',
      name: 'a',
      ranges: [
        [511, 513],
        [2047, 2048]
      ]
    })
  )
  assert.equal([...(abstraction(marked.files, traits).bitmaps[0]?.dirty ?? [])], [0, 1, 3])
  assert.is(clauseOf(perhaps(alone, { _tag: 'BitmapMark', name: 'a', ranges: [] })), 'BMP-02')
})

test('a bitmap in use is left alone until it is removed', () => {
  for (const name of ['case-56-bitmap-in-use', 'odd-bitmap-in-use-long']) {
    const m = kept(name)
    for (const _tag of ['BitmapClear', 'BitmapEnable', 'BitmapDisable'] as const)
      assert.is(clauseOf(perhaps(m, { _tag, name: 'b0' })), 'BMP-09')
    assert.is(clauseOf(perhaps(m, { _tag: 'BitmapMerge', from: 'b0', name: 'b0' })), 'BMP-09')
    assert.is(clauseOf(perhaps(m, { _tag: 'Resize', size: 2 ** 21 })), 'BMP-09')
    const [b] = m.opened.metadata.bitmaps
    const table = Number(b?.bitmapTableOffset)
    const after = right(perhaps(m, { _tag: 'Write', at: 0, bytes: new Uint8Array(512).fill(1) }))
    const bytes = (files: Files): Uint8Array => files.image.slice(table, table + 8 * (b?.bitmapTableSize ?? 0))
    assert.equal(bytes(after.files), bytes(m.files))
    assert.equal(after.opened.metadata.bitmaps, m.opened.metadata.bitmaps)
    const removed = right(perhaps(after, { _tag: 'BitmapRemove', name: 'b0' }))
    assert.equal(removed.opened.metadata.bitmaps, [])
    isClean(removed.files)
  }
})

test('bitmaps that are not trusted are left alone, and a new one takes their place', () => {
  const m = kept('odd-bitmaps-untrusted')
  const [write] = [right(perhaps(m, { _tag: 'Write', at: 0, bytes: new Uint8Array(512).fill(1) }))]
  assert.is(headOf(write.files).trusted, false)
  const added = right(perhaps(write, { _tag: 'BitmapAdd', name: 'new', granularity: 65_536, enabled: true }))
  assert.equal(
    abstraction(added.files, traits).bitmaps.map(({ name }) => name),
    ['new']
  )
  assert.is(countsOf(added.files).corruptions, 0)
})

test('where all bits are 1, a write has nothing to record', () => {
  const m = kept('odd-bitmap-all-ones')
  const before = abstraction(m.files, traits)
  const after = right(perhaps(m, { _tag: 'Write', at: 0, bytes: new Uint8Array(4096).fill(1) }))
  assert.equal(abstraction(after.files, traits).bitmaps, before.bitmaps)
  isClean(after.files)
})

test('a granule is a cluster, but at least 4 KiB and at most 64 KiB', () => {
  assert.equal(
    [9, 12, 14, 16, 21].map((clusterBits) => defaultGranularity({ clusterBits })),
    [4096, 4096, 16_384, 65_536, 65_536]
  )
})

/** A script for both: our command, and the arguments of qemu-img bitmap or qemu-io's command line. */
type Line = readonly [ours: BitmapCommand, theirs: readonly string[] | string]

const added = (name: string, granularity: number, enabled: boolean): Line => [
  add(name, granularity, enabled),
  ['--add', '-g', String(granularity), ...(enabled ? [] : ['--disable']), 'image.qcow2', name]
]
const change = (_tag: 'BitmapRemove' | 'BitmapClear' | 'BitmapEnable' | 'BitmapDisable', name: string): Line => [
  { _tag, name },
  [`--${_tag.slice('Bitmap'.length).toLowerCase()}`, 'image.qcow2', name]
]
const merge = (from: string, name: string): Line => [
  { _tag: 'BitmapMerge', from, name },
  ['--merge', from, 'image.qcow2', name]
]
const written = (at: number, length: number): Line => [write(at, length), `write -P 1 ${at} ${length}`]

const lines: readonly Line[] = [
  added('a', 65_536, true),
  written(100_000, 70_000),
  added('b', 512, true),
  added('c', 4096, false),
  written(3 * 2 ** 20 - 512, 1024),
  change('BitmapDisable', 'a'),
  change('BitmapEnable', 'c'),
  written(0, 1),
  written(4 * 2 ** 20 - 700, 700),
  merge('a', 'c'),
  merge('b', 'a'),
  merge('a', 'b'),
  change('BitmapClear', 'c'),
  written(2 * 2 ** 20, 512),
  added('d', 2 ** 31, true),
  change('BitmapRemove', 'b'),
  written(12_345, 67_890)
]

/** What qemu-img prints of bitmaps. */
const printedBy = (folder: string, image: string): unknown => {
  const info: unknown = JSON.parse(
    execFileSync('qemu-img', ['info', '--output=json', image], { cwd: folder, encoding: 'utf8' })
  )
  const at = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null ? Object.entries(value).find(([k]) => k === key)?.[1] : undefined
  return at(at(at(info, 'format-specific'), 'data'), 'bitmaps')
}

needsQemu(test)('bitmaps have the bits that QEMU gives them, and QEMU takes them over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-bitmap-'))
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
  const seenIn = (name: string): readonly Bitmap[] => bitmapsOf(openImage(readFileSync(join(folder, name))))
  try {
    for (const clusterBits of [9, 16]) {
      const size = 4 * 2 ** 20
      run('qemu-img', [
        'create',
        '-q',
        '-f',
        'qcow2',
        '-o',
        `cluster_size=${2 ** clusterBits}`,
        'image.qcow2',
        `${size}`
      ])
      let m: Machine = newMachine({ size, clusterBits })
      for (const [ours, theirs] of lines) {
        if (typeof theirs === 'string') run('qemu-io', ['-c', theirs, 'image.qcow2'])
        else run('qemu-img', ['bitmap', ...theirs])
        m = right(perhaps(m, ours))
        writeFileSync(join(folder, 'ours.qcow2'), m.files.image)
        assert.equal(seenIn('ours.qcow2'), seenIn('image.qcow2'))
        assert.equal(printedBy(folder, 'ours.qcow2'), printedBy(folder, 'image.qcow2'))
      }
      run('qemu-img', ['check', '-q', 'ours.qcow2'])
      for (const image of ['image.qcow2', 'ours.qcow2']) {
        run('qemu-img', ['bitmap', '--merge', 'a', image, 'd'])
        run('qemu-io', ['-c', `write -P 2 ${2 ** 20} 5000`, image])
      }
      assert.equal(seenIn('ours.qcow2'), seenIn('image.qcow2'))
      run('qemu-img', ['check', '-q', 'ours.qcow2'])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
