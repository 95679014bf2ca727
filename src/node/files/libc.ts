/** Calls of the C library that Node lacks, by koffi. That takes some 10 ms to load: {@link loadLibc} does it for the first lock. */
import { isMainThread } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type koffi from 'koffi'
import { reason } from '../command-error.js'

/** What `errno` is after a call; 0 where the call succeeded. */
type Errno = number

/** The calls. */
export interface Libc {
  /** Takes a shared lock of the open file on one byte, until the file is closed. */
  readonly share: (fd: number, at: number) => Errno
  /** Whether another open file, of any process, has a lock on the byte. */
  readonly isShared: (fd: number, at: number) => E.Either<Errno, boolean>
  /** The first byte, at or after a byte, that is stored, or in a hole; {@link noSuchByte} where there is none. */
  readonly seek: (fd: number, at: number, what: 'data' | 'hole') => E.Either<Errno, number>
  /** Gives a range of the file back to the file system; it reads as zeros. */
  readonly punchHole: (fd: number, at: number, length: number) => Errno
}

/** What `fcntl.h` and `unistd.h` of a system define. */
interface Numbers {
  readonly getLock: number
  readonly setLock: number
  readonly types: { readonly read: number; readonly write: number; readonly none: number }
  readonly seek: { readonly data: number; readonly hole: number }
  /** The fields of `struct flock`, in their order. */
  readonly flock: Readonly<Record<'l_type' | 'l_whence' | 'l_start' | 'l_len' | 'l_pid', string>>
}

const systems: Partial<Record<NodeJS.Platform, Numbers>> = {
  linux: {
    getLock: 36,
    setLock: 37,
    types: { read: 0, write: 1, none: 2 },
    seek: { data: 3, hole: 4 },
    flock: { l_type: 'int16_t', l_whence: 'int16_t', l_start: 'int64_t', l_len: 'int64_t', l_pid: 'int32_t' }
  },
  darwin: {
    getLock: 92,
    setLock: 90,
    types: { read: 1, write: 3, none: 2 },
    seek: { data: 4, hole: 3 },
    flock: { l_start: 'int64_t', l_len: 'int64_t', l_pid: 'int32_t', l_type: 'int16_t', l_whence: 'int16_t' }
  }
}

/** Keep the size of the file, and punch a hole. */
const keepAndPunch = 3
/** `ENXIO`: there are no such bytes up to the end of the file. */
export const noSuchByte = 6
/** `ENOSYS`, where the system has no such call. */
const noCall = 38

const libcOf = ({ getLock, setLock, types, seek, flock }: Numbers, ffi: typeof koffi): Libc => {
  const library = ffi.load(null)
  const fcntl = library.func('int fcntl(int fd, int command, ...)')
  const lseek = library.func('int64_t lseek(int fd, int64_t offset, int whence)')
  const fallocate =
    process.platform === 'linux'
      ? library.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)')
      : undefined
  const pointer = ffi.inout(ffi.pointer(ffi.struct(flock)))
  const call = (fd: number, command: number, lock: Readonly<Record<string, number>>): Errno =>
    fcntl(fd, command, pointer, lock) === 0 ? 0 : ffi.errno()
  const byte = (type: number, at: number) => ({ l_type: type, l_whence: 0, l_start: at, l_len: 1, l_pid: 0 })
  return {
    share: (fd, at) => call(fd, setLock, byte(types.read, at)),
    isShared: (fd, at) => {
      const lock = byte(types.write, at)
      const errno = call(fd, getLock, lock)
      return errno === 0 ? E.right(lock.l_type !== types.none) : E.left(errno)
    },
    seek: (fd, at, what) => {
      const found = Number(lseek(fd, at, seek[what]))
      return found < 0 ? E.left(ffi.errno()) : E.right(found)
    },
    punchHole: (fd, at, length) =>
      fallocate === undefined ? noCall : fallocate(fd, keepAndPunch, at, length) === 0 ? 0 : ffi.errno()
  }
}

/** The calls; `undefined` where the system has no locks of open files, and a message where koffi does not load. */
export type Loaded = E.Either<string, Libc | undefined>

const load = async (): Promise<Loaded> => {
  const numbers = process.arch.endsWith('64') ? systems[process.platform] : undefined
  if (numbers === undefined) return E.right(undefined)
  try {
    return E.right(libcOf(numbers, (await import('koffi')).default))
  } catch (error) {
    return E.left(reason(error).split('\n', 1).join())
  }
}

let loaded: Promise<Loaded> | undefined

/** Loads the calls, once. */
export const loadLibc = (): Promise<Loaded> => (loaded ??= load())

/** The name of the warnings that {@link warnOnce} emits. */
export const warningName = 'LockWarning'

const emitted = new Set<string>()

/** Emits a warning of the process, the first time that it is given. */
export const warnOnce = (message: string): void => {
  if (!isMainThread || emitted.has(message)) return
  emitted.add(message)
  process.emitWarning(message, warningName)
}
