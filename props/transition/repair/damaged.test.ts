/** Commands on damaged images: each ends in writes or in a clause, whatever the image says. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { label, viewOf } from '../../../src/bytes/octets.js'
import type { Plan } from '../../../src/bytes/plan.js'
import { headerFields } from '../../../src/format/header.js'
import { portable } from '../../../src/compression/decompress.js'
import { type AnyCommand, step } from '../../../src/transition/command.js'
import { open } from '../../../src/transition/engine/open.js'
import type { WritableImage } from '../../../src/transition/engine/command-state.js'
import { repair } from '../../../src/transition/repair/repair.js'
import { holds } from '../../run/holds.js'
import { note, share, suite } from '../../run/suite.js'
import { type Files, runOver } from '../model/machine.js'

const test = suite('damaged')

const around = { backing: [], decompressor: portable }
const nothing = new Uint8Array(0)

const images = names().filter((name) => {
  const { length } = load(name).image
  return length >= 1024 && length <= 2 ** 19
})

/** A word of 64 bits in place of another: one of the first of some cluster, where tables and headers begin. */
const wound = fc.record({
  cluster: fc.nat(),
  word: fc.nat(7),
  value: fc.oneof(
    fc.nat(63).map((bit) => 1n << BigInt(bit)),
    fc.integer({ min: 40, max: 62 }).map((bit) => (1n << 63n) | (1n << BigInt(bit))),
    fc.nat(63).map((bit) => (1n << BigInt(bit)) - 512n),
    fc.nat(1023).map((sector) => BigInt(sector) * 512n),
    fc.nat(1023).map((sector) => (1n << 63n) | (BigInt(sector) * 512n)),
    fc.bigInt(0n, 2n ** 64n - 1n)
  )
})

const wounded = (
  image: Uint8Array,
  wounds: readonly { cluster: number; word: number; value: bigint }[]
): Uint8Array => {
  const bytes = image.slice()
  const view = viewOf(bytes)
  const size =
    2 ** Math.min(21, Math.max(9, view.getUint32(headerFields.rows.find(({ key }) => key === 'clusterBits')?.at ?? 0)))
  for (const { cluster, word, value } of wounds)
    view.setBigUint64(
      size * (cluster % Math.max(1, Math.floor(bytes.length / size))) + 8 * word,
      BigInt.asUintN(64, value)
    )
  return bytes
}

/** Commands that have something to do in this image. */
const commandsFor = ({ metadata }: WritableImage): readonly AnyCommand[] => {
  const size = Math.min(Number(metadata.header.size), 2 ** 30)
  const [snapshot = '', bitmap = ''] = [metadata.snapshots[0], metadata.bitmaps[0]].map((b) =>
    b === undefined ? undefined : label(b.name)
  )
  return [
    { _tag: 'Write', at: 0, bytes: new Uint8Array(Math.min(size, 2 ** 18)).fill(1) },
    { _tag: 'Write', at: Math.max(0, size - 512), bytes: new Uint8Array(Math.min(size, 512)).fill(1) },
    { _tag: 'WriteCompressed', at: 0, bytes: new Uint8Array(2 ** metadata.header.clusterBits) },
    { _tag: 'WriteZeroes', at: 0, length: size, unmap: true },
    { _tag: 'Discard', at: 0, length: size },
    { _tag: 'Resize', size: 512 },
    { _tag: 'Resize', size: size + 2 ** 20, preallocation: 'metadata' },
    { _tag: 'SnapshotCreate', name: 'new' },
    { _tag: 'SnapshotApply', name: snapshot },
    { _tag: 'SnapshotDelete', name: snapshot },
    { _tag: 'BitmapAdd', name: 'new', granularity: 65_536, enabled: true },
    { _tag: 'BitmapRemove', name: bitmap },
    { _tag: 'BitmapMerge', from: bitmap, name: bitmap },
    { _tag: 'Amend', options: { version: 2 } },
    { _tag: 'Amend', options: { refcountOrder: 6 } },
    { _tag: 'Rebase' },
    { _tag: 'MakeEmpty' },
    { _tag: 'WriteVmState', position: 0, bytes: new Uint8Array(1000).fill(1) }
  ]
}

const seen = { done: 0, refused: 0 }

/** The outcome of a plan; fails unless that is writes, not more than the image can ask for, or clauses. */
const outcome = <A extends { readonly writes: readonly HostWrite[] }>(
  files: Files,
  plan: Plan<A>
): E.Either<readonly Issue[], A> => {
  const done = runOver(files, plan)
  if (E.isLeft(done)) {
    assert.ok(done.left.length > 0)
    share('plans that end in writes', 0.3, false)
    seen.refused++
    return done
  }
  const bytes = done.right.writes.reduce((sum, w) => sum + (w._tag === 'Write' ? w.bytes.length : 0), 0)
  assert.ok(bytes < 2 ** 27, `${bytes} bytes`)
  for (const w of done.right.writes)
    if (w._tag === 'Write') assert.ok(Number.isSafeInteger(w.at + w.bytes.length), `a write at ${w.at}`)
  seen.done++
  share('plans that end in writes', 0.3, true)
  return done
}

test('a command on a damaged image ends in writes or in a clause', () => {
  const cases = fc.property(
    fc.constantFrom(...images),
    fc.array(wound, { minLength: 1, maxLength: 3 }),
    (name, wounds) => {
      const { image, files: others } = load(name)
      const files: Files = { image: wounded(image, wounds), data: others.get('img.raw') ?? nothing, backing: nothing }
      for (const mode of ['leaks', 'all'] as const) outcome(files, repair(around, files.image.length, mode))
      const opened = outcome(files, open(around))
      if (E.isLeft(opened) || opened.right.writes.length > 0) return
      const { next } = opened.right
      for (const command of commandsFor(next)) outcome(files, step(next, command))
    }
  )
  // The first entry of an L2 table.
  const entry = { cluster: 4, word: 0, value: (1n << 63n) | (1n << 54n) }
  holds(cases, { runs: 100, examples: [['case-04-size-rounded', [entry]]] })
  note(`${seen.done} commands done, ${seen.refused} refused`)
})

test.run()
