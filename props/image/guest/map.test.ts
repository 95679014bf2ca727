/** What `map` says is what qemu-img says, of every image of the corpus. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { type Loaded, load, names } from '../../../corpus/load.js'
import { isObject } from '../../../src/bytes/json.js'
import { map, type MapEntry, mapEntryJson, mapEntryText } from '../../../src/image/guest/map.js'
import { note, suite } from '../../run/suite.js'
import { chainOf, runChain } from './chains.js'

const test = suite('map')

const mapped = (loaded: Loaded): E.Either<string, readonly MapEntry[]> => {
  const entries: MapEntry[] = []
  return E.chain((c: Parameters<typeof runChain>[0]) =>
    E.map(() => entries)(
      runChain(c, map(c.chain), (e) => {
        entries.push(e)
      })
    )
  )(chainOf(loaded))
}

const asEntries = (json: unknown): readonly MapEntry[] =>
  Array.isArray(json)
    ? json.filter(isObject).map((e) => ({
        start: Number(e['start']),
        length: Number(e['length']),
        depth: Number(e['depth']),
        present: e['present'] === true,
        zero: e['zero'] === true,
        data: e['data'] === true,
        ...(e['offset'] === undefined ? {} : { offset: Number(e['offset']) })
      }))
    : []

test('every entry is that of qemu-img, and a map is refused where qemu-img refuses it', () => {
  let entries = 0
  let overHoles = 0
  let refused = 0
  for (const name of names()) {
    const loaded = load(name)
    const said = loaded.expect.map
    const ours = mapped(loaded)
    assert.is(E.isLeft(ours), said.exit !== 0, `${name}: ${E.isLeft(ours) ? ours.left : ''} ${said.stderr}`)
    if (E.isLeft(ours)) {
      refused++
      continue
    }
    const wanted = asEntries(said.stdout)
    const found = asEntries(ours.right.map(mapEntryJson))
    assert.equal(
      ours.right.map((e): unknown => JSON.parse(mapEntryText(e))),
      ours.right.map(mapEntryJson)
    )
    // Bytes in memory have no holes: props/node/holes.test.ts has the maps of images with data clusters over some.
    if (wanted.some(({ data, zero }) => data && zero)) {
      overHoles++
      continue
    }
    assert.equal(found, wanted, name)
    entries += wanted.length
  }
  assert.ok(overHoles <= 4, `${overHoles} images have data over holes`)
  note(`${entries} entries equal, ${refused} maps refused, ${overHoles} images with data over holes of the host file`)
})

test.run()
