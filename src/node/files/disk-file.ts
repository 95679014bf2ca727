/** Files that are changed: what waits to be written is read already. */
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import { empty, equal } from '../../bytes/octets.js'
import type { Read } from '../../bytes/plan.js'
import { type CommandError, failure, get, onLeft, system, task } from '../command-error.js'
import { dataRequest, openRegular, type Place, readFully } from './file.js'
import type { Libc } from './libc.js'
import { lockForWriting } from './lock.js'
import { isUrl } from './source.js'
import { dataParts, exactRange, writeFully } from './sparse.js'

/** A change of one file. */
export type Change = Exclude<HostWrite, { readonly _tag: 'Flush' }>

/** A request for bytes of one file. */
type Request = Omit<Read, '_tag' | 'file'>

/** A file open for reading and writing, and locked. */
export interface DiskFile {
  readonly name: string
  /** Whether it is a block device. It keeps its length: a truncation changes nothing, or fails past its end. */
  readonly isDevice: boolean
  /** Length in bytes, with the pending changes. */
  readonly length: () => number
  /** Bytes with the pending changes; zeros past the end. The caller must not change them; they never change. */
  readonly read: (request: Request) => Uint8Array | CommandError
  /** Makes a change visible to reads; it is pending until it is written to the file. */
  readonly see: (change: Change) => E.Either<CommandError, void>
  /** Writes a change to the file. */
  readonly perform: (change: Change) => E.Either<CommandError, void>
  /**
   * The changes that put back what a change is about to overwrite in the file, in their order. Disposable bytes, and those of
   * a hole, are not put back.
   */
  readonly inverse: (change: Change) => E.Either<CommandError, readonly Change[]>
  /** Writes a change to the file, unless the file is so already. */
  readonly restore: (change: Change) => E.Either<CommandError, void>
  /** Waits until everything written to the file is durable. */
  readonly flush: () => E.Either<CommandError, void>
  /** Declares that no change is pending. */
  readonly settle: () => void
  readonly close: () => void
}

const pageSize = 2 ** 16
/** Requests from this length on are answered with the page itself. */
const worthLending = 2 ** 14
/** Most pages kept that have no pending change. */
const mostPages = 512

/** Opens and locks a file that is to be changed. */
export const openDiskFile = task(async function* (place: Place) {
  const { name } = place
  if (place.resolved === undefined && isUrl(name))
    yield* get(failure(`Could not open '${name}': an image on a server cannot be changed`, { file: name }))
  const { fd, length, isDevice } = yield* get(openRegular(place, constants.O_RDWR))
  const { libc, release } = yield* get(onLeft(() => closeSync(fd))(await lockForWriting(fd, name)()))
  const close = (): void => {
    closeSync(fd)
    release()
  }
  return diskFile(name, { fd, libc, isDevice, close }, length)
})

/** A descriptor that is locked. */
interface Locked {
  readonly fd: number
  readonly libc: Libc | undefined
  /** Whether it is a block device, which keeps its length. */
  readonly isDevice: boolean
  readonly close: () => void
}

const zeros = new Uint8Array(2 ** 16)

/** Gives a range back to the file system, or writes zeros where it takes none. Throws what the system throws. */
const punch = ({ fd, libc, isDevice }: Locked, at: number, length: number): void => {
  const end = isDevice ? at + length : Math.min(at + length, fstatSync(fd).size)
  if (end <= at || libc?.punchHole(fd, at, end - at) === 0) return
  for (let from = at; from < end; from += zeros.length)
    writeFully(fd, zeros.subarray(0, Math.min(zeros.length, end - from)), from)
}

/** The file of a descriptor, of `size` bytes. Inside, the system throws; what is thrown leaves it as an error. */
const diskFile = (name: string, locked: Locked, size: number): DiskFile => {
  const { fd, isDevice, close } = locked
  let length = size
  /** Bytes of the file itself, and how many of them no pending truncation cuts off. */
  let reach = size
  let kept = size
  const pages = new Map<number, Uint8Array>()
  /** Pages whose bytes others have: they are copied before they change. */
  const lent = new Set<number>()
  const waiting = new Set<number>()

  const trim = (): void => {
    for (const page of pages.keys()) {
      if (pages.size <= mostPages) return
      if (waiting.has(page)) continue
      pages.delete(page)
      lent.delete(page)
    }
  }
  const pageAt = (page: number): Uint8Array => {
    const known = pages.get(page)
    if (known !== undefined) return known
    const bytes = new Uint8Array(pageSize)
    if (page * pageSize < kept) readFully(fd, page * pageSize, bytes.subarray(0, kept - page * pageSize))
    pages.set(page, bytes)
    trim()
    return bytes
  }
  const ownPage = (page: number): Uint8Array => {
    const bytes = pageAt(page)
    if (!lent.delete(page)) return bytes
    const own = bytes.slice()
    pages.set(page, own)
    return own
  }
  /** The parts of a range in each page it touches: the page, where in it, and where in the range. */
  const eachPart = (
    at: number,
    size: number,
    visit: (page: number, from: number, to: number, of: number) => void
  ): void => {
    for (let done = 0; done < size;) {
      const page = Math.floor((at + done) / pageSize)
      const from = at + done - page * pageSize
      const to = Math.min(pageSize, from + size - done)
      visit(page, from, to, done)
      done += to - from
    }
  }
  const fill = (at: number, to: number): void => {
    for (const page of pages.keys()) {
      const start = page * pageSize
      if (start < to && start + pageSize > at)
        ownPage(page).fill(0, Math.max(0, at - start), Math.min(pageSize, to - start))
    }
  }
  /** Writes bytes. Past the end of a file zeros beside others are left as holes; where all are zeros, they take up space. */
  const write = (bytes: Uint8Array, at: number): void => {
    const end = at + bytes.length
    const used = at >= reach ? [...dataParts(bytes, at)] : []
    for (const [part, place] of used.length > 0 ? used : [[bytes, at] as const]) writeFully(fd, part, place)
    if (used.length > 0) ftruncateSync(fd, end)
    reach = Math.max(reach, end)
  }
  const see = (change: Change): void => {
    switch (change._tag) {
      case 'Write':
        eachPart(change.at, change.bytes.length, (page, from, to, of) => {
          const bytes = change.bytes.subarray(of, of + to - from)
          if (bytes.length < pageSize) ownPage(page).set(bytes, from)
          else {
            pages.set(page, bytes)
            lent.add(page)
          }
          waiting.add(page)
        })
        length = Math.max(length, change.at + change.bytes.length)
        return
      case 'Truncate':
        if (isDevice) return
        if (change.length < length) fill(change.length, length)
        length = change.length
        kept = Math.min(kept, length)
        return
      case 'Punch':
        fill(change.at, change.at + change.length)
    }
  }
  const perform = (change: Change): void => {
    if (change._tag === 'Write') write(change.bytes, change.at)
    else if (change._tag === 'Punch') punch(locked, change.at, change.length)
    else if (!isDevice) {
      ftruncateSync(fd, change.length)
      reach = change.length
    }
  }
  /** Bytes of the file itself, as far as it reaches. */
  const stored = (at: number, to: number): Uint8Array =>
    readFully(fd, at, new Uint8Array(Math.max(0, Math.min(to, reach) - at)))
  const inverse = (change: Change): readonly Change[] => {
    const uncut: Change = { _tag: 'Truncate', file: change.file, length: reach }
    if (change._tag !== 'Write') return change._tag === 'Punch' ? [] : [uncut]
    const { file, at, bytes, disposable } = change
    const end = at + bytes.length
    const old = disposable === true ? empty : stored(at, end)
    return [
      ...(old.length > 0 ? [{ _tag: 'Write', file, at, bytes: old } as const] : []),
      ...(end > reach ? [uncut] : [])
    ]
  }
  const restore = (change: Change): void => {
    if (change._tag === 'Write' && equal(stored(change.at, change.at + change.bytes.length), change.bytes)) return
    perform(change)
  }
  const isKnown = (at: number, to: number): boolean => {
    for (let page = Math.floor(at / pageSize); page < Math.ceil(to / pageSize); page++) if (pages.has(page)) return true
    return false
  }
  const read = ({ at, length: size, into }: Request): Uint8Array => {
    if (into !== undefined && size >= dataRequest && at + size <= kept && !isKnown(at, at + size))
      return readFully(fd, at, into)
    const first = Math.floor(at / pageSize)
    const start = at - first * pageSize
    if (size >= worthLending && start + size <= pageSize && at + size <= length) {
      const bytes = pageAt(first).subarray(start, start + size)
      lent.add(first)
      return bytes
    }
    const out = new Uint8Array(size)
    const there = Math.max(0, Math.min(size, length - at))
    if (there > pageSize && waiting.size === 0) {
      readFully(fd, at, out.subarray(0, there))
      return out
    }
    eachPart(at, there, (page, from, to, of) => {
      out.set(pageAt(page).subarray(from, to), of)
    })
    return out
  }
  return {
    name,
    isDevice,
    length: () => length,
    read: (request) => E.toUnion(system('read', name, () => read(request))),
    see: (change) => system('read', name, () => see(change)),
    perform: (change) => {
      if (isDevice && change._tag === 'Truncate' && change.length > length)
        return failure(`Could not write '${name}': the device has ${length} bytes`, { file: name })
      const exact = change._tag === 'Write' ? exactRange(name, change.bytes, change.at) : E.right(undefined)
      return E.chain(() => system('write', name, () => perform(change)))(exact)
    },
    inverse: (change) => system('read', name, () => inverse(change)),
    restore: (change) => system('write', name, () => restore(change)),
    flush: () => system('write', name, () => fdatasyncSync(fd)),
    settle: () => {
      kept = reach
      waiting.clear()
      trim()
    },
    close
  }
}
