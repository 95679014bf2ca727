/** Which file a name leads to, and what it is. */
import { type BigIntStats, type Stats, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure, system } from '../command-error.js'
import type { Source } from './source.js'

/** What distinguishes a file from all others, whatever its names. */
export const identityOf = ({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string => `${dev}:${ino}`

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
  })(system('create', output, () => statSync(output, { bigint: true, throwIfNoEntry: false })))
