/** The chains of `io`: all of their files are local, so that a line is carried out without waiting. */
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure } from '../command-error.js'
import type { World } from '../files/source.js'
import type { OpenChain } from '../images/open.js'

/** The world of a chain; the error for one with a file on a server. */
export const localWorld = ({
  name,
  sources: [top, ...rest],
  world
}: OpenChain): E.Either<CommandError, Extract<World, { readonly _tag: 'Sync' }>> => {
  if (world._tag === 'Sync') return E.right(world)
  const what =
    top.world._tag === 'Async'
      ? 'it'
      : rest.some(({ world: w }) => w._tag === 'Async')
        ? 'a backing file'
        : 'a data file'
  return failure(`Could not open '${name}': ${what} is on a server`, { file: name })
}
