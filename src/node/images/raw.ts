/** Raw files that are written: the guest disk itself, of which every byte is where it is. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { imageFile } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import type { Chain } from '../../image/guest/chain.js'
import type { AnyCommand } from '../../transition/command.js'
import { refusal } from '../../transition/engine/refuse.js'
import type { DiskFile } from '../files/disk-file.js'
import { failure } from '../command-error.js'
import { asGiven } from './as-given.js'
import type { NodeOptions } from './image-node.js'
import type { Changes } from './session.js'

const unknown = (command: AnyCommand): Issue =>
  refusal('DATA-10', command._tag, 'reads, writes, zeros, discards and other sizes', {
    phase: 'limit',
    structure: 'raw file'
  })

/** What a command does to a raw file; `undefined` for those that only images have. */
const changeOf = (command: AnyCommand): Exclude<HostWrite, { readonly _tag: 'Flush' }> | undefined => {
  if (command._tag === 'Write') return { _tag: 'Write', file: imageFile, at: command.at, bytes: command.bytes }
  if (command._tag === 'WriteZeroes' || command._tag === 'Discard')
    return { _tag: 'Punch', file: imageFile, at: command.at, length: command.length }
  return command._tag === 'Resize' ? { _tag: 'Truncate', file: imageFile, length: command.size } : undefined
}

/** An image, or a raw file, that is open for writing. */
export interface Writable {
  readonly session: Changes
  readonly close: () => void
}

/** A raw file that is open and locked. */
export const rawWritable = (disk: DiskFile, options: NodeOptions): Writable => ({
  session: sessionOf(disk, options),
  close: disk.close
})

const sessionOf = (disk: DiskFile, options: NodeOptions): Changes => ({
  get chain(): Chain {
    return [{ _tag: 'Raw', size: Math.ceil(disk.length() / sectorSize) * sectorSize }]
  },
  read: disk.read,
  seekData: undefined,
  command: (given) => {
    const command = asGiven(options, given)
    if (command === undefined) return E.right(undefined)
    const change = changeOf(command)
    if (change === undefined) return E.left([unknown(command)])
    if (change._tag === 'Truncate' && disk.isDevice)
      return failure(`Could not resize '${disk.name}': it is a block device`, { file: disk.name })
    const performed = E.chain(() => disk.perform(change))(disk.see(change))
    if (E.isRight(performed)) disk.settle()
    return performed
  },
  end: disk.flush
})
