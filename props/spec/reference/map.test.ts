/** The reference map has the entries of `qemu-img map`. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { ClauseId } from '../../../spec/clauses/index.js'
import { bytesAt } from '../../../spec/reference/image.js'
import { joined, type MapEntry, mapOf } from '../../../spec/reference/map.js'
import { note, suite } from '../../run/suite.js'
import { opened, tally } from './corpus.js'

const test = suite('reference map')

/**
 * Images with preallocated clusters over a hole of the host file. QEMU asks the file system and reports such data as
 * zero; the reference sees only bytes.
 */
const overHoles: Readonly<Record<string, ClauseId>> = {
  'case-46-preallocation-metadata': 'RD-09',
  'case-63-grown-preallocated': 'RD-09'
}

/** The map without the distinction between data and holes of the host file. */
const withoutHoles = (entries: readonly MapEntry[]): readonly MapEntry[] =>
  joined(entries.map((entry) => (entry.data ? { ...entry, zero: false } : entry)))

test('every entry is that of qemu-img map, and a map fails where qemu-img fails', () => {
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
    const theirs = stdout ?? []
    const holes = theirs.filter(({ zero, data }) => zero && data)
    assert.is(holes.length > 0, name in overHoles, name)
    for (const { offset = 0, length } of holes)
      assert.ok(
        bytesAt(reference.file, offset, length).every((byte) => byte === 0),
        name
      )
    assert.equal(ours.right, withoutHoles(theirs), name)
    entries += theirs.length
  }
  const exempt = Object.entries(overHoles).map(([name, clause]) => `${name} [${clause}]`)
  note(`${entries} entries equal, but for holes of the host file in ${exempt.join(' and ')}`)
  note(`${refused.length} maps rejected, by clause: ${tally(refused)}`)
  assert.ok(entries > 3000 && refused.length > 5)
})

test.run()
