/** Images that are changed: locked, their backing files open below them, and repaired first where they are dirty. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { compressionType } from '../../format/header.js'
import type { Layer } from '../../image/guest/chain.js'
import { activeDisk } from '../../image/guest/extents.js'
import { writeRefusal } from '../../image/metadata.js'
import type { OpenOptions } from '../../transition/engine/open.js'
import {
  because,
  type Body,
  type CommandError,
  type Failed,
  failure,
  get,
  onLeft,
  task,
  using,
  wait
} from '../command-error.js'
import { compressorOf } from '../compression/compress.js'
import { native } from '../compression/native.js'
import { type DiskFile, openDiskFile } from '../files/disk-file.js'
import type { Place } from '../files/file.js'
import { cannotOpen, isUrl } from '../files/source.js'
import { dataFilePlace, keepVersion } from './below.js'
import { decodersOf } from './guest.js'
import { ImageFiles } from './image-files.js'
import { type ImageNode, nodeAt, type NodeOptions } from './image-node.js'
import { decryptionOf } from './key.js'
import { openImage } from './open.js'
import { openableMetadata, type OpenableMetadata, type Refusal } from './openable-metadata.js'
import { rawWritable, type Writable } from './raw.js'
import { Session } from './session.js'

/** An image whose files are open and locked, and of which nothing has been changed yet. */
export interface LockedImage {
  readonly name: string
  readonly options: NodeOptions
  readonly files: ImageFiles
  readonly metadata: OpenableMetadata
  readonly around: OpenOptions
  readonly close: () => void
}

/** How an image is opened. */
interface LockOptions {
  /** Folders, beside the image's own, whose files may be opened as backing files and data files. */
  readonly allow?: readonly string[]
  /** Whether backing files are left alone: the command looks at no guest bytes. */
  readonly alone?: boolean
  /** How the image is judged: as for writing, unless given. */
  readonly refusalOf?: Refusal
}

/** What compresses and decompresses guest bytes: the best there is, unless the command looks at none. */
const codecs = async (
  m: OpenableMetadata,
  backing: OpenOptions['backing'],
  { alone }: LockOptions
): Promise<Omit<OpenOptions, 'backing'>> => {
  if (alone === true) return { decompressor: native }
  const top: Layer = { _tag: 'Image', disk: activeDisk(m, m.geometry) }
  const type = compressionType(m.header) === 1 ? 'zstd' : 'zlib'
  return { decompressor: await decodersOf([top, ...backing]), compressor: await compressorOf(type) }
}

/** Fails for an image that is to be opened for reading only. */
const keepWritable = ({ file: { name, readOnly, part }, ...node }: ImageNode): E.Either<CommandError, void> => {
  const refused = (why: string): E.Either<CommandError, never> =>
    failure(`Could not open '${name}': ${why}`, { file: name })
  if (isUrl(name)) return refused('an image on a server cannot be changed')
  if (node.forceShare === true) return refused('force-share=on can only be used with read-only images')
  if (node.readOnly === true || readOnly === true) return refused('Block node is read-only')
  return part === undefined ? E.right(undefined) : refused('a part of a file is opened for reading only')
}

/** Opens and locks the files of an image; after a failure nothing is open. */
export const lockImage = (
  image: string | ImageNode,
  options: LockOptions = {}
): TaskEither<CommandError, LockedImage> => {
  const node = typeof image === 'string' ? nodeAt(image) : image
  const { name } = node.file
  const { allow = [] } = options
  const opened: { readonly close: () => void }[] = []
  const close = (): void => {
    for (const file of opened.splice(0)) file.close()
  }
  const open = (at: Place): TaskEither<CommandError, DiskFile> =>
    TE.map((file: DiskFile) => {
      opened.push(file)
      return file
    })(openDiskFile(at))
  const lockAll = task(async function* () {
    yield* get(keepWritable(node))
    const file = yield* wait(open(node.file))
    const source = { name, length: file.length(), world: { _tag: 'Sync', read: file.read } } as const
    const metadata = yield* wait(openableMetadata(source, options.refusalOf ?? writeRefusal))
    yield* get(keepVersion(node, metadata))
    const decryption = yield* wait(decryptionOf(source, metadata, node))
    if (decryption !== undefined) opened.push({ close: decryption.wipe })
    const dataFile = yield* get(dataFilePlace(metadata, node, allow))
    const data = dataFile === undefined ? undefined : yield* wait(open(dataFile))
    const isAlone =
      options.alone === true || (metadata.backingName === undefined && (node.backing ?? 'none') === 'none')
    // Its own key is known, and takes time to derive.
    const { keySecret: _, ...keyless } = node
    const chain = isAlone ? undefined : yield* wait(openImage(keyless, { allow }))
    if (chain !== undefined) opened.push(chain)
    if (chain?.world._tag === 'Async')
      yield* get(
        failure(`Could not open '${name}': a backing file is on a server: the image can only be read`, { file: name })
      )
    const below = chain?.world._tag === 'Sync' ? chain.world : undefined
    const backing = chain?.chain.slice(1) ?? []
    return {
      name,
      options: node,
      files: new ImageFiles(file, data, below),
      metadata,
      around: { backing, decryption, ...(await codecs(metadata, backing, options)) },
      close
    }
  })
  return () => lockAll()().then(onLeft(close))
}

/** Repairs a dirty image, and does what opening for writing obliges to. @see FEAT-04 and OPEN-40 */
const begin = ({ name, options, files, metadata, around }: LockedImage): E.Either<CommandError, Session> => {
  const { dirty, corrupt } = metadata.header.incompatibleFeatures
  const repaired = dirty && !corrupt ? files.repair(around, 'all') : E.right(undefined)
  return E.isLeft(repaired)
    ? E.left(because(`Could not repair dirty image '${name}'`, name)(repaired.left))
    : E.mapLeft(cannotOpen(name))(Session.open(files, around, options))
}

/** Opens an image for writing; its session is to be ended, and it is to be closed. */
export const openForWriting = task(async function* (image: string | ImageNode, options: LockOptions = {}) {
  const locked = yield* wait(lockImage(image, options))
  const { close } = locked
  return { session: yield* get(onLeft(close)(begin(locked))), close }
})

/** Opens and locks a raw file for writing. */
export const openRawFile = (image: ImageNode): TaskEither<CommandError, DiskFile> =>
  TE.chain(() => openDiskFile(image.file))(TE.fromEither(keepWritable(image)))

/** Opens an image, or a raw file, for writing. */
export const openWritable = (image: ImageNode, allow: readonly string[]): TaskEither<CommandError, Writable> =>
  image.driver === 'raw'
    ? TE.map((disk: DiskFile) => rawWritable(disk, image))(openRawFile(image))
    : openForWriting(image, { allow })

/** Changes an image; what waits is durable when it ends. */
export const withImage = <A>(
  image: string | ImageNode,
  options: LockOptions,
  change: (session: Session) => Body<A>
): AsyncGenerator<Failed, A> =>
  using(openForWriting(image, options), async function* ({ session }) {
    const result = yield* change(session)
    yield* get(session.end())
    return result
  })
