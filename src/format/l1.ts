/** L1 table entry: where the L2 table of a guest range lies. */
import { type BitRows, bits, type BitsType, faultMask, flag, masked, word } from '../bytes/bits.js'
import { RuleTable, rulesOf } from '../bytes/judgement.js'
import type { Halves } from '../bytes/words.js'
import { aligned, type Aligning } from './alignment.js'
import type { L1Entry } from './table-values.js'

export type { L1Entry }

const rows: BitRows<L1Entry> = {
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
}

/** An L1 table entry: 8 bytes. @see L1-01 and L1-04 */
export const l1Entry: BitsType<L1Entry> = word(bits('L1 table entry', rows, { clause: 'L1-01' }), 'L1-01')

const offsetRule = aligned('l2TableOffset', 'L1-05')

/** The rule of an L1 entry whose L2 table is read: of reserved bits QEMU's reader takes no notice. @see L1-05 */
export const l1OffsetRules = new RuleTable<Pick<L1Entry, 'l2TableOffset'>, Aligning>(l1Entry, [offsetRule])

/** The rules of an L1 entry. @see L1-01 and L1-05 */
export const l1Rules = rulesOf<L1Entry, Aligning>(l1Entry, [offsetRule])

/** The bits that no L1 entry may have set. Law: none is set if and only if `l1Rules` finds nothing. */
export const l1Faults = (clusterBits: number): Halves => faultMask(l1Entry.leaf, rows.l2TableOffset, clusterBits)
