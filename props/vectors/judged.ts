/** What this package makes of the image of a vector. */
import * as E from 'fp-ts/lib/Either.js'
import { type ClauseId, isClauseId } from '../../spec/clauses/index.js'
import { sha256 } from '../../src/node/conform/suite.js'
import type { Issue } from '../../src/bytes/issue.js'
import { label } from '../../src/bytes/octets.js'
import { writableRules } from '../../src/format/header-rules.js'
import type { Finding } from '../../src/image/check/findings.js'
import { type RegionItem, regions } from '../../src/image/dump/regions.js'
import { chainSize } from '../../src/image/guest/chain.js'
import { map, type MapEntry } from '../../src/image/guest/map.js'
import { readGuest } from '../../src/image/guest/read.js'
import { type Metadata, readMetadata, refusal } from '../../src/image/metadata.js'
import { native } from '../../src/node/compression/native.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { checked, type Subject } from '../damage/verdict.js'
import { chainOf, type MemoryChain, runChain } from '../image/guest/chains.js'
import { runOn } from '../image/world.js'
import { exercised } from './exercised.js'

/** Longest guest disk that is read, in bytes: two L2 tables of extended entries map more than 16 MiB. */
export const mostRead = 2 ** 24 + 2 ** 16
/** Most entries of a map that a vector states. */
const mostEntries = 64

/** Most snapshots whose disks a vector states. */
const mostSnapshots = 16

/** The parts of a vector that follow from the image. */
export type Judged = Pick<Vector, 'clauses' | 'sha256' | 'check' | 'writable' | 'disk' | 'map' | 'snapshots'> & {
  readonly refused?: Refusal
  /** The first rule that it breaks and that QEMU does not refuse it for. */
  readonly broken?: Finding
  /** The clauses that it breaks. What a check counts is no rule of the image. */
  readonly breaks: readonly ClauseId[]
  readonly encrypted: boolean
  /** Bytes of the disk, as the header says. */
  readonly size: number
}

const diskOf = (c: MemoryChain): E.Either<string, { readonly length: number; readonly sha256: string } | undefined> => {
  const length = chainSize(c.chain)
  if (length > mostRead) return E.right(undefined)
  return E.map((bytes: Uint8Array) => ({ length, sha256: sha256(bytes) }))(
    runChain(c, readGuest(c.chain, 0, length, native))
  )
}

const mapOf = (c: MemoryChain): Vector['map'] => {
  const entries: MapEntry[] = []
  const done = runChain(c, map(c.chain), (e) => entries.push(e))
  if (E.isLeft(done) || entries.length > mostEntries) return undefined
  return entries.map(({ start, length, depth, present, zero }) => [
    start,
    length,
    depth,
    present ? (zero ? 'zero' : 'data') : 'absent'
  ])
}

const snapshotsOf = (loaded: Subject, m: Metadata): NonNullable<Vector['snapshots']> =>
  m.snapshots.slice(0, mostSnapshots).flatMap(({ id, name }) => {
    const read = E.chain(diskOf)(chainOf(loaded, label(id)))
    return E.isRight(read) && read.right !== undefined ? [{ id: label(id), name: label(name), ...read.right }] : []
  })

/** Findings on refcounts, which no reader needs. */
const concernsWriters = ({ structure, field, clause }: Finding): boolean =>
  structure.startsWith('refcount') || field === 'copied' || /^REF-|^CHK-0[35]$|^GEN-01$|^BMP-13$/.test(clause)

/** What is said of files that are not there, and the clause that asks for them. */
const missing = [
  ['no data file', 'OPEN-26'],
  ['no backing file', 'BACK-06']
] as const

/** The clause that ends a message, or that asks for the file that is missing. */
const clauseIn = (message: string): readonly ClauseId[] => {
  const [, clause] = /\[([A-Z0-9]+-\d+)\]$/.exec(message) ?? []
  return isClauseId(clause) ? [clause] : missing.flatMap(([what, of]) => (message.startsWith(what) ? [of] : []))
}

const unique = <A>(all: readonly A[]): readonly A[] => [...new Set(all)]

/** Why the image is refused, or does not read. */
interface Refusal {
  readonly clauses: readonly ClauseId[]
  readonly message: string
  /** Whose rule it is, and whether it is a limit. */
  readonly issue?: Issue
}

const refusalIn = (m: E.Either<readonly Issue[], Metadata>, disk: E.Either<string, unknown>): Refusal | undefined => {
  const issue = E.isLeft(m) ? m.left[0] : refusal(m.right.issues)
  if (issue !== undefined) return { clauses: [issue.clause], message: issue.message, issue }
  return E.isLeft(disk) ? { clauses: clauseIn(disk.left), message: disk.left } : undefined
}

/** Judges an image and the files beside it. */
export const judgedImage = (loaded: Subject): Judged => {
  const m = E.flatten(runOn(loaded.image, readMetadata()))
  const chain = chainOf(loaded)
  const encrypted = E.isRight(m) && m.right.header.cryptMethod !== 0
  const disk = encrypted ? E.right(undefined) : E.chain(diskOf)(chain)
  const report = checked(loaded)
  const refused = refusalIn(m, disk)
  const findings = E.isRight(report) ? report.right.findings : []
  const broken = findings.find((f) => f.severity !== 'note' && !concernsWriters(f))
  const mapped = E.isRight(chain) ? mapOf(chain.right) : undefined
  const snapshots = refused !== undefined || encrypted || E.isLeft(m) ? [] : snapshotsOf(loaded, m.right)
  const breaks = unique([
    ...(refused?.clauses ?? []),
    ...findings.filter((f) => f.severity !== 'note').map((f) => f.clause),
    ...(E.isRight(m) ? m.right.issues.map((i) => i.clause) : [])
  ])
  return {
    clauses: unique([...breaks, ...(refused === undefined && E.isRight(m) ? usedBy(loaded, m.right, chain) : [])]),
    breaks: breaks.filter((clause) => !clause.startsWith('CHK-')),
    sha256: sha256(loaded.image),
    check: E.isRight(report)
      ? { opens: true, corruptions: report.right.corruptions, leaks: report.right.leaks }
      : { opens: false },
    writable:
      E.isRight(m) &&
      refusal(m.right.issues) === undefined &&
      writableRules.judge(m.right.header, undefined).length === 0,
    encrypted,
    size: E.isRight(m) ? Number(m.right.header.size) : 0,
    ...(refused === undefined ? {} : { refused }),
    ...(broken === undefined ? {} : { broken }),
    ...(E.isRight(disk) && disk.right !== undefined ? { disk: disk.right } : {}),
    ...(mapped === undefined ? {} : { map: mapped }),
    ...(snapshots.length === 0 ? {} : { snapshots })
  }
}

const usedBy = (loaded: Subject, metadata: Metadata, chain: E.Either<string, MemoryChain>): readonly ClauseId[] => {
  const g = metadata.geometry
  if (g === undefined) return []
  const items: RegionItem[] = []
  runOn(loaded.image, regions(loaded.image.length), (item) => items.push(item))
  const below = E.isRight(chain) ? chain.right.chain[1] : undefined
  return exercised({
    metadata,
    g,
    regions: items.flatMap((item) => (item._tag === 'Region' ? [item.region] : [])),
    fileLength: loaded.image.length,
    ...(below === undefined ? {} : { backing: below._tag === 'Raw' ? below.size : below.disk.size })
  })
}
