/** The verdict on every image of the corpus says what qemu-img says, and what stands in its header beyond that. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, type Loaded, names } from '../../corpus/load.js'
import { isObject } from '../../src/bytes/json.js'
import { fromText, label } from '../../src/bytes/octets.js'
import { readMetadata } from '../../src/image/metadata.js'
import { type Verdict, verdict, verdictJson } from '../../src/image/verdict.js'
import { note, suite } from '../run/suite.js'
import { runOn } from './world.js'

const test = suite('verdict')

/** What qemu-img says of each image, and what is said here. */
const all = new Map<string, { readonly expect: Loaded['expect']; readonly v: Verdict | undefined }>()
test.before(() => {
  for (const name of names()) {
    const { expect, image } = load(name)
    const read = E.flatten(runOn(image, readMetadata()))
    all.set(name, { expect, v: E.isLeft(read) ? undefined : verdict(read.right, image.length) })
  }
})

const known = (name: string): Verdict => {
  const v = all.get(name)?.v
  if (v === undefined) throw new Error(`${name} has no header`)
  return v
}

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : label(bytes))

const at = (u: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), u)

const counted = (list: unknown): number => (Array.isArray(list) ? list.length : 0)

test('dependencies, encryption, dirty and corrupt bits, sizes and numbers are those of qemu-img info', () => {
  let compared = 0
  for (const [name, { expect, v }] of all) {
    const said = expect.info.stdout
    if (!isObject(said) || v === undefined || expect.info.exit !== 0) continue
    const data = at(said, 'format-specific', 'data')
    assert.is(text(v.backing?.name), said['backing-filename'], name)
    assert.is(text(v.backing?.format), said['backing-filename-format'], name)
    assert.is(v.dataFile !== undefined, at(data, 'data-file-raw') !== undefined, name)
    if (v.dataFile?.name !== undefined) assert.is(label(v.dataFile.name), at(data, 'data-file'), name)
    assert.is(v.selfContained, v.backing === undefined && v.dataFile === undefined, name)
    assert.is(v.encryption, at(data, 'encrypt', 'format') ?? 'none', name)
    assert.is(v.dirty, said['dirty-flag'], name)
    assert.is(v.corrupt, at(data, 'corrupt') ?? false, name)
    assert.is(Number(v.virtualSize), said['virtual-size'], name)
    assert.is(v.snapshots, counted(said.snapshots), name)
    assert.is(v.bitmaps, counted(at(data, 'bitmaps')), name)
    compared++
  }
  assert.ok(compared > 450)
  note(`${compared} images compared`)
})

test('an image is refused where qemu-img check refuses to open it', () => {
  let refused = 0
  for (const [name, { expect, v }] of all) {
    const opened = expect.info.exit === 0 && !/Could not open|requires a data file/.test(expect.check.stderr)
    if (v?.refused !== undefined) {
      assert.not.ok(opened, `${name}: ${v.refused}`)
      refused++
    } else if (v !== undefined) assert.is(expect.info.exit, 0, name)
  }
  assert.ok(refused > 40)
  note(`${refused} images refused`)
})

test('unknown feature bits and extensions are reported by number', () => {
  const kept = known('case-73-unknown-kept')
  assert.equal(kept.unknownFeatures, { incompatible: [], compatible: [1], autoclear: [] })
  assert.equal(kept.unknownExtensions, [0x12345678])
  assert.equal(known('broken-incompatible-bit-5').unknownFeatures.incompatible, [5])
  assert.is(known('broken-incompatible-bit-5').refused, 'FEAT-01')
  assert.equal(known('broken-bitmaps-length-23').unknownExtensions, [])
})

test('a dependency has a kind, and no name where the image has none', () => {
  const { backing } = known('case-17-backing-without-format')
  assert.equal(backing, { name: fromText('base.qcow2'), kind: 'plain' })
  assert.equal(known('case-37-data-file').dataFile, { name: fromText('img.raw'), kind: 'plain' })
  assert.equal(known('case-39-data-file-unnamed').dataFile, { kind: 'empty' })
  assert.is(known('odd-data-file-name-alone').dataFile, undefined)
  const kinds = [...all.values()].flatMap(({ v }) => v?.backing?.kind ?? [])
  assert.ok(kinds.includes('json'))
})

test('a backing file name outside of the first cluster is unreadable, and a dependency', () => {
  const { image } = load('case-17-backing-without-format')
  const patched = image.slice()
  new DataView(patched.buffer).setBigUint64(8, 1n << 40n)
  const read = E.flatten(runOn(patched, readMetadata()))
  const v = E.isRight(read) ? verdict(read.right, patched.length) : undefined
  assert.equal(v?.backing, { kind: 'unreadable' })
  assert.is(v?.selfContained, false)
  assert.is(v?.refused, 'OPEN-06')
})

test('a dependency without a name is null in JSON', () => {
  const json = verdictJson(known('case-39-data-file-unnamed'))
  assert.equal(json['data-file'], { name: null, kind: 'empty' })
  assert.is(json['self-contained'], false)
  assert.is(json['refused'], null)
})

test.run()
