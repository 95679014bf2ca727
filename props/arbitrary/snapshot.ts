/** Snapshot table entries, with extra data of every length that matters, and tables of them. */
import fc from 'fast-check'
import { empty } from '../../src/bytes/octets.js'
import { type SnapshotEntry, snapshotEntry, snapshotExtra } from '../../src/format/snapshot.js'
import { snapshotTableFieldsOf } from '../../src/fuzz/structures.js'
import type { Mode } from './leaf.js'
import { entry, entryValue, growing, structure, type Structure } from './structure.js'

/** Lengths around the end of each known field of the extra data, and around QEMU's limit. */
const often = { extra: [7, 8, 15, 16, 23, 24, 25, 32, 1024, 1025], id: [7, 8, 9], name: [7, 8, 255] }

/** Extra data by itself. */
export const snapshotExtras = growing(snapshotExtra, 'snapshot extra data')

/** Snapshot table entries. */
export const snapshots: Structure<SnapshotEntry> = entry(snapshotEntry, often)

const rows = (n: number, mode: Mode): fc.Arbitrary<readonly SnapshotEntry[]> =>
  fc
    .array(entryValue(snapshotEntry, mode, often), { minLength: n, maxLength: n })
    .map((list) => list.map((s, i) => (i === n - 1 ? { ...s, padding: empty } : s)))

/**
 * Snapshot tables of `n` entries.
 *
 * @example
 * import fc from 'fast-check'
 * import { snapshotTablesOf } from 'qcow2-spec/arbitraries'
 *
 * fc.assert(fc.property(snapshotTablesOf(3).anyValue, (table) => table.length === 3))
 */
export const snapshotTablesOf = (n: number): Structure<readonly SnapshotEntry[]> =>
  structure(`snapshot table of ${n}`, snapshotTableFieldsOf(n), (mode) => rows(n, mode))

/** Snapshot tables of no entry, of one, and of more. */
export const snapshotTables = [0, 1, 2, 3].map(snapshotTablesOf)
