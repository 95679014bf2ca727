/** The command of this package in this process, and what it does to a file. */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import koffi from 'koffi'
import { flush, type HostWrite } from '../../src/bytes/host-write.js'
import { dataFile, type FileRef, imageFile } from '../../src/bytes/plan.js'
import { loadCommand, type Printer, stopClocks, Terminal } from '../run/terminal.js'
import type { Printed } from './bytes.js'

export interface Ours {
  readonly run: (words: readonly string[]) => Promise<Printed>
  /** Like `run`; with the writes to an image and its data file `d.raw`, and the flushes of both, in their order. */
  readonly recorded: (
    words: readonly string[],
    file: string
  ) => Promise<{ readonly said: Printed; readonly writes: readonly HostWrite[] }>
}

/** Sees the holes that are punched, while something is recorded. */
let onPunch: (fd: number, at: number, length: number) => void = () => undefined

/** Lets the command find, in place of koffi, one whose `fallocate` is seen. */
const watchHoles = (): void => {
  const require = createRequire(import.meta.url)
  const path = require.resolve('koffi')
  require(path)
  const load = (name: string | null) => {
    const library = koffi.load(name)
    const func = (definition: string): unknown => {
      const call: unknown = library.func(definition)
      if (typeof call !== 'function' || !definition.startsWith('int fallocate')) return call
      return (fd: number, mode: number, at: number, length: number): unknown => {
        onPunch(fd, at, length)
        return Reflect.apply(call, undefined, [fd, mode, at, length])
      }
    }
    return { func }
  }
  Object.assign(require.cache[path] ?? {}, { exports: { ...koffi, load } })
}

/** Records what this process does to an image and its data file, until `stop`. */
const recording = (image: string): { readonly stop: () => readonly HostWrite[] } => {
  const data = fs.statSync(join(dirname(image), 'd.raw'), { throwIfNoEntry: false })
  const parts = new Map<number, FileRef>([
    ...(data === undefined ? [] : [[data.ino, dataFile] as const]),
    [fs.statSync(image).ino, imageFile]
  ])
  const writes: HostWrite[] = []
  const unflushed = new Set<FileRef>()
  const { writeSync, fdatasyncSync, ftruncateSync } = fs
  const note = (fd: number, writeTo: (file: FileRef) => HostWrite): void => {
    const file = parts.get(fs.fstatSync(fd).ino)
    if (file === undefined) return
    writes.push(writeTo(file))
    unflushed.add(file)
  }
  Object.assign(fs, {
    writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number, at: number): number => {
      note(fd, (file) => ({ _tag: 'Write', file, at, bytes: bytes.subarray(offset, offset + length) }))
      return writeSync(fd, bytes, offset, length, at)
    },
    fdatasyncSync: (fd: number): void => {
      const file = parts.get(fs.fstatSync(fd).ino)
      if (file !== undefined && unflushed.delete(file) && unflushed.size === 0) writes.push(flush)
      fdatasyncSync(fd)
    },
    ftruncateSync: (fd: number, length?: number): void => {
      // A file that grows gets its length with a write.
      if ((length ?? 0) < fs.fstatSync(fd).size) note(fd, (file) => ({ _tag: 'Truncate', file, length: length ?? 0 }))
      ftruncateSync(fd, length)
    }
  })
  onPunch = (fd, at, length) => note(fd, (file) => ({ _tag: 'Punch', file, at, length }))
  return {
    stop: () => {
      Object.assign(fs, { writeSync, fdatasyncSync, ftruncateSync })
      onPunch = () => undefined
      return writes
    }
  }
}

/** The command; descriptors 1 and 2 of this process are the two files. */
export const loadOurs = async (out: Printer, error: Printer): Promise<Ours> => {
  watchHoles()
  const terminal = new Terminal(await loadCommand(), out, error)
  stopClocks()
  const run = async (words: readonly string[]): Promise<Printed> => {
    const said = await terminal.run(words)
    return { code: Number(said.code), text: said.out + said.error + said.thrown }
  }
  return {
    run,
    recorded: async (words, file) => {
      const record = recording(file)
      try {
        return { said: await run(words), writes: record.stop() }
      } finally {
        record.stop()
      }
    }
  }
}
