/** `qcow2 convert` into another file of another one: with -n one that is there, else a new raw file. */
import { closeSync, ftruncateSync, realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { clusterSize } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { chainSize } from '../../image/guest/chain.js'
import { because, type CommandError, failure, get, system, task, using, wait } from '../command-error.js'
import { type AtomicFile, atomicFile } from '../files/atomic-file.js'
import { writeAt } from '../files/sparse.js'
import { sizeOfAll, wholeDisk } from '../images/guest.js'
import { openForWriting } from '../images/locked-image.js'
import type { OpenChain } from '../images/open.js'
import { openRaw } from '../images/raw.js'
import type { Changes } from '../images/session.js'
import { Clusters, sparseUnit, type Stretch } from './clusters.js'
import { type ProgressWords, progressOf } from './progress.js'

/** How to copy. */
interface CopyOptions extends ProgressWords {
  /** Bytes of zeros from which on they are left out; 0: never. */
  readonly sparse: number
}

/** How to write over what is there. */
export interface IntoOptions extends CopyOptions {
  readonly compress: boolean
  /** Whether the target holds zeros only. */
  readonly targetIsZero: boolean
}

/** What takes the disks. */
interface Target {
  /** Bytes that are written together. */
  readonly unit: number
  readonly put: (stretch: Stretch) => E.Either<CommandError, void>
  readonly end: () => E.Either<CommandError, void>
}

const done = E.right(undefined)

/** Takes the disks of all inputs, one after the other. */
const copyAll = (
  inputs: readonly OpenChain[],
  target: Target,
  { sparse, ...words }: CopyOptions
): TaskEither<CommandError, void> =>
  task(async function* () {
    const clusters = new Clusters(sparseUnit(target.unit, sparse), sizeOfAll(inputs), sparse)
    const progress = yield* wait(progressOf(inputs, words, (_, zeros) => !(zeros && sparse > 0)))
    for (const input of inputs) {
      const copied = wholeDisk(input, (piece) => {
        for (const stretch of clusters.add(piece.length, piece.bytes, true)) {
          const put = target.put(stretch)
          if (E.isLeft(put)) return put
        }
        progress?.copied(piece)
        return done
      })
      yield* wait(copied)
    }
    yield* get(target.end())
    progress?.end()
  })

const targetOf = (changes: Changes, { compress, sparse, targetIsZero }: IntoOptions): Target => {
  const [top] = changes.chain
  const unit = top._tag === 'Raw' ? sectorSize : clusterSize(top.disk.g)
  const put = ({ at, length, bytes }: Stretch): E.Either<CommandError, void> => {
    if (bytes === undefined && targetIsZero) return done
    const step = compress && bytes !== undefined ? unit : length
    for (let from = 0; from < length; from += step) {
      const part = bytes?.slice(from, from + step)
      const result = changes.command(
        part === undefined
          ? { _tag: 'WriteZeroes', at, length, unmap: sparse > 0 }
          : { _tag: compress ? 'WriteCompressed' : 'Write', at: at + from, bytes: part }
      )
      if (E.isLeft(result)) return E.mapLeft(because(`error while writing at byte ${at + from}`))(result)
    }
    return done
  }
  return { unit, put, end: () => changes.end() }
}

/** A raw file that is there, by the name of a link to it too. */
const existingRaw = (out: string) =>
  E.chain((path: string) => openRaw(path))(system('open', out, () => realpathSync(out)))

/** Writes the disks over what a file holds that is there. */
export const convertOver = (
  inputs: readonly OpenChain[],
  out: string,
  format: 'raw' | 'qcow2',
  allow: readonly string[],
  options: IntoOptions
): TaskEither<CommandError, void> =>
  using(
    format === 'raw' ? () => Promise.resolve(existingRaw(out)) : openForWriting(out, { allow }),
    async function* ({ session }: { readonly session: Changes }) {
      const [size, room] = [sizeOfAll(inputs), chainSize(session.chain)]
      if (size > room)
        yield* get(failure(`'${out}' is smaller than the input: ${room} bytes, and ${size} are needed`, { file: out }))
      yield* wait(copyAll(inputs, targetOf(session, options), options))
    }
  )

const fillNew = (file: AtomicFile, inputs: readonly OpenChain[], words: CopyOptions): TaskEither<CommandError, void> =>
  task(async function* () {
    const { name } = file
    const fd = yield* get(file.create())
    try {
      yield* get(system('write', name, () => ftruncateSync(fd, sizeOfAll(inputs))))
      const put = ({ at, bytes }: Stretch) => (bytes === undefined ? done : writeAt(name, fd, bytes, at))
      yield* wait(copyAll(inputs, { unit: sectorSize, put, end: () => done }, words))
    } finally {
      closeSync(fd)
    }
  })

/** Writes the disks into a new raw file, which appears when it is complete. */
export const convertToRaw = (
  inputs: readonly OpenChain[],
  out: string,
  words: CopyOptions
): TaskEither<CommandError, void> =>
  task(async function* () {
    const file = yield* wait(atomicFile(out))
    try {
      yield* wait(fillNew(file, inputs, words))
      yield* get(file.publish())
    } finally {
      file.discard()
    }
  })
