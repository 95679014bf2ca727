/** Images that are changed: locked, their backing files open below them, and repaired first where they are dirty. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { compressionType } from '../../format/header.js'
import type { Layer } from '../../image/guest/chain.js'
import { activeDisk } from '../../image/guest/extents.js'
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
import { dataPlace } from './follow.js'
import { decodersOf } from './guest.js'
import { ImageFiles } from './image-files.js'
import { openChainAt } from './open.js'
import { openableMetadata, type OpenableMetadata } from './openable-metadata.js'
import { openRaw, type Writable } from './raw.js'
import { Session } from './session.js'

/** An image whose files are open and locked, and of which nothing has been changed yet. */
export interface LockedImage {
  readonly name: string
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
  /** Opening checks that are passed over. */
  readonly passed?: readonly string[]
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

/** Opens and locks the files of an image; after a failure nothing is open. */
export const lockImage = (image: string | Place, options: LockOptions = {}): TaskEither<CommandError, LockedImage> => {
  const place = typeof image === 'string' ? { name: image } : image
  const { name } = place
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
    if (isUrl(name))
      return yield* get(failure(`Could not open '${name}': an image on a server cannot be changed`, { file: name }))
    const file = yield* wait(open(place))
    const source = { name, length: file.length(), world: { _tag: 'Sync', read: file.read } } as const
    const metadata = yield* wait(openableMetadata(source, options.passed))
    const { externalDataFile } = metadata.header.incompatibleFeatures
    const data = externalDataFile ? yield* wait(open(yield* get(dataPlace(name, metadata, allow)))) : undefined
    const chain =
      metadata.backingName === undefined || options.alone === true
        ? undefined
        : yield* wait(openChainAt(place, { allow }))
    if (chain !== undefined) opened.push(chain)
    const below = chain?.world._tag === 'Sync' ? chain.world : undefined
    const backing = chain?.chain.slice(1) ?? []
    return {
      name,
      files: new ImageFiles(file, data, below),
      metadata,
      around: { backing, ...(await codecs(metadata, backing, options)) },
      close
    }
  })
  return () => lockAll()().then(onLeft(close))
}

/** Repairs a dirty image, and does what opening for writing obliges to. @see FEAT-04 and OPEN-40 */
const begin = ({ name, files, metadata, around }: LockedImage): E.Either<CommandError, Session> => {
  const { dirty, corrupt } = metadata.header.incompatibleFeatures
  const repaired = dirty && !corrupt ? files.repair(around, 'all') : E.right(undefined)
  return E.isLeft(repaired)
    ? E.left(because(`Could not repair dirty image '${name}'`, name)(repaired.left))
    : E.mapLeft(cannotOpen(name))(Session.open(files, around))
}

/** Opens an image for writing; its session is to be ended, and it is to be closed. */
export const openForWriting = task(async function* (image: string | Place, options: LockOptions = {}) {
  const locked = yield* wait(lockImage(image, options))
  const { close } = locked
  return { session: yield* get(onLeft(close)(begin(locked))), close }
})

/** Opens an image, or a raw file, for writing. */
export const openWritable = (
  name: string,
  format: 'qcow2' | 'raw',
  allow: readonly string[]
): TaskEither<CommandError, Writable> => (format === 'raw' ? openRaw({ name }) : openForWriting(name, { allow }))

/** Changes an image; what waits is durable when it ends. */
export const withImage = <A>(
  image: string | Place,
  options: LockOptions,
  change: (session: Session) => Body<A>
): AsyncGenerator<Failed, A> =>
  using(openForWriting(image, options), async function* ({ session }) {
    const result = yield* change(session)
    yield* get(session.end())
    return result
  })
