/** Transactions: what one command changes, as metadata that it reads back and as one ordered list of host writes. */
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { adjoin, empty, equal, hex, joined } from '../../bytes/octets.js'
import {
  type Answer,
  bytesOf,
  failOn,
  type FileRef,
  imageFile,
  type Plan,
  type Read,
  readAt
} from '../../bytes/plan.js'
import { encodeWords } from '../../bytes/words.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { ClusterSet } from '../../image/cluster-set.js'
import { refusal } from './refuse.js'
import type { Claim, Section } from './sections.js'
import { type Stage, type StagedWrites, stageNumber } from './stages.js'

interface MetadataChange {
  readonly stage: number
  readonly at: number
  readonly bytes: Uint8Array
}

interface StagedWrite {
  readonly stage: number
  readonly write: HostWrite
}

/** The issue of bytes that end past the last byte a file can have; none where a file reaches. @see GEN-05 */
export const beyondFiles = (structure: string, at: number, size: number): readonly Issue[] =>
  at + size <= Number.MAX_SAFE_INTEGER
    ? []
    : [refusal('GEN-05', hex(at), 'a place in a file', { phase: 'limit', structure, at, size })]

/** Sectors of a write from which on it goes on only with those that are next to them in memory: a large table is not copied. */
const mostCopied = 2 ** 16 / sectorSize

/** The sectors that `bytes` at byte `at` touch: their numbers, and where each begins relative to `bytes`, negative where it begins before them. */
function* touched(at: number, bytes: Uint8Array): Generator<{ readonly s: number; readonly start: number }> {
  const last = Math.floor((at + bytes.length - 1) / sectorSize)
  for (let s = Math.floor(at / sectorSize); s <= last; s++) yield { s, start: s * sectorSize - at }
}

/** The sector that begins at byte `start` of `bytes`, where they hold all of it. */
const whole = (bytes: Uint8Array, start: number): Uint8Array | undefined =>
  start >= 0 && start + sectorSize <= bytes.length ? bytes.subarray(start, start + sectorSize) : undefined

/** Puts `bytes` into a buffer that begins at byte `start` of them, as far as both reach. */
const overwrite = (buffer: Uint8Array, start: number, bytes: Uint8Array): void =>
  buffer.set(bytes.subarray(Math.max(start, 0), Math.max(start + buffer.length, 0)), Math.max(-start, 0))

/**
 * What one command changes. Metadata is changed by {@link put}, and every later read of the command sees the change; guest
 * data is written only. A command that fails changes nothing. One command owns its transaction.
 */
export class Transaction {
  /** Changed sectors of metadata as they are by now. */
  private readonly now = new Map<number, Uint8Array>()
  /** The same sectors as they were; absent where they are new, or a change covers the whole sector. */
  private readonly before = new Map<number, Uint8Array>()
  /** Sectors that were read before they were changed, if they were. */
  private readonly asked = new Map<number, Uint8Array>()
  private readonly changes: MetadataChange[] = []
  private readonly others: StagedWrite[] = []
  private newClusters = new ClusterSet()
  private round = 0
  /** The ranges of the image file that will be written, in the order of the calls. */
  readonly claims: Claim[] = []

  constructor(private readonly g: Pick<Geometry, 'clusterBits'>) {}

  /** Marks `n` clusters of the image file as new: until the round ends nothing durable points to them. */
  markNew(cluster: number, n: number): void {
    for (let i = 0; i < n; i++) this.newClusters.add(cluster + i)
  }

  /** Whether a cluster is new in this round. */
  isNew(cluster: number): boolean {
    return this.newClusters.has(cluster)
  }

  /**
   * Changes metadata at a byte offset of the image file to these bytes, which stay as they are. In a new cluster the stage is
   * always `prepare`. Fails where no file reaches.
   *
   * @see GEN-05
   */
  *put(section: Section, stage: Stage, at: number, bytes: Uint8Array): Plan<void> {
    yield* failOn(beyondFiles(section, at, bytes.length))
    for (const { s, start } of touched(at, bytes)) {
      const covered = whole(bytes, start)
      const sector = covered ?? (yield* this.copyOf(s))
      if (covered === undefined) overwrite(sector, start, bytes)
      this.now.set(s, sector)
    }
    this.claims.push({ section, at, length: bytes.length })
    const isNew = this.isNew(Math.floor(at / clusterSize(this.g)))
    this.changes.push({ stage: stageNumber(this.round, isNew ? 'prepare' : stage), at, bytes })
  }

  /** Changes one word of 64 bits, as {@link put} does. */
  *putWord(section: Section, stage: Stage, at: number, word: number | bigint): Plan<void> {
    yield* this.put(section, stage, at, encodeWords([word]))
  }

  /** Writes guest data, and whatever else the command does not read again. */
  write(section: Section, stage: Stage, at: number, bytes: Uint8Array, file: FileRef = imageFile): void {
    if (bytes.length === 0) return
    if (file.part === 'image') this.claims.push({ section, at, length: bytes.length })
    this.others.push({
      stage: stageNumber(this.round, stage),
      write: { _tag: 'Write', file, at, bytes, disposable: true }
    })
  }

  /** Schedules what frees space or changes the length of a file. */
  schedule(stage: Stage, write: HostWrite): void {
    if (write._tag === 'Punch' && write.file.part === 'image')
      this.claims.push({ section: 'guest data', at: write.at, length: write.length })
    this.others.push({ stage: stageNumber(this.round, stage), write })
  }

  /** The first byte of the image file after everything that will be written to it. */
  get end(): number {
    return this.claims.reduce((end, c) => Math.max(end, c.at + c.length), 0)
  }

  /** Ends the round: what follows is of another round of stages. New clusters are no longer new. */
  nextRound(): void {
    this.round++
    this.newClusters = new ClusterSet()
  }

  /**
   * The bytes of the image file that a request asks for, as the changes have left them. A request within a sector is
   * answered from that sector, which is read once; one for no bytes reads none.
   */
  *read(request: Read): Plan<Uint8Array> {
    const { at, length } = request
    if (length === 0) return empty
    const s = Math.floor(at / sectorSize)
    const start = at - s * sectorSize
    if (start + length > sectorSize) return this.overlay(at, bytesOf(yield request))
    const sector = this.now.get(s) ?? this.asked.get(s) ?? (yield* readAt(s * sectorSize, sectorSize))
    if (!this.now.has(s)) this.asked.set(s, sector)
    return sector.slice(start, start + length)
  }

  /**
   * The host writes by stage, over all rounds. Metadata is written in whole sectors, neighbours in one write; a sector that
   * stays the same is not written.
   */
  hostWrites(): StagedWrites {
    const sectors = new Map(this.before)
    const last = [...this.changes, ...this.others].reduce((n, c) => Math.max(n, c.stage), -1)
    return Array.from({ length: last + 1 }, (_, stage) => [
      ...this.sectorWrites(
        sectors,
        this.changes.filter((c) => c.stage === stage)
      ),
      ...this.others.filter((o) => o.stage === stage).map((o) => o.write)
    ])
  }

  /** Bytes of the image file as the changes have left them. */
  private overlay(at: number, bytes: Uint8Array): Uint8Array {
    const first = Math.floor(at / sectorSize)
    const last = Math.floor((at + bytes.length - 1) / sectorSize)
    let out = bytes
    const show = (s: number, sector: Uint8Array | undefined): void => {
      if (sector === undefined) return
      if (out === bytes) out = bytes.slice()
      overwrite(out, at - s * sectorSize, sector)
    }
    const more = last - first
    if (more < this.now.size) for (let i = 0; i <= more; i++) show(first + i, this.now.get(first + i))
    else for (const [s, sector] of this.now) if (s >= first && s <= last) show(s, sector)
    return out
  }

  /** A copy of a sector that is about to change. As it was it is kept for comparison, unless it is in a new cluster. */
  private *copyOf(s: number): Plan<Uint8Array> {
    const known = this.now.get(s)
    if (known !== undefined) return known.slice()
    const was = yield* readAt(s * sectorSize, sectorSize)
    if (!this.isNew(Math.floor((s * sectorSize) / clusterSize(this.g)))) this.before.set(s, was)
    return was.slice()
  }

  /** The sectors that these changes alter, as writes; `sectors` is updated to what they leave. */
  private sectorWrites(sectors: Map<number, Uint8Array>, changes: readonly MetadataChange[]): readonly HostWrite[] {
    const after = new Map<number, Uint8Array>()
    for (const { at, bytes } of changes)
      for (const { s, start } of touched(at, bytes)) {
        const covered = whole(bytes, start)
        const sector = covered ?? (after.get(s) ?? sectors.get(s))?.slice() ?? new Uint8Array(sectorSize)
        if (covered === undefined) overwrite(sector, start, bytes)
        after.set(s, sector)
      }
    const out: HostWrite[] = []
    let run: Uint8Array[] = []
    let start = 0
    const end = (): void => {
      if (run.length > 0) out.push({ _tag: 'Write', file: imageFile, at: start * sectorSize, bytes: joined(run) })
      run = []
    }
    for (const s of Float64Array.from(after.keys()).sort()) {
      const sector = after.get(s) ?? new Uint8Array(sectorSize)
      const was = sectors.get(s)
      sectors.set(s, sector)
      if (was !== undefined && equal(was, sector)) continue
      const last = run.at(-1)
      const isCopied = last !== undefined && !adjoin(last, sector)
      if (s !== start + run.length || (isCopied && run.length >= mostCopied)) end()
      if (run.length === 0) start = s
      run.push(sector)
    }
    end()
    return out
  }
}

/** The same plan, for which the image file is as the transaction has left it. */
export function* readThrough<A, W>(transaction: Transaction, plan: Plan<A, W>): Plan<A, W> {
  let answer: Answer = new Uint8Array(0)
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return step.value
    const request = step.value
    const ofImage = request._tag === 'Read' && request.file.depth === 0 && request.file.part === 'image'
    answer = ofImage ? yield* transaction.read(request) : yield request
  }
}
