/** Transactions: what one command changes, gathered in stages and made into one ordered list of host writes. */
import { flush, type HostWrite } from '../../bytes/host-write.js'
import { type Issue, issue } from '../../bytes/issue.js'
import { equal, joined } from '../../bytes/octets.js'
import { failWith, type FileRef, type Plan, type Read, readAt } from '../../bytes/plan.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { ClusterSet } from '../../image/cluster-set.js'

/**
 * When a change may become durable. Within a stage any order will do, and any part may be lost. A stage waits for those
 * before it that change something, a flush between them, with these exceptions: nothing waits for what is given back, in
 * `release` or `retire`; a release does not wait for `settle`, nor `settle` for that of an earlier round; and what is
 * prepared in a later round waits for nothing, since the clusters that it takes were not given back before nobody had them.
 *
 * - `prepare`: what nothing durable points to yet, and counts that rise
 * - `cover`: words of the refcount table, which make new counts part of the image
 * - `extend`: what needs those counts, before anything is seen
 * - `record`: where the bits of dirty bitmaps are
 * - `expose`: what the guest sees: pointers of one aligned word each, and data in its place
 * - `settle`: the second word, where a change takes two
 * - `release`: counts that fall, and space that is given back
 * - `retire`: the same where it takes the second word for that
 *
 * @see WR-08, ORD-01 and ORD-03
 */
export const stages = ['prepare', 'cover', 'extend', 'record', 'expose', 'settle', 'release', 'retire'] as const

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

/** Why bytes cannot be where a damaged image has them; `undefined` where a file may reach. @see GEN-05 */
export const beyondFiles = (structure: string, at: number, size: number): Issue | undefined =>
  at + size <= Number.MAX_SAFE_INTEGER
    ? undefined
    : issue({
        clause: 'GEN-05',
        phase: 'limit',
        source: 'both',
        structure,
        field: '',
        at,
        size,
        found: `0x${at.toString(16)}`,
        expected: 'a place in a file'
      })

/** Lays `bytes` over `target`, which begins at byte `start` of them, as far as they meet. */
const patch = (target: Uint8Array, start: number, bytes: Uint8Array): void =>
  target.set(bytes.subarray(Math.max(start, 0), Math.max(start + target.length, 0)), Math.max(-start, 0))

/**
 * What one command changes. Metadata is changed by {@link put}, and read back by whatever the command reads later; guest
 * data is only written. A command that fails changes nothing. One step owns its transaction; nobody else sees it.
 */
export class Transaction {
  /** Sectors of metadata as the command reads them now. */
  private readonly now = new Map<number, Uint8Array>()
  /** The same sectors as they were; absent where they are new, or a change covers the whole sector. */
  private readonly before = new Map<number, Uint8Array>()
  /** Sectors that were asked for and have not been changed since. */
  private readonly asked = new Map<number, Uint8Array>()
  private readonly changes: Change[] = []
  private readonly others: Other[] = []
  private newClusters = new ClusterSet()
  private round = 0
  /** Everything that will be written to the image file. */
  readonly claims: Claim[] = []

  constructor(private readonly g: Pick<Geometry, 'clusterBits'>) {}

  /** Declares clusters of the image file to be new: until the round ends nothing durable points to them. */
  markNew(cluster: number, n: number): void {
    for (let i = 0; i < n; i++) this.newClusters.add(cluster + i)
  }

  /** Whether the cluster is new in this round. */
  isNew(cluster: number): boolean {
    return this.newClusters.has(cluster)
  }

  /**
   * Changes metadata at a byte offset of the image file, which some file must be able to reach. What lies in a new cluster
   * is always prepared.
   *
   * @see GEN-05
   */
  *put(owner: Owner, stage: Stage, at: number, bytes: Uint8Array): Plan<void> {
    const beyond = beyondFiles(owner, at, bytes.length)
    if (beyond !== undefined) return yield* failWith([beyond])
    const own = bytes.slice()
    const last = Math.floor((at + bytes.length - 1) / sectorSize)
    for (let s = Math.floor(at / sectorSize); s <= last; s++) {
      const start = s * sectorSize - at
      const covered = start >= 0 && start + sectorSize <= bytes.length
      if (covered) this.now.set(s, own.subarray(start, start + sectorSize))
      else patch(this.now.get(s) ?? (yield* this.firstTouch(s)), start, own)
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
  schedule(stage: Stage, write: HostWrite): void {
    if (write._tag === 'Punch' && write.file.part === 'image')
      this.claims.push({ owner: 'guest data', at: write.at, length: write.length })
    this.others.push({ stage: this.stageIndex(stage), write })
  }

  /** Byte offset behind everything that will be written to the image file. */
  get end(): number {
    return this.claims.reduce((end, c) => Math.max(end, c.at + c.length), 0)
  }

  /** Whether anything has been changed. */
  get isEmpty(): boolean {
    return this.changes.length === 0 && this.others.length === 0
  }

  /** Begins another round of stages behind everything so far. New clusters are no longer new. */
  nextRound(): void {
    this.round++
    this.newClusters = new ClusterSet()
  }

  /**
   * The bytes of the image file that a request asks for, as the changes have left them. One within a sector is answered from
   * that sector, which is asked for once.
   */
  *read(request: Read): Plan<Uint8Array> {
    const { at, length } = request
    const s = Math.floor(at / sectorSize)
    const start = at - s * sectorSize
    if (start + length > sectorSize) return this.overlay(at, yield request)
    const sector = this.now.get(s) ?? this.asked.get(s) ?? (yield* readAt(s * sectorSize, sectorSize))
    if (!this.now.has(s)) this.asked.set(s, sector)
    return sector.slice(start, start + length)
  }

  /** The bytes that a request was answered with, as the changes have left them. */
  private overlay(at: number, bytes: Uint8Array): Uint8Array {
    const first = Math.floor(at / sectorSize)
    const last = Math.floor((at + bytes.length - 1) / sectorSize)
    let out = bytes
    const show = (s: number, sector: Uint8Array | undefined): void => {
      if (sector === undefined) return
      if (out === bytes) out = bytes.slice()
      patch(out, at - s * sectorSize, sector)
    }
    const more = last - first
    if (more < this.now.size) for (let i = 0; i <= more; i++) show(first + i, this.now.get(first + i))
    else for (const [s, sector] of this.now) if (s >= first && s <= last) show(s, sector)
    return out
  }

  /**
   * The host writes of every stage of every round, in order. Metadata is written in whole sectors, neighbours joined; a
   * sector that stays as it is is not written.
   */
  hostWrites(): readonly (readonly HostWrite[])[] {
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

  /** The sector as it was, kept for comparison where the file is known to reach; and as it is changed from now on. */
  private *firstTouch(s: number): Plan<Uint8Array> {
    const was = yield* readAt(s * sectorSize, sectorSize)
    const sector = was.slice()
    if (!this.isNew(Math.floor((s * sectorSize) / clusterSize(this.g)))) this.before.set(s, was)
    this.now.set(s, sector)
    return sector
  }

  private stageAt(stage: Stage, at: number): number {
    return this.stageIndex(this.newClusters.has(Math.floor(at / clusterSize(this.g))) ? 'prepare' : stage)
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
        const start = s * sectorSize - at
        const covered = start >= 0 && start + sectorSize <= bytes.length
        const sector = covered
          ? bytes.subarray(start, start + sectorSize)
          : ((after.get(s) ?? sectors.get(s))?.slice() ?? new Uint8Array(sectorSize))
        if (!covered) patch(sector, start, bytes)
        after.set(s, sector)
      }
    }
    const out: HostWrite[] = []
    let run: Uint8Array[] = []
    let start = 0
    const end = (): void => {
      if (run.length > 0) out.push({ _tag: 'Write', file: image, at: start * sectorSize, bytes: joined(run) })
      run = []
    }
    for (const s of Float64Array.from(after.keys()).sort()) {
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
export function* readThrough<A, W>(transaction: Transaction, plan: Plan<A, W>): Plan<A, W> {
  let answer: Uint8Array = new Uint8Array(0)
  for (;;) {
    const step = plan.next(answer)
    if (step.done === true) return step.value
    const request = step.value
    const isMine = request._tag === 'Read' && request.file.depth === 0 && request.file.part === 'image'
    answer = isMine ? yield* transaction.read(request) : yield request
  }
}

/** What a flush keeps apart: a stage that changes something, and the next one that waits for it. */
export interface Edge {
  readonly from: Stage
  readonly to: Stage
  /** Whether the second stage is of a later round. */
  readonly anew: boolean
  /** Number of the second stage, over all rounds. */
  readonly stage: number
}

/** Stages as {@link Transaction.hostWrites} gives them. */
type Staged = readonly (readonly HostWrite[])[]

const stageOf = (i: number): Stage => stages[i % stages.length] ?? 'prepare'
const roundOf = (i: number): number => Math.floor(i / stages.length)

/** Whether a stage waits for an earlier one. */
const waits = (from: number, to: number): boolean => {
  const [first, second] = [stageOf(from), stageOf(to)]
  if (first === 'release' || first === 'retire' || (first === 'settle' && second === 'settle')) return false
  return roundOf(from) === roundOf(to) ? first !== 'settle' || second !== 'release' : second !== 'prepare'
}

/** The stages that are not empty, in parts between which a flush belongs. */
const parts = (staged: Staged): readonly (readonly number[])[] =>
  [...staged.keys()]
    .filter((i) => staged[i]?.length !== 0)
    .reduce<readonly (readonly number[])[]>((all, i) => {
      const last = all.at(-1)
      return last === undefined || last.some((from) => waits(from, i))
        ? [...all, [i]]
        : [...all.slice(0, -1), [...last, i]]
    }, [])

/** The writes of stages in order, with the flushes that belong between them. */
export const inOrder = (staged: Staged): readonly HostWrite[] =>
  parts(staged).flatMap((part, n): readonly HostWrite[] => [
    ...(n === 0 ? [] : [flush]),
    ...part.flatMap((i) => staged[i] ?? [])
  ])

/** The edges that the flushes of {@link inOrder} stand for, in their order. */
export const edgesOf = (staged: Staged): readonly Edge[] => {
  const all = parts(staged)
  return all.slice(1).map(([to = 0], n) => {
    const from = all[n]?.findLast((i) => waits(i, to)) ?? to
    return { from: stageOf(from), to: stageOf(to), anew: roundOf(from) < roundOf(to), stage: to }
  })
}
