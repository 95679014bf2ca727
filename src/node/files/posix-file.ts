/** System calls that Node lacks: locks on a file that is to be changed, and holes in it. */
import { fstatSync } from 'node:fs'
import extensions from 'fs-native-extensions'
import { either, failure, get, system } from '../command-error.js'
import { writeFully } from './sparse.js'

/** The bytes that QEMU locks to write and resize, and those that it locks so that no other process may. */
const writes = { at: 101, length: 3 }
const forbidsWrites = { at: 201, length: 3 }

const tryLock = (fd: number): boolean => {
  for (const { at, length } of [writes, forbidsWrites]) if (!extensions.tryLock(fd, at, length)) return false
  for (const { at, length } of [writes, forbidsWrites]) extensions.tryLock(fd, at, length, { shared: true })
  return true
}

/**
 * Locks an open file for its only writer, by the system's own locks, on the bytes that QEMU locks; the locks end with
 * the process. Fails while another process, QEMU or this program, writes the file, or reads it and forbids changes; until
 * the locks end, other processes fail in the same way.
 */
export const lock = either(function* (fd: number, name: string) {
  const locked = yield* get(system('lock', name, () => tryLock(fd)))
  if (!locked)
    yield* get(failure(`Could not open '${name}': it is locked, since another process uses it`, { file: name }))
})

const zeros = new Uint8Array(2 ** 16)

/**
 * Gives a range back to the system, or writes it over with zeros where that cannot be done. Throws what the system throws.
 */
export const punch = (fd: number, at: number, length: number): void => {
  const end = Math.min(at + length, fstatSync(fd).size)
  if (end <= at) return
  try {
    extensions.trimSync(fd, at, end - at)
  } catch {
    for (let from = at; from < end; from += zeros.length)
      writeFully(fd, zeros.subarray(0, Math.min(zeros.length, end - from)), from)
  }
}
