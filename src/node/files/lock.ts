/** Locks on files that are to be changed: the system's own, on the bytes that QEMU locks, and gone with the process. */
import extensions from 'fs-native-extensions'
import type * as E from 'fp-ts/lib/Either.js'
import { type CommandError, either, failure, get, system } from '../command-error.js'

/** Where QEMU says that it writes and resizes, and where it says that nobody else may. */
const writes = { at: 101, length: 3 }
const forbidsWrites = { at: 201, length: 3 }

const tryLock = (fd: number): boolean => {
  for (const { at, length } of [writes, forbidsWrites]) if (!extensions.tryLock(fd, at, length)) return false
  for (const { at, length } of [writes, forbidsWrites]) extensions.tryLock(fd, at, length, { shared: true })
  return true
}

/**
 * Locks an open file for its only writer. It cannot while another process, QEMU or this program, writes the file, or reads
 * it and forbids that it changes. Afterwards the same is true for the others.
 */
export const lock = (fd: number, name: string): E.Either<CommandError, void> =>
  either(function* () {
    const locked = yield* get(system('lock', name, () => tryLock(fd)))
    if (!locked)
      yield* get(failure(`Could not open '${name}': it is locked, since another process uses it`, { file: name }))
  })
