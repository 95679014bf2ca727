/** Scripts: sequences of commands that fit whatever disk they meet. */
import fc from 'fast-check'
import type { Disk } from '../../spec/disk.js'
import type { Command } from '../../src/transition/command.js'

/** A command before it knows its disk: numbers that choose among what there is. */
export interface Move {
  readonly kind: Command['_tag']
  /** Where, as a fraction of the disk in 65536ths. */
  readonly where: number
  /** How much, as a power of two in bytes, and how far off it. */
  readonly size: number
  readonly off: number
  /** Which snapshot or bitmap, and other choices. */
  readonly which: number
}

const kinds: readonly Command['_tag'][] = [
  'Write',
  'WriteCompressed',
  'WriteZeroes',
  'Discard',
  'Flush',
  'Resize',
  'SnapshotCreate',
  'SnapshotApply',
  'SnapshotDelete',
  'BitmapAdd',
  'BitmapRemove',
  'BitmapClear',
  'BitmapEnable',
  'BitmapDisable',
  'BitmapMerge'
]

const move = (among: readonly Command['_tag'][]): fc.Arbitrary<Move> =>
  fc.record({
    kind: fc.constantFrom(...among),
    where: fc.nat(0xffff),
    size: fc.nat(14),
    off: fc.constantFrom(0, 0, 0, -1, 1, 511, -512),
    which: fc.nat(7)
  })

/**
 * Scripts of `least` to `most` moves, a few of them left out. Each first draws the kinds of commands it is made of, so that some scripts do little
 * else than what others hardly ever do.
 *
 * @example
 * import fc from 'fast-check'
 * import { arbitraryScript } from 'qcow2-spec/arbitraries'
 *
 * fc.assert(fc.property(arbitraryScript(4, 8), (moves) => moves.length <= 8))
 */
export const arbitraryScript = (least: number, most: number): fc.Arbitrary<readonly Move[]> =>
  fc
    .subarray([...kinds], { minLength: 1 })
    .chain((among) => fc.array(shrinksAway(move(among)), { minLength: least, maxLength: most, size: 'max' }))
    .map((moves) => moves.flatMap((m) => m ?? []))

/** The same values, which shrink to none at all before they shrink to others. */
const shrinksAway = <A>(values: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.option(values, { nil: undefined, freq: 1000 })

/** Bytes that name themselves: which command wrote them, and for which sector. */
export const stamped = (mark: number, at: number, length: number): Uint8Array =>
  new Uint8Array(length).map((_, i) => {
    const said = ((at + i) & 2) === 0 ? mark : Math.floor((at + i) / 512)
    return ((at + i) & 1) === 0 ? said : said >> 8
  })

/** One of a list, whatever the number. */
const one = <A>(list: readonly A[], which: number): A | undefined => list[which % Math.max(1, list.length)]

/**
 * The command of a move on this disk; `mark` is what its bytes are to say.
 *
 * @example
 * import fc from 'fast-check'
 * import { arbitraryScript, commandOf } from 'qcow2-spec/arbitraries'
 * import { blankDisk, type Disk, step } from 'qcow2-spec/spec'
 *
 * const blank = blankDisk({ version: 3, grain: 512, dataFile: false, backingSize: 0 }, 8192)
 * const after = (disk: Disk, outcome = step({ _tag: 'Flush' }, disk)) => (outcome._tag === 'Done' ? outcome.disk : disk)
 * fc.assert(
 *   fc.property(arbitraryScript(1, 8), (script) =>
 *     script.reduce((disk, move, i) => after(disk, step(commandOf(move, disk, i), disk)), blank).content.length >= 0
 *   )
 * )
 */
export const commandOf = (m: Move, disk: Disk, mark: number): Command => {
  const end = disk.content.length
  const at = Math.min(end, Math.floor((m.where / 0x1_0000) * (end / 512)) * 512 + (m.which === 0 ? Math.abs(m.off) : 0))
  const length = Math.max(0, Math.min(2 ** m.size + m.off, end - at))
  switch (m.kind) {
    case 'Write':
      return { _tag: 'Write', at, bytes: stamped(mark, at, length) }
    case 'WriteCompressed': {
      const { grain } = disk.traits
      const start = at - (at % grain)
      const whole = Math.min(end - start, Math.max(grain, length - (length % grain)))
      return { _tag: 'WriteCompressed', at: start, bytes: stamped(mark, start, whole) }
    }
    case 'WriteZeroes':
      return { _tag: 'WriteZeroes', at, length, unmap: m.which % 2 === 1 }
    case 'Discard':
      return { _tag: 'Discard', at, length }
    case 'Resize':
      return { _tag: 'Resize', size: 512 * (1 + Math.floor((m.where / 0x1_0000) * Math.max(24, end / 256))) }
    case 'SnapshotCreate':
      return { _tag: 'SnapshotCreate', name: `s${mark}` }
    case 'SnapshotApply':
    case 'SnapshotDelete':
      return { _tag: m.kind, name: one(disk.snapshots, m.which)?.name ?? 'none' }
    case 'BitmapAdd':
      return { _tag: 'BitmapAdd', name: `b${m.which}`, granularity: 512 << (m.where % 4), enabled: m.where % 3 > 0 }
    case 'BitmapRemove':
    case 'BitmapClear':
    case 'BitmapEnable':
    case 'BitmapDisable':
      return { _tag: m.kind, name: one(disk.bitmaps, m.which)?.name ?? 'none' }
    case 'BitmapMerge': {
      const [from, name] = [one(disk.bitmaps, m.which), one(disk.bitmaps, m.which + 1)]
      return { _tag: 'BitmapMerge', from: from?.name ?? 'none', name: name?.name ?? 'none' }
    }
    case 'Flush':
      return { _tag: 'Flush' }
  }
}
