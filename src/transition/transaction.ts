/** Transactions: what one command changes, gathered in stages and made into one ordered list of host writes. */
import { flush, type HostWrite } from '../bytes/host-write.js'
import { concat, equal } from '../bytes/octets.js'
import { type FileRef, type Plan, readAt } from '../bytes/plan.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import { sectorSize } from '../format/limits.js'

/**
 * When a change may become durable. Between two stages that both change something stands a flush; within a stage any
 * order will do, and any part may be lost.
 *
 * - `prepare`: what nothing durable points to yet, and counts that rise
 * - `cover`: words of the refcount table, which make new counts part of the image
 * - `extend`: what needs those counts, before anything is seen
 * - `record`: bits of dirty bitmaps
 * - `expose`: what the guest sees: pointers of one aligned word each, and data in its place
 * - `settle`: the second word, where a change takes two
 * - `release`: counts that fall, and space that is given back
 *
 * @see WR-08
 */
export const stages = ['prepare', 'cover', 'extend', 'record', 'expose', 'settle', 'release'] as const

export type Stage = (typeof stages)[number]

/** Whose bytes a change is about: the sections of the overlap check, and what that check does not protect. @see INT-20 */
export type Owner =
  | 'main header'
  | 'active L1 table'
  | 'active L2 table'
  | 'refcount table'
  | 'refcount block'
  | 'snapshot table'
  | 'inactive L1 table'
  | 'inactive L2 table'
  | 'bitmap directory'
  | 'bitmap table'
  | 'bitmap data'
  | 'guest data'

interface Change {
  readonly stage: number
  readonly at: number
  readonly bytes: Uint8Array
}

interface Other {
  readonly stage: number
  readonly write: HostWrite
}

/** A range of the image file that will be written, and by whom. */
export interface Claim {
  readonly owner: Owner
  readonly at: number
  readonly length: number
}

const image: FileRef = { part: 'image', depth: 0 }

/**
 * What one command changes. Metadata is changed by {@link put}, and read back by whatever the command reads later; guest
 * data is only written. A command that fails changes nothing. One step owns its transaction; nobody else sees it.
 */
export class Transaction {
  /** Sectors of metadata as the command reads them now. */
  private readonly now = new Map<number, Uint8Array>()
  /** The same sectors as they were; absent where they are new, or a change covers the whole sector. */
  private readonly before = new Map<number, Uint8Array>()
  private readonly changes: Change[] = []
  private readonly others: Other[] = []
  private readonly fresh = new Set<number>()
  private round = 0
  /** Everything that will be written to the image file. */
  readonly claims: Claim[] = []

  constructor(private readonly g: Pick<Geometry, 'clusterBits'>) {}

  /** Declares clusters of the image file to be new: until the round ends nothing durable points to them. */
  take(cluster: number, n: number): void {
    for (let i = 0; i < n; i++) this.fresh.add(cluster + i)
  }

  /** Whether the cluster is new in this round. */
  isFresh(cluster: number): boolean {
    return this.fresh.has(cluster)
  }

  /** Changes metadata at a byte offset of the image file. What lies in a new cluster is always prepared. */
  *put(owner: Owner, stage: Stage, at: number, bytes: Uint8Array): Plan<void> {
    const last = Math.floor((at + bytes.length - 1) / sectorSize)
    for (let s = Math.floor(at / sectorSize); s <= last; s++) {
      const sector = this.now.get(s) ?? (yield* this.firstTouch(s, at, bytes.length))
      const from = Math.max(at, s * sectorSize)
      const to = Math.min(at + bytes.length, (s + 1) * sectorSize)
      sector.set(bytes.subarray(from - at, to - at), from - s * sectorSize)
    }
    this.claims.push({ owner, at, length: bytes.length })
    this.changes.push({ stage: this.stageAt(stage, at), at, bytes })
  }

  /** Writes guest data, or what else is never read back within the command. */
  write(owner: Owner, stage: Stage, at: number, bytes: Uint8Array, file: FileRef = image): void {
    if (bytes.length === 0) return
    if (file.part === 'image') this.claims.push({ owner, at, length: bytes.length })
    this.others.push({ stage: this.stageIndex(stage), write: { _tag: 'Write', file, at, bytes } })
  }

  /** Gives space back, or changes a file's length. */
  also(stage: Stage, write: HostWrite): void {
    this.others.push({ stage: this.stageIndex(stage), write })
  }

  /** Whether anything has been changed. */
  get isEmpty(): boolean {
    return this.changes.length === 0 && this.others.length === 0
  }

  /** Begins another round of stages behind everything so far. New clusters are no longer new. */
  nextRound(): void {
    this.round++
    this.fresh.clear()
  }

  /** The bytes that a request was answered with, as the changes have left them. */
  see(at: number, bytes: Uint8Array): Uint8Array {
    const first = Math.floor(at / sectorSize)
    const last = Math.floor((at + bytes.length - 1) / sectorSize)
    const sectors =
      last - first < this.now.size
        ? Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((s) => this.now.has(s))
        : [...this.now.keys()].filter((s) => s >= first && s <= last)
    if (sectors.length === 0) return bytes
    const out = bytes.slice()
    for (const s of sectors) {
      const from = Math.max(at, s * sectorSize)
      const to = Math.min(at + bytes.length, (s + 1) * sectorSize)
      const sector = this.now.get(s)
      if (sector !== undefined) out.set(sector.subarray(from - s * sectorSize, to - s * sectorSize), from - at)
    }
    return out
  }

  /**
   * Everything in order: the stages of each round, a flush between any two that have something to write. Metadata is
   * written in whole sectors, neighbours joined; a sector that stays as it is is not written.
   */
  hostWrites(): readonly HostWrite[] {
    const sectors = new Map(this.before)
    const out: HostWrite[] = []
    for (let stage = 0; stage < (this.round + 1) * stages.length; stage++) {
      const changes = this.changes.filter((c) => c.stage === stage)
      const others = this.others.filter((o) => o.stage === stage)
      const writes = [...this.sectorWrites(sectors, changes), ...others.map((o) => o.write)]
      if (writes.length > 0 && out.length > 0) out.push(flush)
      for (const w of writes) out.push(w)
    }
    return out
  }

  /** The sector as it was, kept for comparison unless it is new or `length` bytes at `at` cover it; and as it is from now on. */
  private *firstTouch(s: number, at: number, length: number): Plan<Uint8Array> {
    const covered = at <= s * sectorSize && at + length >= (s + 1) * sectorSize
    const was = covered ? new Uint8Array(sectorSize) : yield* readAt(s * sectorSize, sectorSize)
    if (!covered && !this.isFresh(Math.floor((s * sectorSize) / clusterSize(this.g)))) this.before.set(s, was)
    const sector = was.slice()
    this.now.set(s, sector)
    return sector
  }

  private stageAt(stage: Stage, at: number): number {
    return this.stageIndex(this.fresh.has(Math.floor(at / clusterSize(this.g))) ? 'prepare' : stage)
  }

  private stageIndex(stage: Stage): number {
    return this.round * stages.length + stages.indexOf(stage)
  }

  /** The sectors that these changes alter, as writes; `sectors` goes on to what they leave. */
  private sectorWrites(sectors: Map<number, Uint8Array>, changes: readonly Change[]): readonly HostWrite[] {
    const after = new Map<number, Uint8Array>()
    for (const { at, bytes } of changes) {
      const last = Math.floor((at + bytes.length - 1) / sectorSize)
      for (let s = Math.floor(at / sectorSize); s <= last; s++) {
        const sector = after.get(s) ?? sectors.get(s)?.slice() ?? new Uint8Array(sectorSize)
        const from = Math.max(at, s * sectorSize)
        const to = Math.min(at + bytes.length, (s + 1) * sectorSize)
        sector.set(bytes.subarray(from - at, to - at), from - s * sectorSize)
        after.set(s, sector)
      }
    }
    const out: HostWrite[] = []
    let run: Uint8Array[] = []
    let start = 0
    const end = (): void => {
      if (run.length > 0) out.push({ _tag: 'Write', file: image, at: start * sectorSize, bytes: concat(run) })
      run = []
    }
    for (const s of [...after.keys()].sort((a, b) => a - b)) {
      const sector = after.get(s) ?? new Uint8Array(sectorSize)
      const was = sectors.get(s)
      sectors.set(s, sector)
      if (was !== undefined && equal(was, sector)) continue
      if (s !== start + run.length) end()
      if (run.length === 0) start = s
      run.push(sector)
    }
    end()
    return out
  }
}

/** The same plan, which reads the image file as the transaction has left it. */
export function* seeing<A, W>(transaction: Transaction, plan: Plan<A, W>): Plan<A, W> {
  let answer: Uint8Array = new Uint8Array(0)
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return step.value
    const request = step.value
    answer = yield request
    if (request._tag === 'Read' && request.file.depth === 0 && request.file.part === 'image')
      answer = transaction.see(request.at, answer)
  }
}
