/** Raw files that are written: the guest disk itself, of which every byte is where it is. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import { type Issue, issue } from '../../bytes/issue.js'
import type { Read } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import type { Chain } from '../../image/guest/chain.js'
import type { AnyCommand } from '../../transition/command.js'
import { fail } from '../files/output.js'
import { openDiskFile } from '../files/disk-file.js'
import { reason } from '../files/file.js'
import type { Changes } from './changes.js'
import { isLocked, lockForWriting } from '../files/lock.js'

const file = { part: 'image', depth: 0 } as const

const unknown = (command: AnyCommand): readonly Issue[] => [
  issue(
    {
      clause: 'DATA-10',
      phase: 'limit',
      source: 'qemu',
      structure: 'raw file',
      field: '',
      at: 0,
      size: 0,
      found: command._tag,
      expected: 'reads, writes, zeros, discards and other sizes'
    },
    command
  )
]

/** What a command does to a raw file; `undefined` for those that only images have. */
const changeOf = (command: AnyCommand): Exclude<HostWrite, { readonly _tag: 'Flush' }> | undefined => {
  if (command._tag === 'Write') return { _tag: 'Write', file, at: command.at, bytes: command.bytes }
  if (command._tag === 'WriteZeroes' || command._tag === 'Discard')
    return { _tag: 'Punch', file, at: command.at, length: command.length }
  return command._tag === 'Resize' ? { _tag: 'Truncate', file, length: command.size } : undefined
}

/** Opens a raw file and locks it. It throws what is in the way. */
export const openRaw = (name: string): Changes & { readonly close: () => void } => {
  const disk = openDiskFile(name)
  if (!lockForWriting(disk.fd)) {
    disk.close()
    throw new Error(isLocked)
  }
  const chain = (): Chain => [{ _tag: 'Raw', size: Math.ceil(disk.length() / sectorSize) * sectorSize }]
  return {
    get chain() {
      return chain()
    },
    read: (request: Read) => disk.read(request),
    command: (command) => {
      const change = changeOf(command)
      if (change === undefined) return E.left(unknown(command))
      disk.see(change)
      disk.perform(change)
      disk.settle()
      return E.right(undefined)
    },
    end: () => {
      disk.flush()
    },
    close: () => {
      disk.close()
    }
  }
}

/** Runs a command on a raw file that is open for writing. */
export const withRaw = (name: string, command: (file: Changes) => number): number => {
  try {
    const file = openRaw(name)
    try {
      return command(file)
    } finally {
      file.close()
    }
  } catch (error) {
    return fail(`Could not open '${name}': ${reason(error)}`)
  }
}
