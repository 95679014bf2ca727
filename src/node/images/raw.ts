/** Raw files that are written: the guest disk itself, of which every byte is where it is. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { imageFile } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import type { Chain } from '../../image/guest/chain.js'
import type { AnyCommand } from '../../transition/command.js'
import { refusal } from '../../transition/engine/refuse.js'
import type { CommandError } from '../command-error.js'
import { type DiskFile, openDiskFile } from '../files/disk-file.js'
import type { Place } from '../files/file.js'
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

/** A raw file: imageFile, or an image, that is open for writing. */
export interface Writable {
  readonly session: Changes
  readonly close: () => void
}

/** Opens a raw file and locks it. */
export const openRaw = (place: Place): TaskEither<CommandError, Writable> =>
  TE.map((disk: DiskFile): Writable => ({ session: sessionOf(disk), close: disk.close }))(openDiskFile(place))

const sessionOf = (disk: DiskFile): Changes => ({
  get chain(): Chain {
    return [{ _tag: 'Raw', size: Math.ceil(disk.length() / sectorSize) * sectorSize }]
  },
  read: disk.read,
  seekData: undefined,
  command: (command) => {
    const change = changeOf(command)
    if (change === undefined) return E.left([unknown(command)])
    const performed = E.chain(() => disk.perform(change))(disk.see(change))
    if (E.isRight(performed)) disk.settle()
    return performed
  },
  end: disk.flush
})
