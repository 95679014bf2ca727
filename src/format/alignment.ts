/** Alignment: the demand that an offset in a table entry of 8 bytes stands on a cluster limit. */
import type { ClauseId } from '../../spec/clauses/index.js'
import type { Complaint } from '../bytes/issue.js'

/** The complaint that a host offset is not a multiple of the cluster size, if it is none. */
export const alignment = (
  clause: ClauseId,
  structure: string,
  field: string,
  offset: bigint,
  clusterBits: number
): readonly Complaint[] =>
  (offset & ((1n << BigInt(clusterBits)) - 1n)) === 0n
    ? []
    : [
        {
          clause,
          phase: 'invalid',
          source: 'both',
          structure,
          field,
          at: 0,
          size: 8,
          found: `0x${offset.toString(16)}`,
          expected: `a multiple of the cluster size, ${2 ** clusterBits}`
        }
      ]
