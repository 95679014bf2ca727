/** Targets that read: each takes any bytes for an image, and compares with the reference where that is cheap. */
import * as E from 'fp-ts/lib/Either.js'
import { check as referenceCheck, exitCode as referenceExit } from '../../spec/reference/check.js'
import { type Image, openImage } from '../../spec/reference/image.js'
import { joined, mapOf } from '../../spec/reference/map.js'
import { readGuest as referenceRead } from '../../spec/reference/reader.js'
import { equal } from '../../src/bytes/octets.js'
import { portable } from '../../src/compression/decompress.js'
import { clusterSize, type Geometry, l2Entries } from '../../src/format/geometry.js'
import { check, ignoredRefusals } from '../../src/image/check/check.js'
import { checkJson, type CheckReport, exitCode } from '../../src/image/check/report.js'
import { dump } from '../../src/image/dump/dump.js'
import { explain, explainJson } from '../../src/image/dump/explain.js'
import { dirtyRanges } from '../../src/image/guest/bitmap-ranges.js'
import { type Chain, chainSize } from '../../src/image/guest/chain.js'
import { activeDisk, type GuestDisk, snapshotDisk } from '../../src/image/guest/extents.js'
import { map, type MapEntry } from '../../src/image/guest/map.js'
import { readGuest } from '../../src/image/guest/read.js'
import { vmStateDisk } from '../../src/image/guest/vm-state.js'
import { infoReport, readInfo } from '../../src/image/info.js'
import { infoJson } from '../../src/image/info-json.js'
import { type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { native } from '../../src/node/compression/native.js'
import { ofEveryStructure, type Structure } from '../arbitrary/index.js'
import { countsText } from '../damage/verdict.js'
import { assembled } from '../image/world.js'
import { tools } from '../spec/reference/corpus.js'
import type { Files } from '../transition/model/machine.js'
import { chainOver, findUnless, linear, runWithin, type Scene } from './scene.js'

/** What is made of one codec and bytes: decoding ends in issues, or in a value that encodes to the same bytes, in both forms. */
const codec =
  <A>({ name, type }: Structure<A>) =>
  (bytes: Uint8Array): void => {
    const decoded = type.decode(bytes)
    findUnless(E.isRight(decoded) || decoded.left.length > 0, () => `${name} is refused without an issue`)
    if (E.isLeft(decoded)) return
    const a = decoded.right
    const size = type.sizeOf(a)
    findUnless(type.is(a), () => `${name} decodes to a value that it does not take`)
    findUnless(equal(type.encode(a), bytes.subarray(0, size)), () => `${name} encodes to other bytes`)
    const back = type.json.decode(type.json.encode(a))
    const same = E.isRight(back) && equal(type.encode(back.right), bytes.subarray(0, size))
    findUnless(same, () => `the JSON of ${name} is that of another value`)
    type.judge(a)
  }

const codecs = ofEveryStructure(codec)

/** The header of the image, and the bytes of some sector through some other codec. */
export const header = ({ files: { image }, random }: Scene): void => {
  codecs[0]?.(image)
  const from = 512 * random.below((image.length >> 9) + 1)
  codecs[random.below(codecs.length)]?.(image.subarray(from, from + 4096))
}

/** Most bytes of `info` on a refused image, for each 4 KiB of its file that have begun. */
const infoShare = 2 ** 16

/** What `info` reports. */
export const metadata = ({ files }: Scene): void => {
  const info = runWithin(files, linear(files), readInfo())
  if (E.isLeft(info)) return
  const { length } = files.image
  const report = infoReport(info.right, { filename: 'disk.qcow2', length, fullName: (name) => name })
  const text = JSON.stringify(infoJson(report), undefined, 4)
  const most = infoShare * Math.ceil(length / 4096)
  findUnless(info.right.refused === undefined || text.length <= most, () => `info of ${text.length} bytes on ${length}`)
}

/** The metadata of an image that is not refused. */
export const openedMetadata = (files: Files, passed: readonly string[] = []): Metadata | undefined => {
  const m = E.flatten(runWithin(files, linear(files), readMetadata()))
  return E.isRight(m) && m.right.geometry !== undefined && refusal(m.right.issues, passed) === undefined
    ? m.right
    : undefined
}

/** Whether the reference, which is slow, can look at an image in a few milliseconds. */
const isCheap = ({ header: h }: Metadata): boolean => h.l1Size <= 2 ** 12 && h.nbSnapshots <= 64

const referenceOf = (files: Files, m: Metadata): Image =>
  openImage(files.image, files.data, m.backingName === undefined ? undefined : files.backing)

/** The report of a check; none of an image that is refused. */
export const checked = (files: Files, deep = false): CheckReport | undefined => {
  const options = { dataFileLength: files.data.length, ...(deep ? { deep: portable } : {}) }
  const done = E.flatten(runWithin(files, linear(files), check(files.image.length, options)))
  return E.isRight(done) ? done.right : undefined
}

/** What `check` finds, and the counts of the reference. */
export const checking = ({ files, random }: Scene): void => {
  const report = checked(files, random.below(4) === 0)
  if (report === undefined) return
  JSON.stringify(checkJson(report, 'disk.qcow2'))
  if (!isCheap(report.metadata) || refusal(report.metadata.issues, ignoredRefusals(false)) !== undefined) return
  const reference = referenceCheck(referenceOf(files, report.metadata))
  findUnless(E.isRight(reference) || report.checkErrors > 0, () => 'only the reference gives up')
  if (E.isLeft(reference)) return
  const [ours, theirs] = [
    countsText(exitCode(report), report),
    countsText(referenceExit(reference.right), reference.right)
  ]
  findUnless(ours === theirs, () => `check counts ${ours}, the reference ${theirs}`)
}

/** Guest clusters that the L2 tables of a disk hold, each table as often as the L1 table names it. */
const clustersHeld = ({ image }: Files, disk: GuestDisk): number => {
  const end = Math.min(image.length, disk.l1TableOffset + 8 * disk.l1Size)
  const l1 = image.subarray(Math.min(end, disk.l1TableOffset), end)
  let tables = 0
  for (let i = 0; i < l1.length; i += 8) if (l1.subarray(i, i + 8).some((byte) => byte !== 0)) tables++
  return tables * l2Entries(disk.g)
}

const mostHeld = 2 ** 15

/** The map of the active disk, without gaps and within bounds, and that of the reference. */
export const mapping = ({ files }: Scene): void => {
  const m = openedMetadata(files)
  if (m?.geometry === undefined) return
  const disk = activeDisk(m, m.geometry)
  const held = clustersHeld(files, disk)
  if (held > mostHeld) return
  const chain = chainOver(m, disk)
  const entries: MapEntry[] = []
  const most = 1024 + 2 * (disk.l1Size + held * (disk.g.extendedL2 ? 32 : 1))
  const bounds = { ...linear(files), requests: most, emissions: most }
  const done = runWithin(files, bounds, map(chain), (entry: MapEntry) => entries.push(entry))
  const ends = entries.map(({ start, length }) => start + length)
  findUnless(
    entries.every(({ start, length }, i) => start === (ends[i - 1] ?? 0) && (length > 0 || chainSize(chain) === 0)),
    () => 'a map with gaps'
  )
  if (E.isRight(done)) findUnless(ends.at(-1) === chainSize(chain), () => 'a map that ends before the disk')
  if (!isCheap(m) || disk.size > clusterSize(disk.g) * 2048) return
  const reference = mapOf(referenceOf(files, m))
  findUnless(E.isRight(reference) === E.isRight(done), () => `the map fails, or only that of the reference`)
  if (E.isRight(reference) && E.isRight(done))
    findUnless(
      JSON.stringify(joined(reference.right)) === JSON.stringify(entries),
      () => 'another map than the reference'
    )
}

/** Most bytes of the explanation of one byte, to which a whole table of compressed clusters may refer. */
const mostExplained = 2 ** 22

/** The dump as text, what is assembled from it, and an explanation of some byte. */
export const dumping = ({ files, random }: Scene): void => {
  const { image } = files
  const parts: string[] = []
  const done = runWithin(files, linear(files), dump(image.length, 'inline'), (text: string) => parts.push(text))
  if (E.isLeft(done)) return
  findUnless(equal(assembled(parts.join('')), image), () => 'the dump is assembled to another image')
  const explained = runWithin(files, linear(files), explain(image.length, random.below(image.length + 512)))
  const text = E.isRight(explained) ? JSON.stringify(explainJson(explained.right)) : ''
  findUnless(text.length <= mostExplained, () => `an explanation of ${text.length} bytes`)
}

/** Most guest bytes of one read. */
const mostRead = 2 ** 15

/** The active disk, then those of snapshots and their VM states. No backing file has a part in these. */
const chainsOf = (m: Metadata, g: Geometry): readonly [Chain, ...(readonly Chain[])] => [
  chainOver(m, activeDisk(m, g)),
  ...m.snapshots.slice(0, 8).flatMap((s): readonly Chain[] => {
    const [disk, state] = [snapshotDisk(m, g, s), vmStateDisk(m, g, s)]
    const ofDisk = E.isRight(disk) ? [chainOver(m, disk.right)] : []
    return E.isRight(state) ? [...ofDisk, [{ _tag: 'Image', disk: state.right }]] : ofDisk
  })
]

/** Guest bytes of the active disk, a snapshot or its VM state, by both decoders and by the reference; and a bitmap. */
export const reading = ({ files, random }: Scene): void => {
  const m = openedMetadata(files)
  if (m?.geometry === undefined) return
  const g = m.geometry
  const chains = chainsOf(m, g)
  const which = random.below(chains.length)
  const chain = chains[which] ?? chains[0]
  const size = chainSize(chain)
  const at = Math.min(random.below(2) === 0 ? 0 : random.below(2 ** 20), size)
  const length = Math.min(1 + random.below(mostRead), size - at)
  if (length <= 0) return
  const bytes = runWithin(files, linear(files), readGuest(chain, at, length, portable))
  const again = runWithin(files, linear(files), readGuest(chain, at, length, native))
  const isSame = E.isRight(bytes) ? E.isRight(again) && equal(bytes.right, again.right) : E.isLeft(again)
  findUnless(isSame, () => 'the decoders read other bytes')
  if (which === 0 && isCheap(m)) {
    const reference = referenceRead(referenceOf(files, m), at, length, tools)
    const agrees = E.isRight(reference) ? E.isRight(bytes) && equal(reference.right, bytes.right) : E.isLeft(bytes)
    findUnless(agrees, () => 'the reference reads other bytes')
  }
  const bitmap = m.bitmaps[random.below(m.bitmaps.length)]
  if (bitmap !== undefined && bitmap.bitmapTableSize <= 2 ** 12) {
    const bounds = { ...linear(files), emissions: 1024 + bitmap.bitmapTableSize * 8 * clusterSize(g) }
    runWithin(files, bounds, dirtyRanges(m, g, bitmap))
  }
}
