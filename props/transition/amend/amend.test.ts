/** Amend: the disk and its snapshots stay, the image is what was asked for, and QEMU takes it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { fromText, viewOf } from '../../../src/bytes/octets.js'
import { portable } from '../../../src/compression/decompress.js'
import type { AmendOptions } from '../../../src/transition/amend/amend.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { open } from '../../../src/transition/engine/open.js'
import { needsQemu } from '../../run/qemu.js'
import { note, suite } from '../../run/suite.js'
import { type Drawn, headOf, machineWith, Seen, through, traits } from '../engine/heads.js'
import {
  abstraction,
  countsOf,
  type Files,
  type Machine,
  newMachine,
  perform,
  perhaps,
  right,
  runOver
} from '../model/machine.js'

const test = suite('amend')

const nothing = new Uint8Array(0)

/** An image of the corpus with nothing behind it; undefined where it does not open for writing, or not without a key. */
const kept = (name: string): Machine | undefined => {
  const { image, files } = load(name)
  const own: Files = { image, data: files.get('img.raw') ?? nothing, backing: nothing }
  const opened = runOver(own, open({ backing: [], decompressor: portable }))
  if (E.isLeft(opened) || opened.right.next.metadata.header.cryptMethod !== 0) return undefined
  return { files: perform(own, opened.right.writes), opened: opened.right.next }
}

const small = names().filter((name) => /^(case|odd|matrix-512)-/.test(name) && load(name).image.length <= 400_000)

/** What the reference finds that must not become more. */
const wrongs = (files: Files): readonly number[] => {
  const { corruptions, leaks, checkErrors } = countsOf(files)
  return [corruptions, leaks, checkErrors]
}

/** Types of extensions that depend on the version or on features, at the start of their bytes. */
const passing = /^(6803f857|44415441)/

/** The clauses by which an image may refuse to be amended. */
const reasons = ['AM-03', 'AM-06', 'OPEN-24', 'CR-03']

test('a downgrade is refused where the L1 table of a snapshot cannot be read: its zero clusters would stay', () => {
  for (const name of ['broken-snapshot-l1-unaligned', 'broken-snapshot-l1-large']) {
    const m = kept(name)
    assert.ok(m !== undefined, name)
    const done = perhaps(m, { _tag: 'Amend', options: { version: 2 } })
    const [issue] = E.isLeft(done) ? done.left : []
    assert.match(issue?.message ?? 'it is made', /^snapshot table entry l1_(table_offset|size) at byte /)
  }
})

test('an amended image has the disk, the snapshots and the unknown extensions it had, and nothing more wrong with it', () => {
  const options: readonly AmendOptions[] = [
    { version: 2 },
    { version: 3 },
    { refcountOrder: 6 },
    { refcountOrder: 1 },
    { lazyRefcounts: true }
  ]
  let done = 0
  let refused = 0
  for (const name of small) {
    const m = kept(name)
    if (m === undefined || m.opened.metadata.header.size > 2 ** 20) continue
    const [disk, head, wrong] = [abstraction(m.files, traits), headOf(m.files), wrongs(m.files)]
    for (const o of options) {
      const what = `${name} ${JSON.stringify(o)}`
      const amended = perhaps(m, { _tag: 'Amend', options: o })
      if (E.isLeft(amended)) {
        assert.ok(reasons.includes(amended.left[0]?.clause ?? ''), what)
        refused++
        continue
      }
      const { files, opened } = amended.right
      const after = abstraction(files, traits)
      assert.is(Buffer.compare(after.content, disk.content), 0, what)
      assert.equal(after.snapshots, disk.snapshots, what)
      assert.equal(after.bitmaps, o.version === 2 ? [] : disk.bitmaps, what)
      assert.ok(
        wrongs(files).every((n, i) => n <= (wrong[i] ?? 0)),
        what
      )
      const now = headOf(files)
      assert.is(now.refusal, undefined, what)
      assert.ok(
        now.clauses.every((c) => head.clauses.includes(c)),
        what
      )
      assert.ok(
        head.extensions.every((e) => passing.test(e) || now.extensions.includes(e)),
        what
      )
      assert.is(now.version, o.version ?? head.version, what)
      assert.is(opened.g.refcountOrder, o.refcountOrder ?? m.opened.g.refcountOrder, what)
      done++
    }
  }
  note(`${done} images amended, ${refused} refused`)
  assert.ok(done > 200 && refused > 20)
})

/** The image with the zero flag set in every entry of its active tree that shares its cluster with a snapshot. */
const withSharedZeros = ({ files, opened }: Machine): readonly [Files, number] => {
  const image = files.image.slice()
  const view = viewOf(image)
  const { header } = opened.metadata
  let n = 0
  for (let i = 0; i < header.l1Size; i++) {
    const l1 = view.getBigUint64(Number(header.l1TableOffset) + 8 * i)
    if (l1 >> 63n === 0n) continue
    const table = Number(l1 & 0x00ff_ffff_ffff_fe00n)
    for (let at = table; at < table + 2 ** header.clusterBits; at += 8) {
      const entry = view.getBigUint64(at)
      if (entry === 0n || entry >> 62n !== 0n) continue
      view.setBigUint64(at, entry | 1n)
      n++
    }
  }
  return [{ ...files, image }, n]
}

test('a zero cluster whose host cluster holds data of a snapshot leaves it alone', () => {
  const m = kept('matrix-512-w16-v3-zlib')
  assert.ok(m !== undefined)
  const [files, n] = withSharedZeros(m)
  assert.ok(n > 0)
  const before = abstraction(files, traits)
  assert.equal(wrongs(files), [0, 0, 0])
  const amended = right(perhaps({ ...m, files }, { _tag: 'Amend', options: { version: 2 } }))
  const after = abstraction(amended.files, traits)
  assert.equal(after.content, before.content)
  assert.equal(after.snapshots, before.snapshots)
  assert.equal(wrongs(amended.files), [0, 0, 0])
})

const drawn = (version: 2 | 3, clusterBits: number): Drawn => ({
  options: { size: 4096, version, clusterBits },
  extensions: [
    { _tag: 'BackingFormat', data: fromText('raw'), padding: nothing },
    { _tag: 'Other', type: 7, data: fromText('kept'), padding: nothing }
  ],
  name: 'base.raw'
})

test('a crash leaves an image of either version or width, with its disk and its backing file name', () => {
  const seen = new Seen()
  const versions: readonly AmendOptions[] = [{ version: 3 }, { lazyRefcounts: true }, { version: 2 }]
  const widths: readonly AmendOptions[] = [{ refcountOrder: 6 }, { refcountOrder: 0 }, { refcountOrder: 5 }]
  for (const clusterBits of [9, 13]) {
    for (const [version, script] of [
      [2, versions],
      [3, widths]
    ] as const)
      script.reduce(
        (m, options) => through(m, { _tag: 'Amend', options }, seen),
        machineWith(drawn(version, clusterBits))
      )
  }
  assert.is(seen.nameless, 0)
  assert.ok(seen.dirty > 0 && seen.cut > 0)
  note(`${seen.states} crash states, ${seen.dirty} dirty, ${seen.cut} without the extensions of a version`)
})

test('a crash of an expansion leaves disk and snapshots as they are', () => {
  const m = kept('matrix-512-w16-v3-zlib')
  assert.ok(m !== undefined)
  const seen = new Seen()
  through(m, { _tag: 'Amend', options: { version: 2 } }, seen)
  assert.ok(seen.states > 0)
})

/** Why an image with these properties cannot be amended so. */
const refusals: readonly (readonly [options: CreateOptions, amend: AmendOptions, clause: string])[] = [
  [{ size: 512 }, { clusterBits: 16 }, 'AM-01'],
  [{ size: 512 }, { extendedL2: false }, 'AM-01'],
  [{ size: 512 }, { compressionType: 'zstd' }, 'AM-01'],
  [{ size: 512 }, { backing: { name: 'a', format: 'raw' } }, 'AM-01'],
  [{ size: 512 }, { dataFile: { name: 'a' } }, 'AM-01'],
  [{ size: 512, dataFile: { name: 'a', raw: false } }, { dataFile: { raw: true } }, 'DATA-07'],
  [{ size: 512, dataFile: { name: 'a', raw: false } }, { version: 2 }, 'AM-03'],
  [{ size: 512, extendedL2: true }, { version: 2 }, 'AM-03'],
  [{ size: 512, refcountOrder: 3 }, { version: 2 }, 'AM-03'],
  [{ size: 512, version: 2 }, { refcountOrder: 3 }, 'AM-06'],
  [{ size: 512, version: 2 }, { lazyRefcounts: true }, 'OPEN-24'],
  [{ size: 512 }, { refcountOrder: 7 }, 'REF-02']
]

test('a forbidden amendment is refused by its clause', () => {
  for (const [options, amend, clause] of refusals) {
    const done = perhaps(newMachine(options), { _tag: 'Amend', options: amend })
    assert.is(E.isLeft(done) && done.left[0]?.clause, clause, JSON.stringify(amend))
  }
  for (const [name, amend, clause] of [
    ['case-51-snapshots-of-two-sizes', { version: 2 }, 'AM-03'],
    ['odd-snapshot-vm-state-64', { version: 2 }, 'AM-03'],
    ['case-30-zstd', { version: 2 }, 'AM-03'],
    ['case-13-refcount-64', { refcountOrder: 0 }, 'AM-06']
  ] as const) {
    const m = kept(name)
    assert.ok(m !== undefined)
    const done = perhaps(m, { _tag: 'Amend', options: amend })
    assert.is(E.isLeft(done) && done.left[0]?.clause, clause, name)
  }
})

test('the external data file gets another name, or none, and is no more the raw disk', () => {
  const m = newMachine({ size: 65_536, dataFile: { name: 'a.raw', raw: true } })
  const named = right(perhaps(m, { _tag: 'Amend', options: { dataFile: { name: 'another name.raw', raw: false } } }))
  const { header, extensions } = named.opened.metadata
  assert.is(header.autoclearFeatures.rawExternalData, false)
  assert.equal(
    extensions?.extensions.flatMap((e) => (e._tag === 'DataFile' ? [e.data] : [])),
    [fromText('another name.raw')]
  )
  const unnamed = right(perhaps(named, { _tag: 'Amend', options: { dataFile: { name: '' } } }))
  assert.is(
    unnamed.opened.metadata.extensions?.extensions.some((e) => e._tag === 'DataFile'),
    false
  )
})

/** Scripts of qemu-img amend, and the same as it is spelt here. */
const scripts: readonly (readonly [
  create: string,
  options: CreateOptions,
  steps: readonly (readonly [string, AmendOptions])[]
])[] = [
  [
    'compat=0.10',
    { size: 2 ** 20, version: 2 },
    [
      ['compat=1.1', { version: 3 }],
      ['compat=0.10', { version: 2 }]
    ]
  ],
  [
    'cluster_size=512',
    { size: 2 ** 20, clusterBits: 9 },
    [
      ['refcount_bits=64', { refcountOrder: 6 }],
      ['refcount_bits=1', { refcountOrder: 0 }],
      ['refcount_bits=16', { refcountOrder: 4 }],
      ['lazy_refcounts=on', { lazyRefcounts: true }],
      ['compat=0.10', { version: 2 }]
    ]
  ],
  ['lazy_refcounts=on', { size: 2 ** 20, lazyRefcounts: true }, [['lazy_refcounts=off', { lazyRefcounts: false }]]]
]

/** What qemu-img prints of an image, but for its name and its size on the host. */
const printedBy = (folder: string, image: string): string =>
  execFileSync('qemu-img', ['info', image], { cwd: folder, encoding: 'utf8' })
    .split('\n')
    .filter((line) => !/^(image|disk size)/.test(line))
    .join('\n')

needsQemu(test)('QEMU finds the same in an image that is amended here, and its own first cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-amend-'))
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
  try {
    for (const [create, options, steps] of scripts) {
      run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', create, 'image.qcow2', `${options.size}`)
      run('qemu-io', '-c', 'write -P 1 0 100k', 'image.qcow2')
      let m: Machine = right(
        perhaps(newMachine(options), { _tag: 'Write', at: 0, bytes: new Uint8Array(102_400).fill(1) })
      )
      for (const [theirs, ours] of steps) {
        run('qemu-img', 'amend', '-o', theirs, 'image.qcow2')
        m = right(perhaps(m, { _tag: 'Amend', options: ours }))
        writeFileSync(join(folder, 'ours.qcow2'), m.files.image)
        run('qemu-img', 'check', '-q', 'ours.qcow2')
        run('qemu-img', 'compare', '-q', 'ours.qcow2', 'image.qcow2')
        assert.is(printedBy(folder, 'ours.qcow2'), printedBy(folder, 'image.qcow2'))
        const size = 2 ** (options.clusterBits ?? 16)
        const [area, theirArea] = [m.files.image, readFileSync(join(folder, 'image.qcow2'))].map((bytes) =>
          bytes.subarray(72, size)
        )
        assert.equal(new Uint8Array(area ?? nothing), new Uint8Array(theirArea ?? nothing), theirs)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
