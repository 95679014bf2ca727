/** Block devices: files of a fixed length, in which no byte is a hole. */
import { type BigIntStats, constants, readFileSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { sectorSize } from '../../format/limits.js'
import { type CommandError, system } from '../command-error.js'

/** Whether a name leads to a block device. */
export const isBlockDevice = (name: string): boolean =>
  E.getOrElse(() => false)(
    E.tryCatch(
      () => statSync(name, { throwIfNoEntry: false })?.isBlockDevice() === true,
      () => undefined
    )
  )

/** The flags for opening a file. A device is opened for writing exclusively, which fails while it is mounted or in use. */
export const flagsFor = (name: string, flags: number): number =>
  (flags & constants.O_RDWR) !== 0 && isBlockDevice(name) ? flags | constants.O_EXCL : flags

/** The name of a device in sysfs, `MAJOR:MINOR`, of the device number that `stat` reports. */
const deviceNumber = (rdev: bigint): string => {
  const major = ((rdev >> 32n) & 0xffff_f000n) | ((rdev >> 8n) & 0xfffn)
  const minor = ((rdev >> 12n) & 0xffff_ff00n) | (rdev & 0xffn)
  return `${major}:${minor}`
}

/** Bytes of an open file, or of a block device, whose sectors Linux counts in sysfs. */
export const lengthOf = (name: string, stats: BigIntStats): E.Either<CommandError, number> =>
  stats.isBlockDevice()
    ? system(
        'open',
        name,
        () => Number(readFileSync(`/sys/dev/block/${deviceNumber(stats.rdev)}/size`, 'latin1')) * sectorSize
      )
    : E.right(Number(stats.size))
