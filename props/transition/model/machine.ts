/** Images in memory that commands change, and what independent readers see in them. */
import * as E from 'fp-ts/lib/Either.js'
import type { Disk as Abstract, Traits } from '../../../spec/disk.js'
import { bitmapsOf } from '../../../spec/reference/bitmap.js'
import { check, type Counts } from '../../../spec/reference/check.js'
import { type Image, openImage, snapshotsOf } from '../../../spec/reference/image.js'
import { readGuest } from '../../../spec/reference/reader.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { fromMemory, type Plan, runSync } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import type { Layer } from '../../../src/image/guest/chain.js'
import { type AnyCommand, step } from '../../../src/transition/command.js'
import { create } from '../../../src/transition/create/create.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import type { Step } from '../../../src/transition/engine/finish.js'
import { open } from '../../../src/transition/engine/open.js'
import { CommandState, type WritableImage } from '../../../src/transition/engine/command-state.js'
import { refcountOf } from '../../../src/transition/engine/refcounts.js'
import { tools } from '../../spec/reference/corpus.js'

/** The files of an image: itself, its external data file, and a raw file behind it. */
export interface Files {
  readonly image: Uint8Array
  readonly data: Uint8Array
  readonly backing: Uint8Array
}

/** An image, and what its writer knows of it. */
export interface Machine {
  readonly files: Files
  readonly opened: WritableImage
}

/** The value of a result that is one. */
export const right = <A>(result: E.Either<readonly Issue[], A>): A => {
  if (E.isRight(result)) return result.right
  throw new Error(result.left.map((i) => i.message).join('\n'))
}

/** Runs a plan over the files. */
export const runOver = <A, W = never>(
  files: Files,
  plan: Plan<A, W>,
  tell: (what: W) => void = () => undefined
): E.Either<readonly Issue[], A> =>
  runSync(plan, { read: (r) => fromMemory(r.file.depth > 0 ? files.backing : files[r.file.part])(r), emit: tell })

const grown = (bytes: Uint8Array, length: number): Uint8Array => {
  const out = new Uint8Array(length)
  out.set(bytes.subarray(0, length))
  return out
}

/** The files after a list of writes, one after the other. */
export const perform = (files: Files, writes: readonly HostWrite[]): Files => {
  const now: Record<'image' | 'data', Uint8Array> = { image: files.image.slice(), data: files.data.slice() }
  for (const w of writes) {
    if (w._tag === 'Flush') continue
    if (w.file.depth !== 0) throw new Error(`a write to a file ${w.file.depth} backing files down`)
    const bytes = now[w.file.part]
    if (w._tag === 'Truncate') now[w.file.part] = grown(bytes, w.length)
    else if (w._tag === 'Punch') bytes.fill(0, w.at, w.at + w.length)
    else {
      const end = w.at + w.bytes.length
      now[w.file.part] = end > bytes.length ? grown(bytes, end) : bytes
      now[w.file.part].set(w.bytes, w.at)
    }
  }
  return { ...files, ...now }
}

const layersOf = (files: Files): readonly Layer[] =>
  files.backing.length === 0 ? [] : [{ _tag: 'Raw', size: files.backing.length }]

/** Opens the files for writing. */
export const machineOf = (files: Files): Machine => {
  const { writes, next } = right(runOver(files, open({ backing: layersOf(files), decompressor: portable })))
  return { files: perform(files, writes), opened: next }
}

const nothing = new Uint8Array(0)

/** A new image over a raw file, which may be empty. */
export const newMachine = (options: CreateOptions, backing: Uint8Array = nothing): Machine => {
  const named = backing.length === 0 ? {} : { backing: { name: 'backing.raw', format: 'raw' } }
  const writes = right(create({ ...options, ...named }))
  return machineOf(perform({ image: nothing, data: nothing, backing }, writes))
}

/** A machine one command later, and what that took. */
export interface Moved extends Machine, Omit<Step, 'next'> {}

/** What a command does, or why it is refused. Fails if it writes to an external data file that the image has not. */
export const perhaps = (m: Machine, command: AnyCommand): E.Either<readonly Issue[], Moved> =>
  E.map(({ next, ...rest }: Step) => {
    const toData = rest.writes.some((each) => each._tag !== 'Flush' && each.file.part === 'data')
    if (toData && !next.g.externalDataFile) throw new Error('a write to an external data file, which the image has not')
    return { files: perform(m.files, rest.writes), opened: next, ...rest }
  })(runOver(m.files, step(m.opened, command, m.files.image.length)))

const referenceOf = ({ image, data, backing }: Files): Image =>
  openImage(image, data.length > 0 ? data : undefined, backing.length > 0 ? backing : undefined)

const diskOf = (image: Image, size = image.size, l1 = image.l1): Uint8Array => {
  const read = readGuest({ ...image, size }, 0, size, tools, l1)
  if (E.isLeft(read)) throw new Error(`the disk cannot be read: ${read.left}`)
  return read.right
}

/** The active disk, as the reference reads it. */
export const guestOf = (files: Files): Uint8Array => diskOf(referenceOf(files))

/** The abstract disk that an image stands for, as the reference reads it. */
export const abstraction = (files: Files, traits: Traits): Abstract => {
  const image = referenceOf(files)
  return {
    traits,
    content: diskOf(image),
    snapshots: snapshotsOf(image).map((s) => ({ id: s.id, name: s.name, content: diskOf(image, s.size, s.l1) })),
    bitmaps: bitmapsOf(image)
  }
}

/** What the reference counts in an image. */
export const countsOf = (files: Files): Counts => {
  const counts = check(referenceOf(files))
  if (E.isLeft(counts)) throw new Error(`the image cannot be checked: ${counts.left}`)
  return counts.right
}

/** The count of a host cluster. */
export const countIn = ({ files, opened }: Machine, cluster: number): bigint =>
  right(runOver(files, refcountOf(new CommandState(opened), cluster)))
