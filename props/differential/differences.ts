/** Where this package and QEMU part over a command that both are given, and are meant to. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { type Disk, step } from '../../spec/disk.js'
import { isSet } from '../../spec/reference/image.js'
import { subclusters } from '../../src/format/limits.js'
import { check } from '../../src/image/check/check.js'
import type { Command } from '../../src/transition/command.js'
import { abstraction, type Files, right, runOver } from '../transition/model/machine.js'
import { l2Entries } from '../transition/twins/by-qemu.js'
import type { Answer } from './party.js'

/** The byte of the header with the autoclear bits, and the bit of raw external data in it. */
const [autoclearBits, rawExternalData] = [95, 2]

/** A command, the disk before it, and what each party did. */
export interface Parting {
  readonly command: Command
  readonly disk: Disk
  readonly ours: Answer
  readonly qemu: Answer
  /** Reads QEMU's image as it is after the command. */
  readonly files: () => Files
}

export interface Difference {
  readonly clause: ClauseId
  readonly why: string
  readonly explains: (parting: Parting) => boolean
  /** The disk that QEMU has then; without it, it has what it had, and the twins are no longer compared. */
  readonly after?: (parting: Parting) => Disk
  /** Whether the twins are no longer compared, for QEMU may then refuse what is carried out here. */
  readonly parts?: true
  /** Whether clusters of QEMU's image are then counted and not used. */
  readonly leaks?: true
  /** Whether the same guest bytes may then be mapped otherwise. */
  readonly remaps?: true
}

/** What QEMU shows of the old last cluster of a disk that has grown. */
const hidden = ({ command, disk: { content, traits }, qemu, files }: Parting): Uint8Array => {
  const [from, { grain }] = [content.length, traits]
  if (command._tag !== 'Resize' || command.size <= from || from % grain === 0 || !qemu.done) return new Uint8Array()
  return abstraction(files(), traits).content.subarray(from, Math.ceil(from / grain) * grain)
}

/** Whether a disk that is to grow ends within a compressed cluster that has subclusters. */
const endsCompressed = ({ disk: { content, traits }, files }: Parting): boolean => {
  const [bits = 0n, subclusters] = l2Entries(files())[Math.floor(content.length / traits.grain)] ?? []
  return subclusters !== undefined && isSet(bits, 62)
}

/** Whether a payload lies in a cluster of QEMU's image that something else has. */
const writesOver = ({ command, qemu, files }: Parting): boolean => {
  if (command._tag !== 'WriteCompressed' || !qemu.done) return false
  const image = files()
  return right(E.flatten(runOver(image, check(image.image.length)))).findings.some(
    ({ clause, owners = [] }) => clause === 'GEN-01' && owners.some(({ section }) => section === 'compressed-cluster')
  )
}

/** The disk that the command specifies. */
const afterStep = ({ command, disk }: Parting): Disk => {
  const outcome = step(command, disk)
  return outcome._tag === 'Done' ? outcome.disk : disk
}

/** Whether whole subclusters of more than one cluster, which are to be zeroed, are data in QEMU's image. */
const zeroesAsData = ({ command, disk: { traits }, qemu, files }: Parting): boolean => {
  if (command._tag !== 'WriteZeroes' || !qemu.done) return false
  const [from, to] = [command.at, command.at + command.length]
  const size = traits.grain / subclusters
  const isData = ([, bitmap]: readonly (bigint | undefined)[], cluster: number): boolean => {
    const parts = Array.from({ length: subclusters }, (_, x) => cluster * traits.grain + x * size)
    const whole = parts.flatMap((at, x) => (at >= from && at + size <= to ? [x] : []))
    return bitmap !== undefined && whole.length > 0 && whole.every((x) => isSet(bitmap, x))
  }
  return (
    Math.floor(from / traits.grain) < Math.floor((to - 1) / traits.grain) &&
    l2Entries(files()).filter(isData).length > 1
  )
}

/** Whether the last cluster of a raw disk that grows, a part of which was its end, is all zeros. */
const growsOverZeros = ({ command, disk: { content, traits }, ours, qemu, files }: Parting): boolean => {
  const tail = content.length % traits.grain
  return (
    command._tag === 'Resize' &&
    command.size > content.length &&
    tail > 0 &&
    ours.done &&
    qemu.done &&
    content.subarray(content.length - tail).every((byte) => byte === 0) &&
    ((files().image[autoclearBits] ?? 0) & rawExternalData) !== 0
  )
}

/** Every row explains some difference of a full run; one that does not is reported. */
export const differences: readonly Difference[] = [
  {
    clause: 'BMP-10',
    why: 'QEMU lets enabled bitmaps record a compressed write that it refuses; here what is refused changes nothing',
    explains: ({ command, disk, ours, qemu }) =>
      command._tag === 'WriteCompressed' && !ours.done && !qemu.done && disk.bitmaps.some(({ enabled }) => enabled),
    after: ({ command, disk }) => {
      const range = 'bytes' in command ? { at: command.at, length: command.bytes.length } : { at: 0, length: 0 }
      const outcome = step({ _tag: 'WriteZeroes', ...range, unmap: false }, disk)
      return outcome._tag === 'Done' ? { ...disk, bitmaps: outcome.disk.bitmaps } : disk
    }
  },
  {
    clause: 'REF-07',
    why: 'a snapshot that the width of the counts forbids leaves clusters of QEMU counted that nothing uses',
    explains: ({ command, ours, qemu }) => command._tag === 'SnapshotCreate' && ours.clause === 'REF-07' && !qemu.done,
    after: ({ disk }) => disk,
    leaks: true
  },
  {
    clause: 'CW-05',
    why: 'QEMU writes a payload into a cluster of payloads that was freed and given to something else',
    explains: writesOver
  },
  {
    clause: 'SW-05',
    why: 'QEMU writes all zeros of a request as data that starts or ends inside a compressed cluster with subclusters',
    explains: zeroesAsData,
    after: afterStep,
    parts: true
  },
  {
    clause: 'DATA-08',
    why: 'QEMU makes zeros of the last cluster of a raw disk data as the disk grows',
    explains: growsOverZeros,
    after: afterStep,
    remaps: true
  },
  {
    clause: 'ZD-03',
    why: 'QEMU makes an L2 table for clusters that it discards where there are none, and counts of one bit forbid its snapshot',
    explains: ({ command, ours, qemu }) => command._tag === 'SnapshotCreate' && ours.done && !qemu.done
  },
  {
    clause: 'ST-10',
    why: 'QEMU counts the tree of a snapshot once more before it lets go of the disk, which counts at their most forbid',
    explains: ({ command, ours, qemu }) => command._tag === 'SnapshotApply' && ours.done && !qemu.done,
    leaks: true
  },
  {
    clause: 'RS-03',
    why: 'QEMU does not make a disk over a longer backing file grow where it ends in a compressed cluster with subclusters',
    explains: (parting) => {
      const { command, disk, ours, qemu } = parting
      const end = disk.content.length
      return (
        command._tag === 'Resize' &&
        command.size > end &&
        disk.traits.backingSize > end &&
        ours.done &&
        !qemu.done &&
        endsCompressed(parting)
      )
    }
  },
  {
    clause: 'RS-06',
    why: 'bytes past the end of a disk that was once longer come back in QEMU as it grows; here they are zeros',
    explains: (parting) => hidden(parting).some((byte) => byte !== 0),
    after: (parting) => {
      const { command, disk } = parting
      const outcome = step(command, disk)
      if (outcome._tag === 'Refused') return disk
      const content = outcome.disk.content.slice()
      content.set(hidden(parting), disk.content.length)
      return { ...outcome.disk, content }
    },
    remaps: true
  }
]
