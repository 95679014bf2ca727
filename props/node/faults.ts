/** Faults: writes, flushes and truncations of this process that fail. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { sectorSize } from '../../src/format/limits.js'

/**
 * What happens at one call:
 *
 * - `once`: it fails with EIO
 * - `place`: so does every later write of the same bytes
 * - `short`: half of its sectors are written, and the next call fails with EIO
 * - `full`: from here on no file grows: what of a write is past its end fails with ENOSPC
 */
export const faultKinds = ['once', 'place', 'short', 'full'] as const
export type FaultKind = (typeof faultKinds)[number]

/** A fault at the call of this number, from 0. */
export interface Fault {
  readonly kind: FaultKind
  readonly at: number
}

const { writeSync, ftruncateSync, fdatasyncSync, fsyncSync, fstatSync } = fs
const real = { writeSync, ftruncateSync, fdatasyncSync, fsyncSync }

const systemError = (code: string): Error => Object.assign(new Error(`${code}: a fault, write`), { code })

/** Bytes of an open file. */
interface Place {
  readonly fd: number
  readonly from: number
  readonly to: number
}

const overlap = (a: Place, b: Place): boolean => a.fd === b.fd && a.from < b.to && b.from < a.to

/** The files of a process, of which one call fails. Standard output and error are not among them. */
class FaultyFiles {
  private calls = 0
  private failsNext = false
  private isFull = false
  private badPlace: Place | undefined
  private readonly written: Place[] = []
  /** Whether bytes that were written before cannot be written any more. */
  private isStuck = false

  constructor(private readonly fault: Fault | undefined) {}

  get outcome(): Omit<Outcome<unknown>, 'value'> {
    return { calls: this.calls, isStuck: this.isStuck }
  }

  /** Comes before each call; returns how many bytes of a write are written, and throws where none is. */
  before(fd: number, write?: { readonly at: number; readonly length: number }): number {
    const length = write?.length ?? 0
    if (fd <= 2) return length
    const kind = this.calls++ === this.fault?.at ? this.fault.kind : undefined
    if (this.failsNext) {
      this.failsNext = false
      throw systemError('EIO')
    }
    if (kind === 'full') this.isFull = true
    const place = write === undefined ? undefined : { fd, from: write.at, to: write.at + length }
    if (kind === 'place' && place !== undefined) {
      this.badPlace = place
      this.isStuck = this.written.some((before) => overlap(before, place))
    }
    if (kind === 'once' || (kind === 'place' && write === undefined)) throw systemError('EIO')
    if (write === undefined || place === undefined) return 0
    if (this.badPlace !== undefined && overlap(this.badPlace, place)) throw systemError('EIO')
    this.written.push(place)
    const { at } = write
    if (kind === 'short') {
      const half = Math.floor((at + length / 2) / sectorSize) * sectorSize - at
      if (half <= 0) throw systemError('EIO')
      this.failsNext = true
      return half
    }
    if (!this.isFull) return length
    const room = fstatSync(fd).size - at
    if (room <= 0) throw systemError('ENOSPC')
    return Math.min(length, room)
  }
}

/** What was run. */
interface Outcome<A> {
  readonly value: A
  readonly calls: number
  /** Whether bytes that were written before the fault could not be written after it. */
  readonly isStuck: boolean
}

/** Runs something with a fault. */
export const withFault = async <A>(fault: Fault | undefined, run: () => Promise<A>): Promise<Outcome<A>> => {
  const files = new FaultyFiles(fault)
  Object.assign(fs, {
    writeSync: (fd: number, bytes: Uint8Array, from = 0, length = bytes.length - from, at: number | null = null) =>
      real.writeSync(fd, bytes, from, files.before(fd, { at: at ?? 0, length }), at),
    ftruncateSync: (fd: number, length: number) => {
      files.before(fd)
      real.ftruncateSync(fd, length)
    },
    // The power does not fail here: nothing need reach the disk.
    fdatasyncSync: (fd: number) => files.before(fd),
    fsyncSync: (fd: number) => files.before(fd)
  })
  syncBuiltinESMExports()
  try {
    const value = await run()
    return { value, ...files.outcome }
  } finally {
    Object.assign(fs, real)
    syncBuiltinESMExports()
  }
}
