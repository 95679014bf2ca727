/** A metadump keeps what a check and a map look at, and nothing that the guest wrote. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { issueJson } from '../../src/bytes/issue.js'
import { toHex, toText } from '../../src/bytes/octets.js'
import type { ByteRange } from '../../src/image/byte-range.js'
import { check } from '../../src/image/check/check.js'
import { checkJson } from '../../src/image/check/report.js'
import { gaps } from '../../src/image/dump/gaps.js'
import { Pseudonyms } from '../../src/image/dump/redact.js'
import { regions } from '../../src/image/dump/regions.js'
import type { Chain } from '../../src/image/guest/chain.js'
import { activeDisk, snapshotDisk } from '../../src/image/guest/extents.js'
import { map, mapEntryText } from '../../src/image/guest/map.js'
import { readPartition } from '../../src/image/luks-area.js'
import { metadump, type MetadumpOptions, type MetadumpReport } from '../../src/image/metadump.js'
import { luksPointer, type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { eachKept } from '../damage/kept.js'
import { drawFromEnvironment } from '../run/seed.js'
import { suite } from '../run/suite.js'
import { right, runOn } from './world.js'

const test = suite('metadump')

/** The copy of an image, and the report on it; nothing without a header. */
const copyOf = (
  image: Uint8Array,
  options?: MetadumpOptions
): { readonly copy: Uint8Array; readonly report: MetadumpReport } | undefined => {
  const copy = new Uint8Array(image.length)
  const report = runOn(image, metadump(image.length, options), ({ at, bytes }) => {
    copy.set(bytes, at)
  })
  return E.isRight(report) ? { copy, report: report.right } : undefined
}

/** Largest guest disk that is mapped, in bytes. */
const largestDisk = 2n ** 28n

/** The maps of the image alone: of its disk, and of each snapshot. */
const maps = (image: Uint8Array, m: Metadata): unknown => {
  const { geometry, snapshots } = m
  if (geometry === undefined || refusal(m.issues) !== undefined || m.header.size > largestDisk) return undefined
  const of = { ...m, geometry }
  return [E.right(activeDisk(of, geometry)), ...snapshots.map((s) => snapshotDisk(of, geometry, s))].map((disk) => {
    if (E.isLeft(disk)) return disk.left.map(issueJson)
    const chain: Chain = [{ _tag: 'Image', disk: disk.right }]
    const entries: string[] = []
    const mapped = runOn(image, map(chain), (e) => entries.push(mapEntryText(e)))
    return [entries, E.isLeft(mapped) ? mapped.left.map(issueJson) : []]
  })
}

const metadataOf = (image: Uint8Array): Metadata => right(right(runOn(image, readMetadata())))

/** What a check and the maps of an image say. */
const judged = (image: Uint8Array): unknown => {
  const m = metadataOf(image)
  const checked = right(runOn(image, check(image.length)))
  return {
    issues: m.issues.map(issueJson),
    check: E.isLeft(checked) ? checked.left.map(issueJson) : checkJson(checked.right, ''),
    maps: maps(image, m)
  }
}

/** Largest image of the corpus that is copied, in bytes. */
const largestImage = 2 ** 18

/** The images of the corpus with a header, and their copies. */
const copies = names().flatMap((name) => {
  const { image } = load(name)
  const copied = image.length > largestImage ? undefined : copyOf(image)
  return copied === undefined ? [] : [{ name, image, ...copied }]
})

test('check and map of the copy are those of the image', () => {
  for (const { name, image, copy } of copies) assert.equal(judged(copy), judged(image), name)
  assert.ok(copies.length > 300, String(copies.length))
})

test('a copy that keeps its names is damaged in the same way', () => {
  const share = Math.min(1, 0.02 * drawFromEnvironment().runs)
  let [same, different] = [0, 0]
  for (const { image: subject } of eachKept(share)) {
    const copied = copyOf(subject.image, { keepNames: true })
    if (copied === undefined) continue
    const isSame = JSON.stringify(judged(copied.copy)) === JSON.stringify(judged(subject.image))
    if (isSame) same++
    // A table that a damaged entry puts over the encryption area is zeros in the copy.
    else assert.is.not(luksPointer(metadataOf(subject.image)), undefined)
    if (!isSame) different++
  }
  assert.ok(same > 4000 * share)
  assert.ok(different < 0.01 * same)
})

/** Where the structures of an image are. */
const structuresOf = (image: Uint8Array): readonly ByteRange[] => {
  const ranges: ByteRange[] = []
  runOn(image, regions(image.length), (item) => {
    if (item._tag === 'Region') ranges.push({ at: item.region.at, size: item.region.bytes.length })
  })
  return ranges
}

test('what no structure covers is zeros in the copy of a sound image', () => {
  let hidden = 0
  for (const { name, image, copy } of copies) {
    if (name.startsWith('broken')) continue
    for (const { at, size } of gaps(structuresOf(image), image.length)) {
      if (image.subarray(at, at + size).some((byte) => byte !== 0)) hidden++
      assert.not.ok(
        copy.subarray(at, at + size).some((byte) => byte !== 0),
        `${name}, bytes ${at} to ${at + size}`
      )
    }
  }
  assert.ok(hidden > 200)
})

test('names are replaced at equal length, and kept where that is asked for', () => {
  const namesIn = (image: Uint8Array): readonly string[] => {
    const { backingName, snapshots, bitmaps } = metadataOf(image)
    return [...(backingName === undefined ? [] : [backingName]), ...[...snapshots, ...bitmaps].map((e) => e.name)].map(
      toHex
    )
  }
  let replaced = 0
  for (const { name, image, copy } of copies) {
    const [before, after] = [namesIn(image), namesIn(copy)]
    assert.equal(
      after.map((each) => each.length),
      before.map((each) => each.length),
      name
    )
    before.forEach((each, i) => {
      if (each !== '' && each !== after[i]) replaced++
    })
    assert.is(new Set(after).size, new Set(before).size, name)
    const kept = copyOf(image, { keepNames: true })?.copy ?? image
    assert.equal(namesIn(kept), before, name)
  }
  assert.ok(replaced > 50, String(replaced))
})

test('equal names get equal ones, different ones different ones, and each keeps its length and its zeros', () => {
  const { of } = new Pseudonyms()
  const bytes = (...all: readonly number[]): Uint8Array => Uint8Array.from(all)
  const single = Array.from({ length: 255 }, (_, i) => of(bytes(i + 1)).join())
  assert.is(new Set(single).size, 255)
  const long = Array.from({ length: 4000 }, (_, i) => toText(of(bytes(1, 2, 3 + (i >> 7), 1 + (i & 127)))))
  assert.is(new Set(long).size, 4000)
  assert.ok(long.every((name) => /^[A-Za-z0-9]{4}$/.test(name ?? '')))
  assert.equal(of(bytes(7, 7)), of(bytes(7, 7)))
  assert.equal(
    [...of(bytes(9, 0, 9)).keys()].filter((i) => of(bytes(9, 0, 9))[i] === 0),
    [1]
  )
})

/** An image with its active L1 entry set to another host offset. */
const withL1Entry = (image: Uint8Array, offset: bigint): Uint8Array => {
  const out = image.slice()
  new DataView(out.buffer).setBigUint64(Number(metadataOf(image).header.l1TableOffset), offset)
  return out
}

test('a leaked cluster that a check takes for an L2 table is in the copy, no other one', () => {
  const { image } = load('case-05-last-cluster-partial')
  const m = metadataOf(image)
  const l1 = Number(m.header.l1TableOffset)
  const l2 = Number(new DataView(image.buffer, image.byteOffset).getBigUint64(l1) & 0x00ff_ffff_ffff_fe00n)
  const { copy } = copyOf(withL1Entry(image, 0n)) ?? { copy: image }
  const size = 2 ** m.header.clusterBits
  assert.equal(copy.subarray(l2, l2 + size), image.subarray(l2, l2 + size))
  const others = gaps([...structuresOf(image)], image.length)
  assert.ok(others.length > 0)
  for (const { at, size: length } of others) assert.not.ok(copy.subarray(at, at + length).some((byte) => byte !== 0))
})

test('no key material, digest or salt of a LUKS header is in the copy', () => {
  const { image } = load('case-59-luks')
  const pointer = luksPointer(metadataOf(image))
  const { copy } = copyOf(image) ?? { copy: image }
  const partition = pointer === undefined ? undefined : right(runOn(image, readPartition(pointer)))
  assert.ok(pointer !== undefined && partition !== undefined)
  const area = Buffer.from(copy.buffer, Number(pointer.offset), Number(pointer.length))
  const secrets = [
    partition.header.mkDigest,
    partition.header.mkDigestSalt,
    partition.header.uuid.subarray(0, 36),
    ...partition.slots.flatMap(({ active, salt }) => (active === 0x00ac_71f3 ? [salt] : []))
  ]
  assert.is(secrets.length, 4)
  for (const secret of secrets) {
    assert.ok(Buffer.from(image).includes(Buffer.from(secret)))
    assert.not.ok(area.includes(Buffer.from(secret)))
  }
  assert.not.ok(area.subarray(592).some((byte) => byte !== 0))
  assert.equal(judged(copy), judged(image))
  // An L1 entry that names the key material as an L2 table.
  const material = Number(pointer.offset) + 512 * (partition.slots[0]?.keyMaterialOffset ?? 0)
  const over = copyOf(withL1Entry(image, BigInt(material)))?.copy ?? image
  assert.not.ok(over.subarray(material, material + 65536).some((byte) => byte !== 0))
})

test.run()
