/** Backing file name: bytes that the header points at, wherever they stand. */
import type { Complaint } from '../bytes/issue.js'
import type { Header } from './header.js'
import { maxBackingName, maxClusterBits } from './limits.js'

/** Where the backing file name stands in the image file, in bytes. */
export interface NamePlace {
  readonly at: bigint
  readonly length: number
}

/** Where the name stands; `undefined` without a backing file. @see BACK-01 and BACK-02 */
export const backingNamePlace = (h: Header): NamePlace | undefined =>
  h.backingFileOffset === 0n || h.backingFileSize === 0
    ? undefined
    : { at: h.backingFileOffset, length: h.backingFileSize }

/** What the place of the backing file name breaks. @see BACK-01 and BACK-02 */
export const judgeBackingName = (h: Header): readonly Complaint[] => {
  if (h.backingFileOffset === 0n) return []
  const cluster = 1n << BigInt(Math.min(h.clusterBits, maxClusterBits))
  const size = {
    structure: 'header',
    field: 'backing_file_size',
    at: 16,
    size: 4,
    found: String(h.backingFileSize)
  } as const
  if (h.backingFileOffset > cluster)
    return [
      {
        clause: 'OPEN-06',
        phase: 'limit',
        source: 'qemu',
        structure: 'header',
        field: 'backing_file_offset',
        at: 8,
        size: 8,
        found: String(h.backingFileOffset),
        expected: `at most the cluster size, ${cluster}`
      }
    ]
  if (h.backingFileSize > maxBackingName)
    return [
      {
        ...size,
        clause: 'BACK-01',
        phase: 'invalid',
        source: 'both',
        expected: `at most ${maxBackingName}`,
        refusal: 'OPEN-28'
      }
    ]
  const left = cluster - h.backingFileOffset
  return BigInt(h.backingFileSize) <= left
    ? []
    : [
        {
          ...size,
          clause: 'BACK-02',
          phase: 'limit',
          source: 'qemu',
          expected: `at most the ${left} bytes to the end of the cluster`,
          refusal: 'OPEN-28'
        }
      ]
}
