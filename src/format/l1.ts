/** L1 table entry: where the L2 table of a guest range lies. */
import { bits, type BitsOf, flag, masked, word } from '../bytes/bits.js'
import type { Complaint } from '../bytes/issue.js'
import { alignment } from './alignment.js'

const rows = {
  l2TableOffset: masked(
    9,
    55,
    'l2_table_offset',
    'L1-01',
    'host offset of the L2 table, cluster aligned; 0: unallocated'
  ),
  copied: flag(
    63,
    'copied',
    'L1-01',
    'the refcount of the L2 table is exactly one; meaningful in the active L1 table only'
  )
} as const

/** An L1 table entry. */
export type L1Entry = BitsOf<typeof rows>

/** An L1 table entry: 8 bytes. @see L1-01 and L1-04 */
export const l1Entry = word(bits('L1 table entry', rows, { clause: 'L1-01' }), 'L1-01')

/** What an L1 entry breaks in an image of this cluster size; offsets count from the entry's start. @see L1-05 */
export const judgeL1Entry = (e: L1Entry, clusterBits: number): readonly Complaint[] => [
  ...l1Entry.judge(e),
  ...alignment('L1-05', 'L1 table entry', 'l2_table_offset', e.l2TableOffset, clusterBits)
]
