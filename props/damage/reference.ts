/** What the reference says of a damaged image that is opened; whether it is opened is not the reference's subject. */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { check, exitCode } from '../../spec/reference/check.js'
import { type Disk, type Image, openImage, snapshotsOf, type Table } from '../../spec/reference/image.js'
import { mapOf } from '../../spec/reference/map.js'
import { type Read, readGuest } from '../../spec/reference/reader.js'
import { label } from '../../src/bytes/octets.js'
import { type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { companionsOf } from '../image/guest/chains.js'
import { runOn } from '../image/world.js'
import { tools } from '../spec/reference/corpus.js'
import {
  askable,
  countsText,
  digest,
  digits,
  mapText,
  type Question,
  snapshotId,
  type Subject,
  type Verdict
} from './verdict.js'

const metadataOf = (file: Uint8Array): E.Either<unknown, Metadata> => E.flatten(runOn(file, readMetadata()))

/** The image with the files it stands on, all of which are there. */
const opened = (loaded: Subject, file: Uint8Array): E.Either<unknown, Image> =>
  E.chain((m: Metadata): E.Either<unknown, Image> => {
    const companions = companionsOf(loaded, m)
    if (E.isLeft(companions)) return companions
    const { data, backing } = companions.right
    if (backing === undefined) return E.right(openImage(file, data))
    if (backing.format === 'raw') return E.right(openImage(file, data, backing.bytes))
    return E.map((below: Disk) => openImage(file, data, below))(opened(loaded, backing.bytes))
  })(metadataOf(file))

const digestOf = (image: Image, l1: Table): Read<string> => {
  const hash = createHash('sha256')
  for (let start = 0; start < image.size; start += image.clusterSize) {
    const bytes = readGuest(image, start, Math.min(image.clusterSize, image.size - start), tools, l1)
    if (E.isLeft(bytes)) return bytes
    hash.update(bytes.right)
  }
  return E.right(hash.digest('hex').slice(0, digits))
}

const snapshotDigest = (image: Image, m: Metadata): E.Either<unknown, string> => {
  const snapshot = snapshotsOf(image)[m.snapshots.findIndex((s) => label(s.id) === snapshotId)]
  return snapshot === undefined ? E.left('no such snapshot') : digestOf(image, snapshot.l1)
}

const answer = (question: Question, image: Image, m: Metadata): E.Either<unknown, string> => {
  switch (question) {
    case 'check':
      return E.map((counts: Parameters<typeof exitCode>[0]) => countsText(exitCode(counts), counts))(check(image))
    case 'map':
      return E.map((entries: Parameters<typeof mapText>[0]) => digest(mapText(entries)))(mapOf(image))
    case 'guest':
      return digestOf(image, image.l1)
    case 'snapshot':
      return snapshotDigest(image, m)
  }
}

/** The reference's answers; where the image is refused, or a file it stands on is missing, it has none. */
export const referenceVerdict = (loaded: Subject): Partial<Verdict> => {
  const m = metadataOf(loaded.image)
  if (E.isLeft(m)) return {}
  const asked = askable(loaded).filter(
    (question) => refusal(m.right.issues, question === 'check' ? ['OPEN-14'] : []) === undefined
  )
  const image = asked.length === 0 ? E.left('refused') : opened(loaded, loaded.image)
  if (E.isLeft(image)) return {}
  return Object.fromEntries(
    asked.map((question) => [question, E.getOrElse(() => '1')(answer(question, image.right, m.right))])
  )
}
