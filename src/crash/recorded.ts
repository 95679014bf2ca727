/**
 * What system calls do to files: their changes and syncs, in the order in which a disk may rely on them.
 *
 * A change counts from its return on, a sync for what returned before its entry: a write that was under way when a sync
 * began is not covered by it.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { FileRef } from '../bytes/plan.js'
import { concat } from '../bytes/octets.js'
import type { FileChange } from '../store/files.js'
import { bytesOfString, type CallEvent, descriptorOf, type SystemCall } from './strace.js'

/** Files whose changes so far are durable. */
export interface Sync {
  readonly _tag: 'Sync'
  /** All of them if it is absent. */
  readonly file?: FileRef
}

export type Recorded = FileChange | Sync

/** A file that is watched: its path without links, and its length in bytes before the program. */
export interface WatchedFile {
  readonly path: string
  readonly file: FileRef
  readonly length: number
}

/** The system calls that are recorded; all that write to a file by its descriptor, or that move its file position. */
export const tracedCalls: readonly string[] = [
  ...['open', 'openat', 'creat', 'close', 'lseek', 'read', 'readv'],
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'ftruncate', 'fallocate'],
  ...[
    'fsync',
    'fdatasync',
    'sync',
    'syncfs',
    'mmap',
    'io_uring_enter',
    'io_submit',
    'copy_file_range',
    'sendfile',
    'splice'
  ]
]

/** Strings of a call: what it writes, of one buffer or of several. */
const written = ({ args, result }: SystemCall): Uint8Array =>
  concat([...args.matchAll(/"([^"]*)"/g)].map(([, text]) => bytesOfString(text ?? ''))).subarray(0, result)

const numberAt = (args: string, fromEnd: number): number => Number(args.split(', ').at(-fromEnd))

const syncing = /\b(?:O|RWF)_D?SYNC\b/

/** How a call writes in a way that is not recorded. */
const unrecorded: Readonly<Record<string, string>> = {
  io_submit: 'by io_submit',
  copy_file_range: 'by copy_file_range',
  sendfile: 'by sendfile',
  splice: 'by splice',
  io_uring_enter: 'by io_uring'
}

/** The state of a descriptor that is not in its calls. */
interface Description {
  position: number
  readonly appends: boolean
  readonly syncs: boolean
}

const closed: Description = { position: 0, appends: false, syncs: false }

/** What was recorded, and how else the program may have written. */
export interface Recording {
  readonly recorded: readonly Recorded[]
  /** Ways of writing that leave no trace in the log, each once: `by io_uring`. */
  readonly untraced: readonly string[]
}

/** Changes and syncs of the watched files; a reason where a call changes one in a way that cannot be followed. */
export const recordedOf = (
  events: readonly CallEvent[],
  watched: readonly WatchedFile[]
): E.Either<string, Recording> => {
  const recorded: Recorded[] = []
  const untraced = new Set<string>()
  const lengths = watched.map(({ length }) => length)
  const descriptions = new Map<string, Description>()
  for (const { edge, call } of events) {
    const { name, args, result } = call
    if (edge === 'entry') {
      if (name === 'sync' || name === 'syncfs') recorded.push({ _tag: 'Sync' })
      if ((name !== 'fsync' && name !== 'fdatasync') || result !== 0) continue
      const synced = watched.find(({ path }) => path === descriptorOf(args)?.path)
      if (synced !== undefined) recorded.push({ _tag: 'Sync', file: synced.file })
      continue
    }
    if (result < 0) continue
    const way = unrecorded[name]
    if (way !== undefined && result > 0) untraced.add(way)
    const descriptor =
      call.opened === undefined
        ? descriptorOf(name === 'mmap' ? (args.split(', ')[4] ?? '') : args)
        : { fd: result, path: call.opened }
    const place = watched.findIndex(({ path }) => path === descriptor?.path)
    const at = watched[place]
    if (at === undefined || descriptor === undefined) continue
    const { file } = at
    const key = `${descriptor.fd} ${place}`
    const description = descriptions.get(key) ?? { ...closed }
    const change = (each: FileChange): void => {
      recorded.push(each)
      if (each._tag === 'Write') lengths[place] = Math.max(lengths[place] ?? 0, each.at + each.bytes.length)
      if (each._tag === 'Truncate') lengths[place] = each.length
    }
    const isAppended = description.appends || args.includes('RWF_APPEND')
    /** A write at byte `from`, or, as Linux has it also for a given offset, at the end of a file that is appended to. */
    const write = (from: number): void => {
      const start = isAppended ? (lengths[place] ?? 0) : from
      change({ _tag: 'Write', file, at: start, bytes: written(call) })
      if (description.syncs || syncing.test(args)) recorded.push({ _tag: 'Sync', file })
    }
    descriptions.set(key, description)
    switch (name) {
      case 'open':
      case 'openat':
      case 'creat':
        descriptions.set(key, { position: 0, appends: args.includes('O_APPEND'), syncs: syncing.test(args) })
        if (name === 'creat' || args.includes('O_TRUNC')) change({ _tag: 'Truncate', file, length: 0 })
        break
      case 'lseek':
        description.position = result
        break
      case 'read':
      case 'readv':
        description.position += result
        break
      case 'write':
      case 'writev':
        if (description.appends) description.position = lengths[place] ?? 0
        write(description.position)
        description.position += result
        break
      case 'pwrite64':
      case 'pwritev':
        write(numberAt(args, 1))
        break
      case 'pwritev2':
        if (numberAt(args, 2) < 0) return E.left(`it calls pwritev2 without an offset`)
        write(numberAt(args, 2))
        break
      case 'ftruncate':
        change({ _tag: 'Truncate', file, length: numberAt(args, 1) })
        break
      case 'fallocate': {
        const [from, length] = [numberAt(args, 2), numberAt(args, 1)]
        if (/COLLAPSE|INSERT/.test(args)) return E.left('it moves the bytes of the file by fallocate')
        if (!args.includes('KEEP_SIZE') && from + length > (lengths[place] ?? 0))
          change({ _tag: 'Truncate', file, length: from + length })
        if (/PUNCH_HOLE|ZERO_RANGE/.test(args)) change({ _tag: 'Punch', file, at: from, length })
        break
      }
      case 'mmap':
        if (args.includes('PROT_WRITE') && args.includes('MAP_SHARED'))
          return E.left('it writes through mmap, which leaves no trace of its order')
        break
      default:
        break
    }
  }
  return E.right({ recorded, untraced: [...untraced] })
}
