/** Which file a name leads to, and what it is. */
import { type BigIntStats, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure, system } from '../command-error.js'
import type { Source } from './source.js'

/** What distinguishes a file, or a block device, from all others, whatever its names. */
export const identityOf = (stats: BigIntStats): string =>
  stats.isBlockDevice() ? `device ${stats.rdev}` : `${stats.dev}:${stats.ino}`

const lookUp = (name: string): BigIntStats | undefined => statSync(name, { bigint: true, throwIfNoEntry: false })

/** Where a file is to be that is not there yet. */
const placeOf = (name: string): string => join(realpathSync.native(dirname(name)), basename(name))

/** Whether two names lead to one file, or would if it were there. */
export const isSameFile = (first: string, second: string): boolean => {
  const [a, b] = [lookUp(first), lookUp(second)]
  if (a !== undefined && b !== undefined) return identityOf(a) === identityOf(b)
  return a === b && placeOf(first) === placeOf(second)
}

/** What a file is that is not regular. */
export const kindOf = (stats: Stats | BigIntStats): string => {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return stats.isBlockDevice() ? 'a block device' : 'a character device'
}

/** Fails where the name of an output leads to a file that is read for it. */
export const keepApart = (
  output: string,
  read: readonly Pick<Source, 'name' | 'identity'>[]
): E.Either<CommandError, void> =>
  E.chain((stats: BigIntStats | undefined) => {
    const same = stats === undefined ? undefined : read.find(({ identity }) => identity === identityOf(stats))
    return same === undefined
      ? E.right(undefined)
      : failure(`Could not create '${output}': it is the same file as '${same.name}', which is read`, { file: output })
  })(system('create', output, () => lookUp(output)))
