/** Writers with one fault each: this package's own, whose image or files are tampered with before or after. */
import * as E from 'fp-ts/lib/Either.js'
import { imageName } from '../../corpus/recipe.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { portable } from '../../src/compression/decompress.js'
import type { Change } from '../../src/node/conform/writer/change.js'
import { bytesOf, type Trial } from '../../src/node/conform/writer/trial.js'
import type { AnyCommand } from '../../src/transition/command.js'
import { open } from '../../src/transition/engine/open.js'
import { type Files, type Machine, perform, perhaps, runOver } from '../transition/model/machine.js'

type Named = ReadonlyMap<string, Uint8Array>

/** A fault of a writer, and the clauses of which a report must name one first. */
interface FaultyWriter {
  readonly name: string
  readonly blamed: readonly ClauseId[]
  /** Changes the image before it is opened. */
  readonly before?: (image: DataView, trial: Trial) => void
  /** Changes the image after the last change of the trial; `was` is the image before all. */
  readonly after?: (image: DataView, was: DataView, trial: Trial) => void
  /** A change done in another way; `false` where this one is done as it should be. */
  readonly instead?: (image: DataView, change: Change, number: number) => boolean
  /** Whether the backing file is taken to be zeros, and payloads to decompress to zeros. */
  readonly blank?: 'backing' | 'payloads'
  /** Whether snapshots that must be refused are said to be taken. */
  readonly silent?: boolean
}

const offsetOf = (entry: bigint): number => Number(entry & 0x00ff_ffff_ffff_fe00n)

/** Calls with the place and the value of each entry of the L2 tables of the active disk. */
const eachEntry = (image: DataView, act: (at: number, entry: bigint, k: number) => void): void => {
  const cluster = 2 ** image.getUint32(20)
  const size = (image.getBigUint64(72) & 16n) !== 0n && image.getUint32(4) === 3 ? 16 : 8
  const l1 = Number(image.getBigUint64(40))
  for (let i = 0; i < image.getUint32(36) && l1 + 8 * i + 8 <= image.byteLength; i++) {
    const table = offsetOf(image.getBigUint64(l1 + 8 * i))
    if (table === 0 || table + cluster > image.byteLength) continue
    for (let j = 0; j < cluster / size; j++)
      act(table + size * j, image.getBigUint64(table + size * j), (i * cluster) / size + j)
  }
}

/** The refcount blocks put back as they were. */
const oldRefcounts = (image: DataView, was: DataView): void => {
  const cluster = 2 ** image.getUint32(20)
  const block = Number(was.getBigUint64(Number(was.getBigUint64(48))))
  for (let at = block; at < block + cluster; at += 8) image.setBigUint64(at, was.getBigUint64(at))
}

const isVersion3 = (image: DataView): boolean => image.getUint32(4) === 3

/** A writer that does not see some bits of a header word of version 3, and leaves them set. */
const unseen = (at: number, mask: bigint) => ({
  before: (image: DataView): void => {
    if (isVersion3(image)) image.setBigUint64(at, image.getBigUint64(at) & ~mask)
  },
  after: (image: DataView, was: DataView): void => {
    if (isVersion3(image)) image.setBigUint64(at, image.getBigUint64(at) | (was.getBigUint64(at) & mask))
  }
})

const every = 2n ** 64n - 1n

/** Whether a zero change covers a whole guest cluster. */
const zeroes = (image: DataView, change: Change, k: number): boolean => {
  const cluster = 2 ** image.getUint32(20)
  return change._tag === 'Zero' && change.at <= k * cluster && (k + 1) * cluster <= change.at + change.length
}

/** Writes into the host cluster that one entry names, shared or not; `false` if it names none, or the range has several entries. */
const inPlace = (image: DataView, change: Change, number: number): boolean => {
  if (change._tag !== 'Write' || (isVersion3(image) && (image.getBigUint64(72) & 20n) !== 0n)) return false
  const cluster = 2 ** image.getUint32(20)
  const k = Math.floor(change.at / cluster)
  if (Math.floor((change.at + change.length - 1) / cluster) !== k) return false
  let host = 0
  eachEntry(image, (_, entry, i) => {
    if (i === k && (entry >> 62n) % 2n === 0n && entry % 2n === 0n) host = offsetOf(entry)
  })
  if (host === 0) return false
  const bytes = bytesOf(number, change)
  bytes.forEach((byte, i) => image.setUint8(host + (change.at % cluster) + i, byte))
  return true
}

export const faultyWriters: readonly FaultyWriter[] = [
  { name: 'keeps unknown autoclear bits', blamed: ['FEAT-03'], after: unseen(88, every << 2n).after },
  { name: 'opens unknown incompatible bits', blamed: ['FEAT-01', 'OPEN-09'], ...unseen(72, every << 5n) },
  { name: 'opens corrupt images', blamed: ['FEAT-05', 'OPEN-10'], ...unseen(72, 2n) },
  {
    name: 'clears unknown compatible bits',
    blamed: ['FEAT-02'],
    after: (image) => {
      if (isVersion3(image)) image.setBigUint64(80, image.getBigUint64(80) & 1n)
    }
  },
  {
    name: 'drops unknown extensions',
    blamed: ['EXT-12'],
    after: (image, _, { image: id }) => {
      if (/^extension-[0-9a-f]{8}$/.test(id)) for (let at = 112; at < 144; at++) image.setUint8(at, 0)
    }
  },
  { name: 'writes in place to shared clusters', blamed: ['REF-01'], instead: inPlace },
  { name: 'does not change refcounts', blamed: ['REF-08', 'REF-01', 'CHK-04', 'CHK-05'], after: oldRefcounts },
  {
    name: 'does not set COPIED',
    blamed: ['L2-04'],
    after: (image) => {
      eachEntry(image, (at, entry) => image.setBigUint64(at, entry & (every >> 1n)))
    }
  },
  {
    name: 'takes refcounts to have 16 bits',
    blamed: ['REF-05', 'REF-02', 'CHK-04', 'CHK-05', 'REF-08'],
    before: (image) => {
      if (isVersion3(image)) image.setUint32(96, 4)
    },
    after: (image, was) => {
      if (isVersion3(image)) image.setUint32(96, was.getUint32(96))
    }
  },
  { name: 'fills partial writes over a backing file with zeros', blamed: ['WR-05', 'SW-01'], blank: 'backing' },
  {
    name: 'fills partial writes into compressed clusters with zeros',
    blamed: ['WR-05', 'SW-04'],
    blank: 'payloads'
  },
  {
    name: 'keeps old bytes under a zero flag',
    blamed: ['WR-06'],
    before: (image, { changes }) => {
      if (!isVersion3(image) || (image.getBigUint64(72) & 16n) !== 0n || changes[0]?._tag !== 'Write') return
      eachEntry(image, (at, entry) => {
        if ((entry >> 62n) % 2n === 0n && entry % 2n === 1n && offsetOf(entry) !== 0) image.setBigUint64(at, entry ^ 1n)
      })
    }
  },
  {
    name: 'leaves unallocated clusters as they are when it zeros them',
    blamed: ['ZD-01', 'ZD-08'],
    instead: (image, change) => {
      let isSkipped = false
      eachEntry(image, (_, entry, k) => {
        isSkipped ||= entry === 0n && zeroes(image, change, k)
      })
      return isSkipped
    }
  },
  {
    name: 'zeros the entries of a raw data file alone',
    blamed: ['DATA-07'],
    instead: (image, change) => {
      const isRaw = isVersion3(image) && (image.getBigUint64(88) & 2n) !== 0n
      if (isRaw)
        eachEntry(image, (at, entry, k) => {
          if (zeroes(image, change, k)) image.setBigUint64(at, entry | 1n)
        })
      return isRaw && change._tag === 'Zero'
    }
  },
  { name: 'takes no snapshots', blamed: ['SNAP-08'], instead: (_, change) => change._tag === 'Snapshot' },
  {
    name: 'marks whole clusters where it writes subclusters',
    blamed: ['SW-01', 'SW-03', 'SW-05', 'SUB-02'],
    after: (image) => {
      if (!isVersion3(image) || (image.getBigUint64(72) & 16n) === 0n) return
      eachEntry(image, (at, entry) => {
        if (offsetOf(entry) !== 0 && (entry >> 62n) % 2n === 0n) image.setBigUint64(at + 8, 0xffff_ffffn)
      })
    }
  },
  {
    name: 'does not mark bitmaps',
    blamed: ['BMP-10'],
    before: (image, trial) => {
      if (trial.outcome === 'done') unseen(88, 1n).before(image)
    },
    after: (image, was, trial) => {
      if (trial.outcome === 'done') unseen(88, 1n).after(image, was)
    }
  },
  { name: 'says that it took a snapshot that it cannot take', blamed: ['DATA-10', 'REF-07'], silent: true }
]

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const commandOf = (change: Change, number: number): AnyCommand => {
  switch (change._tag) {
    case 'Write':
      return { _tag: 'Write', at: change.at, bytes: bytesOf(number, change) }
    case 'Zero':
      return { _tag: 'WriteZeroes', at: change.at, length: change.length, unmap: false }
    case 'Discard':
      return { _tag: 'Discard', at: change.at, length: change.length }
    case 'Snapshot':
      return { _tag: 'SnapshotCreate', name: change.name }
    case 'Flush':
      return { _tag: 'Flush' }
  }
}

const opened = (files: Files, fault: FaultyWriter | undefined): E.Either<unknown, Machine> => {
  const backing = files.backing.length === 0 ? [] : [{ _tag: 'Raw', size: files.backing.length } as const]
  const zeros = { deflate: (_: Uint8Array, size: number) => E.right(new Uint8Array(size)), zstd: portable.zstd }
  const decompressor = fault?.blank === 'payloads' ? zeros : portable
  return E.map(({ writes, next }: { writes: Parameters<typeof perform>[1]; next: Machine['opened'] }) => ({
    files: perform(files, writes),
    opened: next
  }))(runOver(files, open({ backing, decompressor })))
}

/** The files after a trial; or, as `undefined`, that the writer refuses it. */
export const writtenBy = (files: Named, trial: Trial, fault?: FaultyWriter): Named | undefined => {
  const was = files.get(imageName) ?? new Uint8Array(0)
  const image = new Uint8Array(was)
  fault?.before?.(viewOf(image), trial)
  const backing = files.get('backing.raw') ?? new Uint8Array(0)
  let now: Files = {
    image,
    data: files.get('img.raw') ?? new Uint8Array(0),
    backing: fault?.blank === 'backing' ? new Uint8Array(backing.length) : backing
  }
  const isSnapshot = trial.changes.some(({ _tag }) => _tag === 'Snapshot')
  const refused = fault?.silent === true && isSnapshot ? files : undefined
  for (const [number, change] of trial.changes.entries()) {
    const machine = opened(now, fault)
    if (E.isLeft(machine)) return refused
    const copy = new Uint8Array(machine.right.files.image)
    if (fault?.instead?.(viewOf(copy), change, number) === true) {
      now = { ...now, image: copy }
      continue
    }
    const moved = perhaps(machine.right, commandOf(change, number))
    if (E.isLeft(moved)) return refused
    now = moved.right.files
  }
  const result = new Uint8Array(now.image)
  fault?.after?.(viewOf(result), viewOf(was), trial)
  return new Map(
    [...files].map(([name, bytes]) => [name, name === imageName ? result : name === 'img.raw' ? now.data : bytes])
  )
}

/** Whether a writer can be tried here: the image has at most a raw backing file. */
export const canBeTried = (files: Named): boolean =>
  [...files.keys()].every((name) => [imageName, 'img.raw', 'backing.raw'].includes(name)) &&
  [...files.values()].every(({ length }) => length <= 2 ** 17)
