/** The metadata of images that can be opened, and what they hold by name. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Issue } from '../../bytes/issue.js'
import { equal, fromText } from '../../bytes/octets.js'
import type { Geometry } from '../../format/geometry.js'
import { type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import { type Cause, type CommandError, commandError } from '../command-error.js'
import { cannotOpen, run, type Source } from '../files/source.js'
import { namingOthers } from './not-qcow2.js'

/** The metadata of an image that can be opened. */
export type OpenableMetadata = Metadata & { readonly geometry: Geometry }

/** The opening check that an image fails, if it fails one. */
export type Refusal = (m: Metadata) => Issue | undefined

/** Metadata that were read, if the image can be opened. */
const openable = (
  name: string,
  read: E.Either<Cause, Metadata>,
  refusalOf: Refusal
): E.Either<CommandError, OpenableMetadata> =>
  E.mapLeft(cannotOpen(name))(
    E.chain((m: Metadata): E.Either<Cause, OpenableMetadata> => {
      const { issues, geometry } = m
      const refused = refusalOf(m)
      if (refused !== undefined) return E.left([refused])
      return geometry === undefined ? E.left(issues) : E.right({ ...m, geometry })
    })(read)
  )

/**
 * Reads the metadata of an image, which must be one that can be opened.
 *
 * @param refusalOf how it is judged: as for reading, unless given
 */
export const openableMetadata = (
  image: Pick<Source, 'name' | 'length' | 'world'>,
  refusalOf: Refusal = ({ issues }) => refusal(issues)
): TaskEither<CommandError, OpenableMetadata> =>
  namingOthers(image)(
    TE.chainEitherK((read: E.Either<Cause, Metadata>) => openable(image.name, read, refusalOf))(
      run(image, readMetadata)
    )
  )

/** A dirty bitmap of an image by its name. */
export const bitmapNamed = (
  image: string,
  { bitmaps }: Metadata,
  name: string
): E.Either<CommandError, Metadata['bitmaps'][number]> =>
  E.fromNullable(commandError(`'${image}' has no bitmap '${name}'`, { file: image }))(
    bitmaps.find((bitmap) => equal(bitmap.name, fromText(name)))
  )

/** The snapshot of an image by id or name, or by what `snapshot.id=` and `snapshot.name=` say of it. */
export const snapshotNamed = (
  image: string,
  { snapshots }: Metadata,
  wanted: string
): E.Either<CommandError, Metadata['snapshots'][number]> => {
  const { id, name } =
    /^(?=snapshot\.)(?:snapshot\.id=(?<id>[^,]*),?)?(?:snapshot\.name=(?<name>.*))?$/.exec(wanted)?.groups ?? {}
  const is = (bytes: Uint8Array, text: string | undefined): boolean =>
    text === undefined || equal(bytes, fromText(text))
  const found =
    id !== undefined || name !== undefined
      ? snapshots.find((s) => is(s.id, id) && is(s.name, name))
      : (snapshots.find((s) => is(s.id, wanted)) ?? snapshots.find((s) => is(s.name, wanted)))
  return E.fromNullable(commandError(`'${image}' has no snapshot '${wanted}'`, { file: image }))(found)
}
