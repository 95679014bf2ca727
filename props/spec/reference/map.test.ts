/** The reference maps an image as `qemu-img map` does, entry for entry. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { ClauseId } from '../../../spec/clauses/index.js'
import { bytesAt } from '../../../spec/reference/image.js'
import { joined, type MapEntry, mapOf } from '../../../spec/reference/map.js'
import { note, suite } from '../../run/suite.js'
import { opened, tally } from './corpus.js'

const test = suite('reference map')

/**
 * Images with metadata preallocated over a hole of the host file. QEMU asks the file system, and calls such data zero;
 * the reference has only the bytes.
 */
const overHoles: Readonly<Record<string, ClauseId>> = {
  'case-46-preallocation-metadata': 'RD-09',
  'case-63-grown-preallocated': 'RD-09'
}

/** The map with data over holes called data like any other. */
const withoutHoles = (entries: readonly MapEntry[]): readonly MapEntry[] =>
  joined(entries.map((entry) => (entry.data ? { ...entry, zero: false } : entry)))

test('every entry is that of qemu-img, and a map is refused where qemu-img refuses it', () => {
  let entries = 0
  const refused: string[] = []
  for (const { name, expect, reference } of opened('map')) {
    const { exit, stdout, stderr } = expect.map
    const ours = mapOf(reference)
    if (E.isLeft(ours)) {
      assert.is(exit, 1, `${name}: ${ours.left}`)
      refused.push(ours.left)
      continue
    }
    assert.is(exit, 0, `${name}: ${stderr}`)
    const said = stdout ?? []
    const holes = said.filter(({ zero, data }) => zero && data)
    assert.is(holes.length > 0, name in overHoles, name)
    for (const { offset = 0, length } of holes)
      assert.ok(
        bytesAt(reference.file, offset, length).every((byte) => byte === 0),
        name
      )
    assert.equal(ours.right, withoutHoles(said), name)
    entries += said.length
  }
  const exempt = Object.entries(overHoles).map(([name, clause]) => `${name} [${clause}]`)
  note(`${entries} entries equal, but for what is a hole of the host file in ${exempt.join(' and ')}`)
  note(`${refused.length} maps refused, by clause: ${tally(refused)}`)
  assert.ok(entries > 3000 && refused.length > 5)
})

test.run()
