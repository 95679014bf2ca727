/** Opening an image that is to be changed: locked, its backing files open below it, and repaired first where it is dirty. */
import * as E from 'fp-ts/lib/Either.js'
import type { Read } from '../../bytes/plan.js'
import { compressionType } from '../../format/header.js'
import type { Layer } from '../../image/guest/chain.js'
import { activeDisk } from '../../image/guest/extents.js'
import { type Metadata, readMetadata } from '../../image/metadata.js'
import type { Surroundings } from '../../transition/engine/open.js'
import { fail } from '../files/output.js'
import { refusalLine, type Usable, usable } from './usable.js'
import { compressorOf } from '../compression/compress.js'
import { decodersOf } from './decoders.js'
import { native } from '../compression/decompress.js'
import { type DiskFile, openDiskFile } from '../files/disk-file.js'
import { reason } from '../files/file.js'
import { dataPath } from './follow.js'
import { isLocked, lockForWriting } from '../files/lock.js'
import { type OpenChain, openChain } from './open.js'
import { Session } from './session.js'
import { isUrl } from '../files/source.js'

/** An image whose files are open and locked, and of which nothing has been changed yet. */
interface Held {
  readonly session: Session
  readonly metadata: Metadata
  readonly around: Surroundings
  readonly close: () => void
}

/** How an image is opened. */
interface HoldOptions {
  /** Folders, beside the image's own, whose files may be opened as backing files. */
  readonly allow?: readonly string[]
  /** Whether backing files are left alone: the command looks at no guest bytes. */
  readonly alone?: boolean
  /** Opening checks that are passed over. */
  readonly passed?: readonly string[]
}

const locked = (name: string): DiskFile => {
  const file = openDiskFile(name)
  if (lockForWriting(file.fd)) return file
  file.close()
  throw new Error(isLocked)
}

const openFileFor = (name: string, files: DiskFile[]): E.Either<string, DiskFile> =>
  E.tryCatch(
    () => {
      const file = locked(name)
      files.push(file)
      return file
    },
    (error) => `Could not open '${name}': ${reason(error)}`
  )

const nothingBelow = (request: Read): Uint8Array => new Uint8Array(request.length)

/** The files below an image; none where it has no backing file, or where that is left alone. */
const below = async (
  name: string,
  m: Metadata,
  options: HoldOptions
): Promise<E.Either<string, OpenChain | undefined>> =>
  m.backingName === undefined || options.alone === true
    ? E.right(undefined)
    : openChain(name, { allow: options.allow ?? [] })

const metadataOf = (name: string, image: DiskFile, passed: HoldOptions['passed']): E.Either<string, Usable> => {
  const alone = new Session({ image, below: nothingBelow })
  return usable(name, E.flattenW(alone.run(readMetadata())), passed)
}

/** What packs and unpacks guest bytes: the best there is, unless the command looks at none. */
const packing = async (
  m: Metadata,
  backing: Surroundings['backing'],
  { alone }: HoldOptions
): Promise<Omit<Surroundings, 'backing'>> => {
  if (alone === true || m.geometry === undefined) return { decompressor: native }
  const top: Layer = { _tag: 'Image', disk: activeDisk(m, m.geometry) }
  const type = compressionType(m.header) === 1 ? 'zstd' : 'zlib'
  return { decompressor: await decodersOf([top, ...backing]), compressor: await compressorOf(type) }
}

const holdFiles = async (name: string, options: HoldOptions, files: DiskFile[]): Promise<E.Either<string, Held>> => {
  if (isUrl(name)) return E.left(`Could not open '${name}': an image on a server cannot be changed`)
  const image = openFileFor(name, files)
  if (E.isLeft(image)) return image
  const metadata = metadataOf(name, image.right, options.passed)
  if (E.isLeft(metadata)) return metadata
  const m = metadata.right
  const data = m.header.incompatibleFeatures.externalDataFile
    ? E.chain((path: string) => openFileFor(path, files))(
        E.mapLeft((why: string) => `Could not open '${name}': ${why}`)(dataPath(name, m))
      )
    : E.right(undefined)
  if (E.isLeft(data)) return data
  const chain = await below(name, m, options)
  if (E.isLeft(chain)) return chain
  const world = chain.right?.world
  const session = new Session({
    image: image.right,
    ...(data.right === undefined ? {} : { data: data.right }),
    below: world?._tag === 'Sync' ? world.read : nothingBelow
  })
  const close = (): void => {
    chain.right?.close()
    session.close()
  }
  const backing = chain.right?.chain.slice(1) ?? []
  return E.right({ session, metadata: m, around: { backing, ...(await packing(m, backing, options)) }, close })
}

/** Opens and locks the files of an image; the reason when that cannot be, and then nothing is open. */
export const hold = async (name: string, options: HoldOptions = {}): Promise<E.Either<string, Held>> => {
  const files: DiskFile[] = []
  const held = await holdFiles(name, options, files)
  if (E.isLeft(held)) for (const file of files) file.close()
  return held
}

/** Repairs a dirty image, and does what opening for writing obliges to. @see FEAT-04 and OPEN-40 */
const begin = (name: string, { session, metadata, around }: Held): E.Either<string, Session> => {
  const { dirty, corrupt } = metadata.header.incompatibleFeatures
  if (dirty && !corrupt) {
    const repaired = session.repair(around, 'all')
    if (E.isLeft(repaired)) return E.left(`Could not repair dirty image: ${refusalLine(name, repaired.left)}`)
  }
  const opened = session.open(around)
  return E.isLeft(opened) ? E.left(refusalLine(name, opened.left)) : E.right(session)
}

/** Opens an image for writing; the reason when that cannot be. What is opened is to be ended and closed. */
export const openForWriting = async (name: string, options: HoldOptions = {}): Promise<E.Either<string, Held>> => {
  const held = await hold(name, options)
  if (E.isLeft(held)) return held
  const begun = E.tryCatch(
    () => begin(name, held.right),
    (error) => `'${name}': ${reason(error)}`
  )
  const failed = E.isLeft(begun) ? begun : begun.right
  if (E.isRight(failed)) return held
  held.right.close()
  return failed
}

/** Runs a command on an image that is open for writing; what waits is durable when it ends. */
export const withImage = async (
  name: string,
  options: HoldOptions,
  command: (session: Session, held: Held) => number | Promise<number>
): Promise<number> => {
  const held = await openForWriting(name, options)
  if (E.isLeft(held)) return fail(held.left)
  const { session, close } = held.right
  try {
    const code = await command(session, held.right)
    session.end()
    return code
  } catch (error) {
    return fail(`'${name}': ${reason(error)}`)
  } finally {
    close()
  }
}
