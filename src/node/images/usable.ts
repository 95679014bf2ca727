/** Images that can be used: their metadata, or the line that says why not. */
import * as E from 'fp-ts/lib/Either.js'
import { type Failure, showFailure } from '../../bytes/run-async.js'
import type { Geometry } from '../../format/geometry.js'
import { type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import { reason } from '../files/file.js'
import { fail } from '../files/output.js'
import { openSource, type Source } from '../files/source.js'
import { run, type World } from '../files/world.js'

/** The line for an image that cannot be opened, by its first issue with its clause, or that cannot be read. */
export const refusalLine = (name: string, failure: Failure): string =>
  `Could not ${'_tag' in failure ? 'read' : 'open'} '${name}': ${showFailure(failure)}`

/** The metadata of an image that can be opened. */
export type Usable = Metadata & { readonly geometry: Geometry }

/** Metadata that were read, if the image can be opened but for checks that are `passed` over; the line that says why not. */
export const usable = (
  name: string,
  read: E.Either<Failure, Metadata>,
  passed?: readonly string[]
): E.Either<string, Usable> => {
  if (E.isLeft(read)) return E.left(refusalLine(name, read.left))
  const { issues, geometry } = read.right
  const refused = refusal(issues, passed)
  return refused !== undefined || geometry === undefined
    ? E.left(refusalLine(name, refused === undefined ? issues : [refused]))
    : E.right({ ...read.right, geometry })
}

/** The metadata of an image that is open for reading, if it can be used; the line that says why not. */
export const usableIn = async (name: string, world: World): Promise<E.Either<string, Usable>> =>
  usable(name, E.flattenW(await run(world, readMetadata)))

/** Runs a command on an image that is open for reading, and closes it. */
export const withSource = async (name: string, command: (source: Source) => Promise<number>): Promise<number> => {
  const source = await openSource(name)
  if (E.isLeft(source)) return fail(source.left)
  try {
    return await command(source.right)
  } catch (error) {
    return fail(`'${name}': ${reason(error)}`)
  } finally {
    source.right.close()
  }
}
