/** The state of one check: refcounts as stored, references as met, and what was found. */
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { maxRefcount } from '../../format/refcount.js'
import { Counts } from './counts.js'
import { Findings } from './findings.js'
import { Ownership } from './ownership.js'
import type { Refcounts } from './refcounts.js'

/** One check of one image, which owns it; nobody else sees it before the check is done. */
export class CheckState {
  /** References met. */
  readonly references = new Counts()
  /** References, which QEMU does not count, to clusters of the file by ranges that end past it. @see CHK-02 and CHK-15 */
  readonly uncounted = new Counts()
  readonly findings = new Findings()
  readonly ownership: Ownership
  /** How many of the corruptions are copied flags that contradict the stored refcounts. */
  copiedFlags = 0
  /** Whether every reference was met: false once a table or an entry that may hold some is not followed. */
  knowsAll = true
  /** Whether something else uses a cluster that is a refcount block. */
  sharedBlock = false
  /** Host offset of the first cluster met that a zero entry has, and an entry of another table too. @see AM-07 */
  sharedZero: number | undefined
  /** Bytes of a cluster. */
  readonly size: number
  /** The largest refcount. */
  readonly max: number

  constructor(
    readonly g: Geometry,
    /** Bytes of the file. */
    readonly end: number,
    /** Bytes of the file in whole sectors, as QEMU has it. */
    readonly fileLength: number,
    /** Refcounts as the refcount blocks store them. */
    readonly refcounts: Refcounts,
    /** Whether snapshots may share clusters. */
    shared: boolean,
    /** Whether a repair follows, which frees nothing that an entry names: not even where QEMU counts no reference. @see SUB-06 */
    readonly beforeRepair: boolean,
    /** Bytes of the external data file, where there is one and its length is known. */
    readonly dataFileLength?: number
  ) {
    this.size = clusterSize(g)
    this.max = Number(maxRefcount(g.refcountOrder))
    this.ownership = new Ownership(shared)
  }

  /** How many clusters are compared: those of the file, and those past its end with a counted reference. */
  get comparedClusters(): number {
    return Math.max(Math.ceil(this.fileLength / this.size), this.references.length)
  }
}
