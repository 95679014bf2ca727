/** Verdicts: what is said of a damaged image, as short texts that can be kept and compared. */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../src/bytes/octets.js'
import type { Issue } from '../../src/bytes/issue.js'
import { type Chain, chainSize } from '../../src/image/guest/chain.js'
import { check } from '../../src/image/check/check.js'
import { type CheckReport, exitCode } from '../../src/image/check/report.js'
import { map, type MapEntry } from '../../src/image/guest/map.js'
import { readMetadata } from '../../src/image/metadata.js'
import { readGuest } from '../../src/image/guest/read.js'
import { native } from '../../src/node/compression/native.js'
import { chainOf, companionsOf, type Files, type MemoryChain, runChain } from '../image/guest/chains.js'
import { runOn } from '../image/world.js'

/** The questions that are asked of an image. */
export const questions = ['check', 'map', 'guest', 'snapshot'] as const

export type Question = (typeof questions)[number]

/**
 * The answers. Of `check` the exit code and, where there are counts, corruptions, leaks, check errors, and total,
 * allocated, fragmented and compressed clusters, and the image's end; of the others a digest, or the exit code 1.
 * A question that is not asked has the answer `-`.
 */
export type Verdict = Readonly<Record<Question, string>>

/** An image that questions are asked of, and what is known of it before it was damaged. */
export interface Subject extends Files {
  readonly expect: Files['expect'] & {
    readonly info: { readonly stdout: { readonly encrypted?: boolean } | null }
    readonly guest: { readonly snapshots: readonly { readonly id: string }[] }
  }
}

/** The id of the snapshot that is read, if the sound image has one. */
export const snapshotId = '1'

/** Largest guest disk that is mapped and read, in bytes. */
const largest = 2 ** 25

/** The questions that an image can be asked. Encrypted data is not read, nor is a disk of a size that only its header has. */
export const askable = ({ image, expect }: Subject): readonly Question[] => {
  const size = image.length < 32 ? 0n : new DataView(image.buffer, image.byteOffset).getBigUint64(24)
  const encrypted = expect.info.stdout?.encrypted === true
  const [first] = expect.guest.snapshots
  return questions.filter(
    (question) =>
      question === 'check' ||
      (size <= largest && !(encrypted && question !== 'map') && (question !== 'snapshot' || first?.id === snapshotId))
  )
}

/** Hexadecimal digits of a digest: enough to tell two answers apart. */
export const digits = 8

export const digest = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex').slice(0, digits)

/** Entries of a map as they are compared: QEMU asks the host file system for holes, which are data here. @see RD-09 */
export const mapText = (entries: readonly MapEntry[]): string => {
  const out: MapEntry[] = []
  for (const e of entries) {
    const last = out.at(-1)
    const next = { ...e, zero: e.data ? false : e.zero }
    const joins =
      last?.depth === next.depth &&
      last.present === next.present &&
      last.zero === next.zero &&
      last.data === next.data &&
      (last.offset === undefined ? next.offset === undefined : last.offset + last.length === next.offset)
    if (joins) out[out.length - 1] = { ...last, length: last.length + next.length }
    else out.push(next)
  }
  return out
    .map((e) => [e.start, e.length, e.depth, +e.present, +e.zero, +e.data, e.offset ?? '-'].join(' '))
    .join('\n')
}

export interface Counted {
  readonly corruptions: number
  readonly leaks: number
  readonly checkErrors: number
  readonly totalClusters: number
  readonly allocatedClusters: number
  readonly fragmentedClusters: number
  readonly compressedClusters: number
  readonly imageEndOffset: number
}

export const countsText = (exit: number | null, c: Counted): string =>
  [
    exit,
    c.corruptions,
    c.leaks,
    c.checkErrors,
    c.totalClusters,
    c.allocatedClusters,
    c.fragmentedClusters,
    c.compressedClusters,
    c.imageEndOffset
  ].join(' ')

/** What the checker reports of an image; refused when a file it stands on is not there. */
export const checked = (loaded: Subject): E.Either<readonly Issue[] | string, CheckReport> => {
  const done = E.flatten(runOn(loaded.image, check(loaded.image.length)))
  if (E.isLeft(done)) return done
  const companions = companionsOf(loaded, done.right.metadata)
  return E.isLeft(companions) ? companions : done
}

const step = 2 ** 22

const read = (c: MemoryChain, size: number): E.Either<string, string> => {
  const hash = createHash('sha256')
  for (let at = 0; at < size; at += step) {
    const bytes = runChain(c, readGuest(c.chain, at, Math.min(step, size - at), native))
    if (E.isLeft(bytes)) return bytes
    hash.update(bytes.right)
  }
  return E.right(hash.digest('hex').slice(0, digits))
}

const mapped = (c: MemoryChain): E.Either<string, string> => {
  const entries: MapEntry[] = []
  return E.map(() => digest(mapText(entries)))(runChain(c, map(c.chain), (e) => entries.push(e)))
}

/** QEMU reads a snapshot at the size of the active disk, whatever its own. */
const ofSize = ({ chain: [top, ...rest], read: answer }: MemoryChain, size: number): MemoryChain => {
  const chain: Chain = [top._tag === 'Raw' ? top : { ...top, disk: { ...top.disk, size } }, ...rest]
  return { chain, read: answer }
}

const hasSnapshot = (image: Uint8Array): boolean => {
  const m = E.flatten(runOn(image, readMetadata()))
  return E.isRight(m) && m.right.snapshots.some((s) => label(s.id) === snapshotId)
}

const snapshotRead = (loaded: Subject): E.Either<string, string> => {
  if (!hasSnapshot(loaded.image)) return E.left('no such snapshot')
  const active = chainOf(loaded)
  if (E.isLeft(active)) return active
  const size = chainSize(active.right.chain)
  return E.chain((c: MemoryChain) => read(ofSize(c, size), size))(chainOf(loaded, snapshotId))
}

const refused = (): string => '1'

const answers: Readonly<Record<Question, (loaded: Subject) => E.Either<unknown, string>>> = {
  check: (loaded) => E.map((r: CheckReport) => countsText(exitCode(r), r))(checked(loaded)),
  map: (loaded) => E.chain(mapped)(chainOf(loaded)),
  guest: (loaded) => E.chain((c: MemoryChain) => read(c, chainSize(c.chain)))(chainOf(loaded)),
  snapshot: snapshotRead
}

/** What this package says of an image. */
export const ours = (loaded: Subject): Verdict => {
  const asked = askable(loaded)
  const answer = (question: Question): string =>
    asked.includes(question) ? E.getOrElse(refused)(answers[question](loaded)) : '-'
  return { check: answer('check'), map: answer('map'), guest: answer('guest'), snapshot: answer('snapshot') }
}
