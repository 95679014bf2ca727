/** The command of this package in this process, and what it does to a file. */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import koffi from 'koffi'
import { flush, type HostWrite } from '../../src/bytes/host-write.js'
import { loadCommand, type Printer, stopClocks, Terminal } from '../run/terminal.js'
import type { Printed } from './bytes.js'

export interface Ours {
  readonly run: (words: readonly string[]) => Promise<Printed>
  /** Like `run`; with the writes to a file, and the flushes, in their order. */
  readonly recorded: (
    words: readonly string[],
    file: string
  ) => Promise<{ readonly said: Printed; readonly writes: readonly HostWrite[] }>
}

const theImage = { part: 'image', depth: 0 } as const

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

/** Records what this process does to a file, until `stop`. */
const recording = (file: string): { readonly stop: () => readonly HostWrite[] } => {
  const { ino } = fs.statSync(file)
  const writes: HostWrite[] = []
  const isIt = (fd: number): boolean => fs.fstatSync(fd).ino === ino
  const { writeSync, fdatasyncSync, ftruncateSync } = fs
  const note = (fd: number, write: HostWrite): void => {
    if (isIt(fd)) writes.push(write)
  }
  Object.assign(fs, {
    writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number, at: number): number => {
      note(fd, { _tag: 'Write', file: theImage, at, bytes: bytes.subarray(offset, offset + length) })
      return writeSync(fd, bytes, offset, length, at)
    },
    fdatasyncSync: (fd: number): void => {
      note(fd, flush)
      fdatasyncSync(fd)
    },
    ftruncateSync: (fd: number, length?: number): void => {
      // A file that grows gets its length with a write.
      if ((length ?? 0) < fs.fstatSync(fd).size) note(fd, { _tag: 'Truncate', file: theImage, length: length ?? 0 })
      ftruncateSync(fd, length)
    }
  })
  onPunch = (fd, at, length) => note(fd, { _tag: 'Punch', file: theImage, at, length })
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
