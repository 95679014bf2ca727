/** Holes of an open file, as the file system reports them. */
import * as E from 'fp-ts/lib/Either.js'
import { allStored, type SeekData, type StoredRange } from '../../bytes/plan.js'
import { type Libc, loadLibc, noSuchByte } from './libc.js'

/** Where a file has stored bytes. */
export type Seek = (request: Pick<SeekData, 'at'>) => StoredRange

/** Bytes of a file from which on reading it takes longer than loading the C library, which finds holes that take up space too. */
const worthAsking = 2 ** 26

/** Whether a file may have holes, and so many that they are worth asking for. */
const mayHaveHoles = (length: number, actualSize: number): boolean => actualSize < length || length >= worthAsking

/** The first stored range from byte `at` on. Everything is stored where the file system does not answer. */
const storedFrom = ({ seek }: Libc, fd: number, at: number): StoredRange => {
  const from = seek(fd, at, 'data')
  if (E.isLeft(from)) return from.left === noSuchByte ? { from: Infinity, to: Infinity } : allStored({ at })
  if (from.right < at) return allStored({ at })
  const to = seek(fd, from.right, 'hole')
  return { from: from.right, to: E.isRight(to) && to.right > from.right ? to.right : Infinity }
}

/** Keeps the last answer, since requests mostly ascend. */
const seekerOf = (libc: Libc, fd: number): Seek => {
  let known = { at: 0, from: 0, to: 0 }
  return ({ at }) => {
    if (at < known.at || at >= known.to) known = { at, ...storedFrom(libc, fd, at) }
    return { from: Math.max(at, known.from), to: known.to }
  }
}

/** How the holes of a file are asked for; `undefined` where it has none that are worth it, or the system cannot be asked. */
export const holesOf = async (fd: number, length: number, actualSize: number): Promise<Seek | undefined> => {
  if (!mayHaveHoles(length, actualSize)) return undefined
  const loaded = await loadLibc()
  return E.isRight(loaded) && loaded.right !== undefined ? seekerOf(loaded.right, fd) : undefined
}
