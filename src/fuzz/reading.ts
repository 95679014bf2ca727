/** Readings: the disk that a reader must find in an image, or why it must refuse. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import type { Issue } from '../bytes/issue.js'
import { empty, toText, viewOf } from '../bytes/octets.js'
import { fromMemory, type Plan, type Read, runSync } from '../bytes/plan.js'
import type { Decompressor } from '../compression/decompress.js'
import { lastExtension } from '../format/extension-area.js'
import { headerV2 } from '../format/header.js'
import { type Chain, chainSize } from '../image/guest/chain.js'
import { activeDisk } from '../image/guest/extents.js'
import { readGuest } from '../image/guest/read.js'
import { type Metadata, readMetadata, refusal } from '../image/metadata.js'
import { companions } from './assembly.js'

/** Why no disk is expected of a reader. */
type Unread =
  | { readonly _tag: 'Refused'; readonly clause: ClauseId; readonly why: string }
  /** Readers may differ, or it takes too long to find out. */
  | { readonly _tag: 'Unsure'; readonly why: string }

/** What a reader must do with an image. */
export type Reading = Unread | { readonly _tag: 'Disk'; readonly bytes: Uint8Array }

/** Guest bytes from which on a disk is not read. */
const largest = 2 ** 22

/** Snapshots from which on an image is not judged: reading them takes as long as a hundred other images. */
const manySnapshots = 2 ** 8

const refused = ([first]: readonly Issue[]): Unread =>
  first === undefined
    ? { _tag: 'Unsure', why: 'no issue was found' }
    : { _tag: 'Refused', clause: first.clause, why: first.message }

const unsure = (why: string): Unread => ({ _tag: 'Unsure', why })

const file = (name: string): Uint8Array => companions.get(name) ?? empty

const runOn = <A>(image: Uint8Array, plan: Plan<A>): E.Either<readonly Issue[], A> => {
  const files = { image: fromMemory(image), data: fromMemory(file('data.raw')), base: fromMemory(file('base.raw')) }
  const read = (request: Read): Uint8Array => (request.file.depth > 0 ? files.base : files[request.file.part])(request)
  return runSync(plan, { read, emit: () => undefined })
}

/** The number of snapshots that the header names, of a file that is long enough. */
const snapshotsIn = (image: Uint8Array): number =>
  image.length < headerV2.size ? 0 : headerV2.atWith(viewOf(image), () => ({})).nbSnapshots

/** The metadata of an image that opens; else what a reader must do. */
const opened = (image: Uint8Array): E.Either<Unread, Metadata> => {
  if (snapshotsIn(image) > manySnapshots) return E.left(unsure('it names many snapshots'))
  const read = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(read)) return E.left(refused(read.left))
  const why = refusal(read.right.issues)
  return why === undefined ? read : E.left(refused([why]))
}

/** Whether the image opens, without a look at its guest data. */
export const opening = (image: Uint8Array): Unread | { readonly _tag: 'Opens' } => {
  const m = opened(image)
  return E.isRight(m) ? { _tag: 'Opens' } : m.left
}

/** The layers of an image beside the companions; why readers may differ about them. */
const chainOf = (m: Metadata): E.Either<Unread, Chain> => {
  if (m.geometry === undefined) return E.left(unsure('it has no geometry'))
  if (m.header.cryptMethod !== 0) return E.left(unsure('it is encrypted'))
  const disk = activeDisk(m, m.geometry)
  if (disk.size > largest) return E.left(unsure(`its disk has ${disk.size} bytes`))
  if (m.geometry.externalDataFile && toText(lastExtension(m.extensions, 'DataFile')?.data ?? empty) !== 'data.raw')
    return E.left(unsure('it names another data file'))
  const top = { _tag: 'Image', disk } as const
  if (m.backingName === undefined) return E.right([top])
  const format = lastExtension(m.extensions, 'BackingFormat')?.data
  if (toText(m.backingName) !== 'base.raw' || format === undefined || toText(format) !== 'raw')
    return E.left(unsure('it names another backing file'))
  return E.right([top, { _tag: 'Raw', size: file('base.raw').length }])
}

/** What a reader must make of an image in a folder with the {@link companions}. */
export const reading = (image: Uint8Array, decompressor: Decompressor): Reading => {
  const m = opened(image)
  if (E.isLeft(m)) return m.left
  const chain = chainOf(m.right)
  if (E.isLeft(chain)) return chain.left
  const bytes = runOn(image, readGuest(chain.right, 0, chainSize(chain.right), decompressor))
  return E.isLeft(bytes) ? refused(bytes.left) : { _tag: 'Disk', bytes: bytes.right }
}
