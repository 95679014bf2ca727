/** Files that are changed: what waits to be written is read already, and reaches the file when its turn comes. */
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import extensions from 'fs-native-extensions'
import type { HostWrite } from '../bytes/host-write.js'
import type { Read } from '../bytes/plan.js'

type Change = Exclude<HostWrite, { readonly _tag: 'Flush' }>

/** A file open for reading and writing. It throws what the system throws. */
export interface DiskFile {
  readonly fd: number
  /** Bytes, with what waits to be written. */
  readonly length: () => number
  /** The bytes with what waits to be written; zeros past the end. They are the caller's own. */
  readonly read: (request: Pick<Read, 'at' | 'length'>) => Uint8Array
  /** Lets a change be read from now on. */
  readonly see: (change: Change) => void
  /** Brings a change to the file. */
  readonly perform: (change: Change) => void
  /** Waits until everything brought to the file is durable. */
  readonly flush: () => void
  /** Says that nothing waits any more. */
  readonly settle: () => void
  readonly close: () => void
}

const pageSize = 2 ** 16
/** Pages that are kept though nothing in them waits. */
const mostPages = 512

const writeFully = (fd: number, at: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

const readFully = (fd: number, at: number, out: Uint8Array): void => {
  for (let done = 0; done < out.length;) {
    const n = readSync(fd, out, done, out.length - done, at + done)
    if (n === 0) return
    done += n
  }
}

const zeros = new Uint8Array(pageSize)

/** Gives a range back to the system, or writes it over with zeros where that cannot be done. */
const punch = (fd: number, at: number, length: number): void => {
  const end = Math.min(at + length, fstatSync(fd).size)
  if (end <= at) return
  try {
    extensions.trimSync(fd, at, end - at)
  } catch {
    for (let from = at; from < end; from += zeros.length)
      writeFully(fd, from, zeros.subarray(0, Math.min(zeros.length, end - from)))
  }
}

/** Opens a file that is to be changed; with `create` it is made, or emptied. */
export const openDiskFile = (name: string, create = false): DiskFile => {
  const fd = openSync(name, create ? 'w+' : 'r+')
  const stat = fstatSync(fd)
  if (!stat.isFile() && !stat.isBlockDevice()) {
    closeSync(fd)
    throw new Error('is not a regular file')
  }
  let length = stat.size
  const pages = new Map<number, Uint8Array>()
  const waiting = new Set<number>()

  const trim = (): void => {
    for (const page of pages.keys()) {
      if (pages.size <= mostPages) return
      if (!waiting.has(page)) pages.delete(page)
    }
  }
  const pageAt = (page: number, whole = false): Uint8Array => {
    const known = pages.get(page)
    if (known !== undefined) return known
    const bytes = new Uint8Array(pageSize)
    if (!whole) readFully(fd, page * pageSize, bytes)
    pages.set(page, bytes)
    trim()
    return bytes
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
    for (const [page, bytes] of pages) {
      const start = page * pageSize
      if (start < to && start + pageSize > at) bytes.fill(0, Math.max(0, at - start), Math.min(pageSize, to - start))
    }
  }
  const see = (change: Change): void => {
    switch (change._tag) {
      case 'Write':
        eachPart(change.at, change.bytes.length, (page, from, to, of) => {
          pageAt(page, to - from === pageSize).set(change.bytes.subarray(of, of + to - from), from)
          waiting.add(page)
        })
        length = Math.max(length, change.at + change.bytes.length)
        return
      case 'Truncate':
        if (change.length < length) fill(change.length, length)
        length = change.length
        return
      case 'Punch':
        fill(change.at, change.at + change.length)
    }
  }
  return {
    fd,
    length: () => length,
    read: ({ at, length: size }) => {
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
    },
    see,
    perform: (change) => {
      if (change._tag === 'Write') writeFully(fd, change.at, change.bytes)
      else if (change._tag === 'Truncate') ftruncateSync(fd, change.length)
      else punch(fd, change.at, change.length)
    },
    flush: () => {
      fdatasyncSync(fd)
    },
    settle: () => {
      waiting.clear()
      trim()
    },
    close: () => {
      closeSync(fd)
    }
  }
}
