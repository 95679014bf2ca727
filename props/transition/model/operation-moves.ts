/** Operations that are drawn: numbers that choose among what an image can be asked for, and among its ways to be damaged. */
import fc from 'fast-check'
import { viewOf } from '../../../src/bytes/octets.js'
import { blockEntries } from '../../../src/format/geometry.js'
import { maxRefcount, refcountAt, setRefcount } from '../../../src/format/refcount.js'
import { arbitraryScript, commandOf, type Move } from '../../arbitrary/script.js'
import type { Shape } from '../../arbitrary/shape.js'
import { nameOf } from '../engine/heads.js'
import type { Machine } from './machine.js'
import { act, type Action, subjectOf } from './operations.js'
import { begin } from './recording.js'

/** An operation before it knows its image. */
interface OperationMove {
  readonly kind: 'amend' | 'rebase' | 'empty' | 'repair'
  readonly which: number
  readonly places: readonly number[]
}

const arbitraryOperation: fc.Arbitrary<OperationMove> = fc.record({
  kind: fc.constantFrom('amend', 'amend', 'rebase', 'empty', 'repair', 'repair'),
  which: fc.nat(0xffff),
  places: fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 3 })
})

type Damage = Action & { readonly _tag: 'Damage' }

const damage = (at: number, bytes: Uint8Array): Damage => ({ _tag: 'Damage', at, bytes })

/** The entries of a table that are not zero. */
const entriesOf = (image: Uint8Array, at: number, n: number, stride = 8): readonly (readonly [number, bigint])[] =>
  Array.from({ length: n }, (_, i) => at + i * stride)
    .filter((each) => each + 8 <= image.length)
    .map((each) => [each, viewOf(image).getBigUint64(each)] as const)
    .filter(([, word]) => word !== 0n)

const offsetIn = (word: bigint): number => Number(word & 0x00ff_ffff_ffff_fe00n)

/** The top bit of the byte turned over: the copied flag of an entry that begins there. */
const turned = (image: Uint8Array, at: number): Damage => damage(at, Uint8Array.of((image[at] ?? 0) ^ 0x80))

/** Other counts for a cluster: none, and one more. */
const miscounts = (image: Uint8Array, order: number, block: number, entry: number): readonly Damage[] => {
  const start = block + Math.floor((entry * 2 ** order) / 8)
  const size = Math.max(1, 2 ** order / 8)
  const within = entry - ((start - block) * 8) / 2 ** order
  const bytes = image.slice(start, start + size)
  const count = refcountAt(viewOf(bytes), order, within)
  const set = (to: bigint): Damage => {
    const other = bytes.slice()
    setRefcount(viewOf(other), order, within, to)
    return damage(start, other)
  }
  return [count - 1n, 0n, count + 1n].filter((to) => to >= 0n && to <= maxRefcount(order)).map(set)
}

/** Ways to damage an image that a repair of everything mends, by what they are about. */
const damages = ({ files: { image }, opened: { g, metadata } }: Machine): readonly (readonly Damage[])[] => {
  const { header: h } = metadata
  const size = 2 ** g.clusterBits
  const table = entriesOf(image, Number(h.refcountTableOffset), (h.refcountTableClusters * size) / 8)
  const l1 = entriesOf(image, Number(h.l1TableOffset), h.l1Size)
  const stride = g.extendedL2 ? 16 : 8
  const l2 = l1.flatMap(([, word]) => entriesOf(image, offsetIn(word), size / stride, stride))
  const counts = table.flatMap(([, word]) =>
    Array.from({ length: Math.min(blockEntries(g), 80) }, (_, i) =>
      miscounts(image, g.refcountOrder, offsetIn(word), i)
    ).flat()
  )
  const marked = [1, 2].map((bit) => damage(79, Uint8Array.of((image[79] ?? 0) | bit)))
  return [
    counts,
    counts,
    [...l1, ...l2].filter(([, word]) => ((word >> 62n) & 1n) === 0n).map(([at]) => turned(image, at)),
    table.map(([at]) => damage(at, new Uint8Array(8))),
    h.version === 3 ? marked : []
  ].filter((each) => each.length > 0)
}

const pick = <A>(list: readonly A[], n: number): readonly A[] => list.slice(n % Math.max(1, list.length)).slice(0, 1)

const amends: readonly Action[] = [
  ...([2, 3] as const).map((version): Action => ({ _tag: 'Amend', options: { version } })),
  ...[0, 3, 4, 6].map((refcountOrder): Action => ({ _tag: 'Amend', options: { refcountOrder } })),
  ...[true, false].map((lazyRefcounts): Action => ({ _tag: 'Amend', options: { lazyRefcounts } })),
  { _tag: 'Amend', options: { version: 2, refcountOrder: 4 } }
]

const rebases: readonly Action[] = [
  { _tag: 'Rebase' },
  ...['x', 'another.raw', nameOf(200), nameOf(300, 'A')].flatMap((name) =>
    ['raw', 'qcow2'].map((format): Action => ({ _tag: 'Rebase', backing: { name, format, layers: [] } }))
  )
]

/** The actions of a move on this image. */
const operationOf = ({ kind, which, places }: OperationMove, machine: Machine): readonly Action[] => {
  switch (kind) {
    case 'amend':
      return pick(amends, which)
    case 'rebase':
      return pick(rebases, which)
    case 'empty':
      return [{ _tag: 'MakeEmpty' }]
    case 'repair':
      return [
        ...places.flatMap((place) => pick(damages(machine), place).flatMap((kinds) => pick(kinds, place >> 4))),
        { _tag: 'Repair', mode: which % 3 === 0 ? 'leaks' : 'all' }
      ]
  }
}

/** What a script is made of: moves of a guest, and operations among them. */
export type Plot = readonly (readonly [guest: readonly Move[], then: OperationMove | undefined])[]

/** Plots with operations, and without them. */
export const arbitraryPlot: fc.Arbitrary<Plot> = fc.oneof(
  fc.tuple(fc.tuple(arbitraryScript(4, 16), fc.constant(undefined))),
  fc.array(fc.tuple(arbitraryScript(0, 6), arbitraryOperation), { minLength: 1, maxLength: 3 })
)

/** The actions of a plot. Behind what leaves an image that is not whole nothing more happens. */
export const actionsOf = (shape: Shape, plot: Plot): readonly Action[] => {
  const actions: Action[] = []
  let subject = subjectOf(begin(shape), false)
  const go = (action: Action): void => {
    actions.push(action)
    subject = act(subject, action)
  }
  for (const [guest, then] of plot) {
    if (subject.disk.wrong !== undefined) break
    for (const each of guest) go(commandOf(each, subject.disk, actions.length + 1))
    if (then !== undefined) for (const each of operationOf(then, subject.machine)) go(each)
  }
  return actions
}
