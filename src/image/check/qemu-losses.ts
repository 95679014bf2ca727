/** Notes on QEMU: the states of an image in which a command of QEMU loses data, snapshots or bitmaps. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Complaint } from '../../bytes/issue.js'
import { hex } from '../../bytes/octets.js'
import { lastExtension } from '../../format/extension-area.js'
import { type Header, headerFields } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import type { Metadata } from '../metadata.js'
import { inconsistent } from './findings.js'

/** What only a check sees of an image. */
export interface SeenByCheck {
  /** Bytes of the external data file. */
  readonly dataFileLength?: number | undefined
  /** Host offset of a cluster that a zero entry has, and an entry of another table too. */
  readonly sharedZero?: number | undefined
}

/** A state of an image, and what QEMU does to an image in that state. */
interface Loss {
  readonly clause: ClauseId
  /** The header field in which the state is seen. */
  readonly field: keyof typeof headerFields.fields
  /** The state, where the image is in it. */
  readonly found: (m: Metadata, seen: SeenByCheck) => string | undefined
  /** The command of QEMU 7.2, 10 and 11, and its effect. */
  readonly command: string
  readonly effect: string
}

/** Why QEMU rewrites the header of an image that it opens for a repair. @see CHK-14 */
const rewriteCause = ({ header, bitmaps, extensions }: Metadata): string | undefined => {
  const { autoclearFeatures } = header
  if (autoclearFeatures.reserved !== 0n) return `unknown autoclear bits ${hex(autoclearFeatures.reserved)}`
  if (bitmaps.some(({ flags }) => !flags.inUse)) return 'a bitmap'
  const ignored = !autoclearFeatures.bitmaps && lastExtension(extensions, 'Bitmaps') !== undefined
  return ignored ? 'a bitmaps extension without its autoclear bit' : undefined
}

/** The end of the last cluster of the disk, where a raw data file of QEMU ends. @see DATA-08 */
const endOfClusters = (h: Header): bigint => {
  const size = 1n << BigInt(h.clusterBits)
  return ((presentedSize(h) + size - 1n) / size) * size
}

const losses: readonly Loss[] = [
  {
    clause: 'CHK-14',
    field: 'nbSnapshots',
    found: (m) => {
      const cause = m.header.nbSnapshots > 0 ? rewriteCause(m) : undefined
      return cause === undefined ? undefined : `${m.header.nbSnapshots} beside ${cause}`
    },
    command: 'check -r',
    effect: 'deletes the snapshots of such an image'
  },
  {
    clause: 'AM-07',
    field: 'nbSnapshots',
    found: ({ header }, { sharedZero }) =>
      header.nbSnapshots > 0 && sharedZero !== undefined
        ? `a zero entry with the shared cluster at byte ${sharedZero}`
        : undefined,
    command: 'amend -o compat=0.10',
    effect: 'fills such a cluster with zeros, also where a snapshot has it as data'
  },
  {
    clause: 'DATA-08',
    field: 'size',
    found: ({ header }, { dataFileLength: length = 0 }) =>
      header.autoclearFeatures.rawExternalData && BigInt(length) > endOfClusters(header)
        ? `a raw data file of ${length} bytes for a disk of ${presentedSize(header)}`
        : undefined,
    command: 'resize',
    effect: 'makes the bytes past the end of the disk guest data where it grows, and deletes them where it shrinks'
  }
]

/** The states of an image in which QEMU loses something; without what a check has seen, those that the metadata show. */
export const qemuLosses = (m: Metadata, seen: SeenByCheck = {}): readonly Complaint[] =>
  losses.flatMap(({ clause, field, found, command, effect }) => {
    const state = found(m, seen)
    const expected = `no qemu-img ${command}, which in QEMU 7.2, 10 and 11 ${effect}`
    return state === undefined ? [] : [inconsistent(clause, headerFields.placeOf(field), state, expected, 'qemu')]
  })
