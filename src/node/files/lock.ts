/**
 * Locks of open files, on the bytes that QEMU locks: an image has one writer, QEMU or this program, and no reader beside it
 * that relies on its bytes. The locks end when the file is closed.
 */
import { fstatSync } from 'node:fs'
import { getSystemErrorMap } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { commandError, type CommandError, failure, get, system, task } from '../command-error.js'
import { identityOf } from './identity.js'
import { type Libc, loadLibc, warnOnce } from './libc.js'

/** What an open file may be used for, by the number of its lock. */
const permissions = { 'consistent read': 0, write: 1, resize: 3 } as const

type Permission = keyof typeof permissions

/** A byte that is locked to use a permission, and one that is locked to forbid it to other processes. */
const used = (permission: Permission): number => 100 + permissions[permission]
const forbidden = (permission: Permission): number => 200 + permissions[permission]

/** How a file is opened: what it is used for, and what other processes may not do with it. */
interface Access {
  readonly uses: readonly Permission[]
  readonly forbids: readonly Permission[]
}

const readOnly = { uses: ['consistent read'] } as const
const writing = { uses: ['consistent read', 'write', 'resize'], forbids: ['write', 'resize'] } as const

/** The ways to open a file. Raw files are read as others write them, as in QEMU, and images only where that is asked for. */
const accesses = {
  image: { ...readOnly, forbids: ['write', 'resize'] },
  data: { ...readOnly, forbids: ['resize'] },
  shared: undefined,
  write: writing
} as const satisfies Readonly<Record<string, Access | undefined>>

/** A way to open a file for reading: as an image, as the data file of one, or sharing it with every writer. */
export type ReadAccess = Exclude<keyof typeof accesses, 'write'>

/** How a file of a format is read, which other processes may write if that is forced. */
export const readAccess = (format: 'qcow2' | 'raw', forceShare = false): ReadAccess =>
  format === 'raw' || forceShare ? 'shared' : 'image'

const inUse = (name: string, lock: string, forceable: boolean): CommandError =>
  commandError(
    `Could not open '${name}': Failed to get ${lock} lock. Is another process using the image [${name}]?` +
      (forceable ? ' --force-share reads it all the same' : ''),
    { file: name }
  )

/** Why a call failed. */
const because = (errno: number): string => getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`

/** Locks the bytes first, then looks for the locks of others, so that of two at most one succeeds. */
const lockBytes = (fd: number, { uses, forbids }: Access, libc: Libc): E.Either<number, string | undefined> => {
  for (const at of [...uses.map(used), ...forbids.map(forbidden)]) {
    const errno = libc.share(fd, at)
    if (errno !== 0) return E.left(errno)
  }
  const others = [
    ...uses.map((permission) => [forbidden(permission), `"${permission}"`] as const),
    ...forbids.map((permission) => [used(permission), `shared "${permission}"`] as const)
  ]
  for (const [at, lock] of others) {
    const shared = libc.isShared(fd, at)
    if (E.isLeft(shared)) return shared
    if (shared.right) return E.right(lock)
  }
  return E.right(undefined)
}

/** The files that this process has open for writing: it may read them too, on other descriptors. */
const written = new Set<string>()

const identity = (fd: number): string => identityOf(fstatSync(fd, { bigint: true }))

const unlocked = 'it is not protected from other processes while it is used'

/**
 * Locks an open file for its only writer. Fails while another process, QEMU or this program, writes the file, or reads it
 * and forbids changes; until it is closed other processes fail in the same way. Closing it is to be followed by `release`.
 */
export const lockForWriting = task(async function* (fd: number, name: string) {
  const loaded = await loadLibc()
  if (E.isLeft(loaded))
    yield* get(failure(`Could not lock '${name}': the package koffi does not load: ${loaded.left}`, { file: name }))
  const libc = E.isRight(loaded) ? loaded.right : undefined
  const file = yield* get(system('lock', name, () => identity(fd)))
  if (libc === undefined) warnOnce(`this system has no locks that QEMU knows; '${name}': ${unlocked}`)
  else {
    const locked = lockBytes(fd, accesses.write, libc)
    if (E.isLeft(locked))
      return yield* get(failure(`Could not lock '${name}': ${because(locked.left)}`, { file: name }))
    if (locked.right !== undefined) return yield* get(E.left(inUse(name, locked.right, false)))
  }
  written.add(file)
  return { libc, release: () => void written.delete(file) }
})

/** Locks an open file for reading, where the access needs that. Where there are no locks, a warning says so, once. */
export const lockForReading = task(async function* (fd: number, name: string, access: ReadAccess) {
  const wanted = accesses[access]
  if (wanted === undefined || written.has(yield* get(system('lock', name, () => identity(fd))))) return
  const loaded = await loadLibc()
  if (E.isLeft(loaded)) warnOnce(`the package koffi does not load, so that there are no locks: ${loaded.left}`)
  else if (loaded.right === undefined) warnOnce(`this system has no locks that QEMU knows`)
  else {
    const locked = lockBytes(fd, wanted, loaded.right)
    if (E.isLeft(locked)) warnOnce(`the file system has no locks: ${because(locked.left)}`)
    else if (locked.right !== undefined) yield* get(E.left(inUse(name, locked.right, true)))
  }
})
