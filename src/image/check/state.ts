/** What a check keeps while it goes through an image: counts, totals, and findings. */
import type { ClauseId, Source } from '../../../spec/clauses/index.js'
import { type Complaint, type Issue, issue } from '../../bytes/issue.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { maxRefcount } from '../../format/refcount.js'
import type { RefcountView } from '../../format/views.js'
import { Counts } from './counts.js'
import { Ownership } from './ownership.js'
import type { Range } from '../gaps.js'

/**
 * How grave a finding is. `corruption` and `leak` are counted as QEMU counts them, `error` keeps the check from being
 * complete; `flaw` breaks a must of the format that QEMU does not look at, `note` breaks none and is worth knowing.
 */
export type Severity = 'corruption' | 'leak' | 'error' | 'flaw' | 'note'

/** Whose a cluster is. */
export interface Owner extends Range {
  /** QEMU's name of the section, such as `active-l1` or `refcount-block`, or one like it. @see INT-20 */
  readonly section: string
  /** Byte offset of the table entry or header field that leads here. */
  readonly entry?: number
  /** Guest bytes it holds. */
  readonly guest?: Range
}

/** A finding: an issue, how grave it is, and the guest bytes it concerns where there are any. */
export interface Finding extends Issue {
  readonly severity: Severity
  readonly guest?: Range
  /** Both owners of a cluster that has two. */
  readonly owners?: readonly [Owner, Owner]
}

/** What was counted. @see CHK-04 and CHK-12 */
export interface Totals {
  corruptions: number
  leaks: number
  checkErrors: number
  flaws: number
  notes: number
  allocatedClusters: number
  fragmentedClusters: number
  compressedClusters: number
}

const totalOf = {
  corruption: 'corruptions',
  leak: 'leaks',
  error: 'checkErrors',
  flaw: 'flaws',
  note: 'notes'
} as const satisfies Readonly<Record<Severity, keyof Totals>>

/** Most findings of one clause that a check keeps; the totals count them all. */
const mostOfClause = 100

/** A complaint that is put into words where it is kept: of millions that are met few are. */
export interface LazyIssue {
  readonly clause: ClauseId
  readonly render: () => Complaint
}

/** How a check came to a range of the file: the entry that leads there, its guest bytes, and whether the tree is active. */
export interface Origin extends Pick<Owner, 'entry' | 'guest'> {
  readonly active?: boolean
}

const noOrigin: Origin = {}

/** Bytes of tables that a check reads of the smallest image. */
const slack = 2 ** 26

/** One check of one image. It owns its counts; nobody else sees them before the check is done. */
export class CheckState {
  /** Refcounts as the refcount blocks give them. */
  readonly refcounts = new Counts()
  /** References found. */
  readonly references = new Counts()
  /** Refcount blocks whose table entry cannot be followed. */
  readonly unreadable = new Set<number>()
  readonly ownership: Ownership
  readonly findings: Finding[] = []
  readonly totals: Totals = {
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
    flaws: 0,
    notes: 0,
    allocatedClusters: 0,
    fragmentedClusters: 0,
    compressedClusters: 0
  }
  /** How many of the corruptions are copied flags that do not fit the counts as they are. */
  copiedFlags = 0
  /** Bytes of the file in whole sectors, as QEMU counts it. */
  readonly fileLength: number
  readonly size: number
  readonly max: number
  private readonly met = new Map<ClauseId, number>()
  /** Blocks of clusters far behind the end of the file, by their index in the refcount table. */
  readonly far = new Map<number, RefcountView>()
  /** Bytes of tables that may still be read. Tables of a sound image are no more than the image. */
  private unread: number

  constructor(
    readonly g: Geometry,
    /** Bytes of the file. */
    readonly end: number,
    /** Whether clusters may be shared with snapshots. */
    shared: boolean,
    /** Bytes of the external data file, where there is one and its length is known. */
    readonly dataFileLength?: number
  ) {
    this.fileLength = Math.ceil(end / sectorSize) * sectorSize
    this.size = clusterSize(g)
    this.max = Number(maxRefcount(g.refcountOrder))
    this.ownership = new Ownership(shared)
    this.unread = 2 * this.fileLength + slack
  }

  /** Whether tables of `size` bytes more may be read; a check error, once, where tables overlap without measure. */
  spend(size: number): boolean {
    const before = this.unread
    this.unread -= size
    if (before >= 0 && this.unread < 0)
      this.find(
        'error',
        inconsistent(
          'CHK-06',
          { structure: 'file', at: 0, size: this.fileLength },
          'tables upon tables',
          'fewer than its bytes'
        )
      )
    return this.unread >= 0
  }

  /** Notes a finding; `times` is how often QEMU meets it. */
  find(
    severity: Severity,
    complaint: Complaint | LazyIssue,
    times = 1,
    guest?: Range,
    owners?: Finding['owners']
  ): void {
    this.totals[totalOf[severity]] += times
    const before = this.met.get(complaint.clause) ?? 0
    this.met.set(complaint.clause, before + 1)
    if (before >= mostOfClause) return
    this.findings.push({
      ...issue('render' in complaint ? complaint.render() : complaint),
      severity,
      ...(guest === undefined ? {} : { guest }),
      ...(owners === undefined ? {} : { owners })
    })
  }

  /** How many findings of each clause were not kept. */
  leftOut(): ReadonlyMap<ClauseId, number> {
    return new Map([...this.met].flatMap(([id, n]) => (n > mostOfClause ? [[id, n - mostOfClause]] : [])))
  }

  /**
   * Counts `times` references to every cluster of a host range. A range that ends a cluster or more behind the end of the
   * file is a corruption and counts nothing. Tells whether it counted. @see CHK-02
   */
  refer(structure: string, at: number, size: number, times = 1, via: Origin = noOrigin): boolean {
    if (size <= 0) return false
    if (at + size - this.fileLength >= this.size) {
      const say = (): Complaint => beyondEnd(structure, at, size, this.fileLength)
      this.find('corruption', { clause: 'CHK-02', render: say }, times, via.guest)
      return false
    }
    this.count(structure, at, size, times, via)
    return true
  }

  /** Counts a reference to a structure that shares its clusters with nothing else. */
  claim(structure: string, at: number, size: number, via: Origin = noOrigin): void {
    if (!this.refer(structure, at, size, 1, via)) return
    this.ownership.claim(Math.floor(at / this.size), Math.floor((at + size - 1) / this.size))
    this.expect(structure, at, size)
  }

  /** Counts references to a range that was not found wrong. */
  protected count(_structure: string, at: number, size: number, times: number, _via: Origin): void {
    const first = Math.floor(at / this.size)
    this.references.add(first, Math.floor((at + size - 1) / this.size) + 1 - first, times)
  }

  /** Notes a structure that the end of the file cuts. A cluster of data that is cut is as sound as any. @see GEN-03 */
  expect(structure: string, at: number, size: number, guest?: Range): void {
    if (at + size > this.end) this.find('note', cutOff(structure, at, size, this.end), 1, guest)
  }
}

/** Where something is: the structure, the bytes of the file, and the field if one is meant. */
export type Spot = Pick<Complaint, 'structure' | 'at' | 'size'> & { readonly field?: string }

/** A complaint about several structures together. */
export const inconsistent = (
  clause: ClauseId,
  where: Spot,
  found: string,
  expected: string,
  source: Source = 'both'
): Complaint => ({ clause, phase: 'inconsistent', source, field: '', ...where, found, expected })

/** A complaint about one entry or field by itself. */
export const invalid = (...said: Parameters<typeof inconsistent>): Complaint => ({
  ...inconsistent(...said),
  phase: 'invalid'
})

const beyondEnd = (structure: string, at: number, size: number, fileLength: number): Complaint =>
  inconsistent(
    'CHK-02',
    { structure, at, size },
    `${size} bytes, a cluster or more behind the end at ${fileLength}`,
    'a place in the file'
  )

const cutOff = (structure: string, at: number, size: number, end: number): Complaint =>
  inconsistent(
    'GEN-03',
    { structure, at, size },
    `${Math.max(0, end - at)} of its ${size} bytes before the end of the file`,
    'all of them; what is missing reads as zeros'
  )
