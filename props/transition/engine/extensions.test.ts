/** Changes of the first cluster: after any crash it opens, and says what it said or what it is to say. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromText } from '../../../src/bytes/octets.js'
import type { Extension } from '../../../src/format/extension.js'
import type { AnyCommand } from '../../../src/transition/command.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { type Drawn, headOf, heads, machineWith, nameOf, Seen, through } from './heads.js'
import { perhaps, right } from '../model/machine.js'

const test = suite('extensions')

const add = (name: string): AnyCommand => ({ _tag: 'BitmapAdd', name, granularity: 512, enabled: true })
const remove = (name: string): AnyCommand => ({ _tag: 'BitmapRemove', name })
const rebase = (length: number, format: string): AnyCommand => ({
  _tag: 'Rebase',
  backing: { name: nameOf(length, 'A'), format, layers: [] }
})

const commands: fc.Arbitrary<AnyCommand> = fc.oneof(
  fc.constantFrom('a', 'b').map(add),
  fc.constantFrom('a', 'b').map(remove),
  fc
    .constantFrom({ version: 2 as const }, { version: 3 as const }, { lazyRefcounts: true }, { refcountOrder: 1 })
    .map((options): AnyCommand => ({ _tag: 'Amend', options })),
  fc.constant<AnyCommand>({ _tag: 'Rebase' }),
  fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom('raw', 'qcow2')).map((to) => rebase(...to))
)

test('a crash leaves the first cluster as it was, or as it is to be, or without a part that it names', () => {
  const seen = new Seen()
  holds(
    fc.property(heads, fc.array(commands, { minLength: 1, maxLength: 5 }), (drawn, script) => {
      script.reduce((m, command) => through(m, command, seen), machineWith(drawn))
    }),
    { runs: 30 }
  )
  note(`${seen.states} crash states, ${seen.nameless} without a backing file, ${seen.cut} without an extension`)
})

const other = (length: number): Extension => ({
  _tag: 'Other',
  type: 1,
  data: new Uint8Array(length).fill(5),
  padding: new Uint8Array(0)
})
const drawn = (clusterBits: number, extensions: readonly Extension[], name: number): Drawn => ({
  options: { size: 2048, version: 3, clusterBits },
  extensions: [{ _tag: 'BackingFormat', data: fromText('raw'), padding: new Uint8Array(0) }, ...extensions],
  name: nameOf(name)
})

test('with room for a copy, bitmaps and extensions change at once, and the backing file name stays', () => {
  const seen = new Seen()
  for (const [bits, name] of [
    [9, 1],
    [9, 60],
    [10, 200],
    [13, 1023]
  ] as const)
    [add('a'), add('b'), remove('a'), remove('b')].reduce(
      (m, command) => through(m, command, seen),
      machineWith(drawn(bits, [other(5)], name))
    )
  assert.ok(seen.states > 0)
  assert.equal([seen.nameless, seen.cut, seen.untrusted], [0, 0, 0])
})

test('without room for a copy, a crash may lose extensions, but the image opens', () => {
  const seen = new Seen()
  for (const name of [100, 180, 240, 300, 336])
    [add('a'), add('b'), remove('a'), remove('b')].reduce(
      (m, command) => through(m, command, seen),
      machineWith(drawn(9, [], name))
    )
  for (const length of [100, 240, 272])
    [add('a'), add('b'), remove('a')].reduce(
      (m, command) => through(m, command, seen),
      machineWith({ ...drawn(9, [other(length)], 0), extensions: [other(length)] })
    )
  assert.ok(seen.nameless > 0 && seen.untrusted > 0)
})

test('unknown extensions keep their place and their bytes, and zeros follow the end marker', () => {
  const extensions: readonly Extension[] = [
    { _tag: 'Other', type: 9, data: fromText('first'), padding: new Uint8Array(3).fill(255) },
    { _tag: 'Other', type: 7, data: fromText('second'), padding: new Uint8Array(2).fill(255) }
  ]
  const m = machineWith({ options: { size: 2048, version: 3, clusterBits: 9 }, extensions, name: '' })
  const script = [add('a'), add('b'), rebase(40, 'raw'), remove('a'), rebase(20, 'raw'), remove('b')]
  const last = [...script, { _tag: 'Rebase' } as const].reduce((n, command) => right(perhaps(n, command)), m)
  assert.equal(headOf(last.files).extensions, headOf(m.files).extensions)
  assert.equal(last.files.image.subarray(104, 512), m.files.image.subarray(104, 512))
})

test.run()
