/** Files: reading at a position, with windows of read-ahead for small requests. */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync
} from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { readInWindows, type WindowSize } from '../../bytes/window.js'
import { type CommandError, either, failure, get, inContext, onLeft, system, task, wait } from '../command-error.js'
import { flagsFor, lengthOf } from './device.js'
import { identityOf } from './identity.js'
import { holesOf, type Seek } from './holes.js'
import { lockForReading, type ReadAccess } from './lock.js'
import { type Part, partOf } from './part.js'
import { isUrl, type OpenFile, type RemoteOptions, type RemotePlace, type Source } from './source.js'
import { isStream } from './stream.js'
import { splitUrl } from './url.js'

const window: WindowSize = { size: 2 ** 16, kept: 4 }

/** Bytes from which on a request that brings memory is of data, of which nothing is read ahead. */
export const dataRequest = 2 ** 12

/** Memory with any contents, all of which is written before it is read. */
export const unclean = (length: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)

/** Fills the memory from byte `at` of a file, and with zeros past the end of the file. Throws what the system throws. */
export const readFully = (fd: number, at: number, out: Uint8Array): Uint8Array => {
  let done = 0
  for (let n = -1; done < out.length && n !== 0; done += n) n = readSync(fd, out, done, out.length - done, at + done)
  return out.fill(0, done)
}

/** Where a file is. */
export interface Place extends RemotePlace {
  /** The path that the name was resolved to, in which nothing is a link; no other file is opened. */
  readonly resolved?: string
  /** The part of the file that is meant. */
  readonly part?: Part
  /** Whether it must be a device. */
  readonly isDevice?: boolean
  /** Whether it is read also while other processes write it. */
  readonly shared?: boolean
  /** Whether nothing may be written. */
  readonly readOnly?: boolean
}

/** The path that a name leads to, through all links. */
export const resolvedPath = (name: string): E.Either<CommandError, string> =>
  isStream(name) ? E.right(name) : system('open', name, () => realpathSync.native(name))

/** Whether the path, in which nothing is a link, is that of an open file. Throws what the system throws. */
const isPathOf = (path: string, fd: number): boolean => {
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${fd}`) === path
  const [open, there] = [fstatSync(fd, { bigint: true }), lstatSync(path, { bigint: true })]
  return open.ino === there.ino && open.dev === there.dev && realpathSync.native(path) === path
}

const noDevice = (name: string): string =>
  `'host_device' driver requires '${name}' to be either a character or block device`

/** Why a file is not opened; `undefined` for a regular file and a block device. */
const notOpenable = ({ name, isDevice }: Place, stat: BigIntStats): string | undefined => {
  if (stat.isBlockDevice()) return undefined
  if (!stat.isFile()) return stat.isDirectory() ? 'is a directory' : 'is not a regular file'
  return isDevice === true ? noDevice(name) : undefined
}

/** Opens a regular file or a block device, and never waits for the other end of a pipe. */
export const openRegular = either(function* (place: Place, flags: number = constants.O_RDONLY) {
  const { name, resolved } = place
  const path = resolved ?? name
  const fd = yield* get(system('open', name, () => openSync(path, flagsFor(path, flags) | constants.O_NONBLOCK)))
  const orClose = onLeft(() => {
    closeSync(fd)
  })
  const stat = yield* get(orClose(system('open', name, () => fstatSync(fd, { bigint: true }))))
  const why = notOpenable(place, stat)
  if (why !== undefined) yield* get(orClose(failure(`Could not open '${name}': ${why}`, { file: name })))
  if (resolved !== undefined && !(yield* get(orClose(system('open', name, () => isPathOf(resolved, fd))))))
    yield* get(orClose(failure(`Could not open '${name}': another file has taken its place`, { file: name })))
  const length = yield* get(orClose(lengthOf(name, stat)))
  const isDevice = stat.isBlockDevice()
  return { fd, identity: identityOf(stat), length, actualSize: Number(stat.blocks) * 512, isDevice }
})

const sourceOf = (
  { name, resolved }: Place,
  { fd, identity, length: end, actualSize }: OpenFile,
  seekData: Seek | undefined
): Source => {
  const read = (at: number, out: Uint8Array): Uint8Array | CommandError =>
    E.toUnion(system('read', name, () => readFully(fd, at, out)))
  const small = readInWindows(end, window, ({ at, length }) => read(at, unclean(length)))
  return {
    name,
    ...(resolved === undefined ? {} : { resolved }),
    identity,
    length: end,
    actualSize,
    world: {
      _tag: 'Sync',
      read: ({ at, length, into }) =>
        length >= (into === undefined ? window.size : dataRequest) && at < end
          ? read(at, into ?? unclean(length))
          : small({ at, length }),
      seekData
    },
    close: () => {
      closeSync(fd)
    }
  }
}

/** Opens a file for reading, and locks it as its use needs. */
export const openFile = task(async function* (place: Place, access: ReadAccess) {
  const opened = yield* get(openRegular(place))
  const { fd, length, actualSize } = opened
  const wanted = place.shared === true ? 'shared' : access
  yield* get(onLeft(() => closeSync(fd))(await lockForReading(fd, place.name, wanted)()))
  return sourceOf(place, opened, await holesOf(fd, length, actualSize))
})

/**
 * Opens a file, or an image on a server; what reads from servers is loaded only then. A file that another process writes
 * is refused, and no process can write it until it is closed.
 *
 * @param remote how it is read if it is on a server
 * @param access `shared` to read a raw file, or an image whatever others do with it
 *
 * @example
 * import { openSource } from 'qcow2-spec/node'
 * import * as assert from 'node:assert/strict'
 *
 * const source = await openSource('/nowhere/disk.qcow2')()
 * assert.ok(source._tag === 'Left')
 * assert.equal(source.left.message, "Could not open '/nowhere/disk.qcow2': no such file or directory")
 */
export const openSource = (
  name: string,
  access: ReadAccess = 'image',
  remote?: RemoteOptions
): TaskEither<CommandError, Source> => openPlace(splitUrl(name), access, remote)

const cannotUse =
  (name: string) =>
  (error: CommandError): CommandError => ({
    ...inContext(`Could not open '${name}'`)(error),
    file: name
  })

/** Opens a pipe, standard input or a compressed file as a temporary file, in which its bytes are. */
const openSpool = task(async function* (place: Place, { decompress, spoolLimit }: Partial<RemoteOptions>) {
  const { decompressed, defaultSpoolLimit, spooled } = await import('./spool.js')
  const { name } = place
  const limit = spoolLimit ?? defaultSpoolLimit
  const given = isStream(name) ? yield* wait(spooled(name, limit)) : yield* get(openRegular(place))
  const opened = decompress === true ? yield* wait(decompressed(name, given, limit)) : given
  const seek = await holesOf(opened.fd, opened.length, opened.actualSize)
  return { ...sourceOf(place, opened, seek), spooled: true }
})

/** Opens the whole file at a place, whatever part of it is meant. */
export const openWhole =
  (place: Place, access: ReadAccess, remote?: RemoteOptions): TaskEither<CommandError, Source> =>
  async () => {
    const { name, resolved } = place
    if (resolved === undefined && isUrl(name)) {
      const why = '--decompress is for files and pipes'
      if (remote?.decompress === true) return failure(`Could not open '${name}': ${why}`, { file: name })
      return (await import('./remote.js')).openRemote(place, remote)()
    }
    const isSpooled = resolved === undefined && (isStream(name) || remote?.decompress === true)
    return isSpooled ? openSpool(place, remote ?? {})() : openFile(place, access)()
  }

/** Opens the file at a place, or the part of it that is meant. */
export const openPlace = task(async function* (place: Place, access: ReadAccess, remote?: RemoteOptions) {
  const source = yield* wait(openWhole(place, access, remote))
  const { name, part } = place
  if (part === undefined) return source
  return yield* get(onLeft(source.close)(E.mapLeft(cannotUse(name))(partOf(source, part))))
})
