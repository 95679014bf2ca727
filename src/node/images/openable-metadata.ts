/** The metadata of images that can be opened. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Geometry } from '../../format/geometry.js'
import { type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import { type Cause, type CommandError, get, task, wait } from '../command-error.js'
import { cannotOpen, run, type Source } from '../files/source.js'

/** The metadata of an image that can be opened. */
export type OpenableMetadata = Metadata & { readonly geometry: Geometry }

/**
 * Metadata that were read, if the image can be opened.
 *
 * @param passed opening checks that are passed over
 */
export const openable = (
  name: string,
  read: E.Either<Cause, Metadata>,
  passed?: readonly string[]
): E.Either<CommandError, OpenableMetadata> =>
  E.mapLeft(cannotOpen(name))(
    E.chain((m: Metadata): E.Either<Cause, OpenableMetadata> => {
      const { issues, geometry } = m
      const refused = refusal(issues, passed)
      if (refused !== undefined) return E.left([refused])
      return geometry === undefined ? E.left(issues) : E.right({ ...m, geometry })
    })(read)
  )

/** Reads the metadata of an image, which must be one that can be opened. */
export const openableMetadata = (image: Pick<Source, 'name' | 'world'>): TaskEither<CommandError, OpenableMetadata> =>
  task(async function* () {
    return yield* get(openable(image.name, yield* wait(run(image, readMetadata))))
  })
