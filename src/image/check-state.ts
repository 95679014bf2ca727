/** What a check keeps while it goes through an image: counts, totals, and findings. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import { type Complaint, type Issue, issue } from '../bytes/issue.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import { maxRefcount } from '../format/refcount.js'
import type { RefcountView } from '../format/views.js'
import { Counts } from './counts.js'

/**
 * How grave a finding is. `corruption` and `leak` are counted as QEMU counts them, `error` keeps the check from being
 * complete; `flaw` breaks a rule of the format that QEMU does not look at.
 */
export type Severity = 'corruption' | 'leak' | 'error' | 'flaw'

/** A finding: an issue, how grave it is, and the guest bytes it concerns where there are any. */
export interface Finding extends Issue {
  readonly severity: Severity
  readonly guest?: { readonly at: number; readonly size: number }
}

/** What was counted. @see CHK-04 and CHK-12 */
export interface Totals {
  corruptions: number
  leaks: number
  checkErrors: number
  flaws: number
  allocatedClusters: number
  fragmentedClusters: number
  compressedClusters: number
}

/** Bytes of tables that a check reads of the smallest image. */
const slack = 2 ** 26

/** Most findings a check keeps; the totals count them all. */
const maxFindings = 1000

/** One check of one image. It owns its counts; nobody else sees them before the check is done. */
export class CheckState {
  /** Refcounts as the refcount blocks give them. */
  readonly refcounts = new Counts()
  /** References found. */
  readonly references = new Counts()
  /** Refcount blocks whose table entry cannot be followed. */
  readonly unreadable = new Set<number>()
  readonly findings: Finding[] = []
  readonly totals: Totals = {
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
    flaws: 0,
    allocatedClusters: 0,
    fragmentedClusters: 0,
    compressedClusters: 0
  }
  readonly size: number
  readonly max: number
  /** Blocks of clusters far behind the end of the file, by their index in the refcount table. */
  readonly far = new Map<number, RefcountView>()
  /** Bytes of tables that may still be read. Tables of a sound image are no more than the image. */
  private unread: number

  constructor(
    readonly g: Geometry,
    readonly fileLength: number
  ) {
    this.size = clusterSize(g)
    this.max = Number(maxRefcount(g.refcountOrder))
    this.unread = 2 * fileLength + slack
  }

  /** Whether tables of `size` bytes more may be read; a check error, once, where tables overlap without measure. */
  spend(size: number): boolean {
    const before = this.unread
    this.unread -= size
    if (before >= 0 && this.unread < 0)
      this.find(
        'error',
        inconsistent('CHK-06', 'file', 0, this.fileLength, 'tables upon tables', 'fewer than its bytes')
      )
    return this.unread >= 0
  }

  /** Notes a finding; `times` is how often QEMU meets it. */
  find(severity: Severity, complaint: Complaint, times = 1, guest?: Finding['guest']): void {
    if (severity === 'corruption') this.totals.corruptions += times
    else if (severity === 'leak') this.totals.leaks += times
    else if (severity === 'error') this.totals.checkErrors += times
    else this.totals.flaws += times
    if (this.findings.length < maxFindings)
      this.findings.push({ ...issue(complaint), severity, ...(guest === undefined ? {} : { guest }) })
  }

  /**
   * Counts `times` references to every cluster of a host range. A range that ends a cluster or more behind the end of the
   * file is a corruption and counts nothing. @see CHK-02
   */
  refer(structure: string, at: number, size: number, times = 1): void {
    if (size <= 0) return
    if (at + size - this.fileLength >= this.size) {
      this.find('corruption', beyondEnd(structure, at, size, this.fileLength), times)
      return
    }
    const last = Math.floor((at + size - 1) / this.size)
    for (let c = Math.floor(at / this.size); c <= last; c++) this.references.add(c, times)
  }
}

const beyondEnd = (structure: string, at: number, size: number, fileLength: number): Complaint =>
  inconsistent(
    'CHK-02',
    structure,
    at,
    size,
    `${size} bytes, a cluster or more behind the end at ${fileLength}`,
    'a place in the file'
  )

/** A complaint about several structures together. */
export const inconsistent = (
  clause: ClauseId,
  structure: string,
  at: number,
  size: number,
  found: string,
  expected: string,
  field = '',
  source: Source = 'both'
): Complaint => ({ clause, phase: 'inconsistent', source, structure, field, at, size, found, expected })
