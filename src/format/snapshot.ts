/** Snapshot table: entries of variable length, aligned to 8 bytes, the last one not padded. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type ByteType, whole } from '../bytes/byte-type.js'
import { entry, type EntryType, toEight } from '../bytes/entry.js'
import { growing, type GrowingType } from '../bytes/growing.js'
import { type Issue, malformed } from '../bytes/issue.js'
import { onField, RuleTable, rulesOf } from '../bytes/judgement.js'
import { maxU64, u16, u32, u64 } from '../bytes/leaf.js'
import { listOf, startsOf, type Step } from '../bytes/list.js'
import { empty } from '../bytes/octets.js'
import { atMost, refusing } from '../bytes/rule.js'
import { row, struct, type StructType } from '../bytes/struct.js'
import { aligned, readable } from './alignment.js'
import { type Geometry, neededL1Entries } from './geometry.js'
import type { SnapshotEntry, SnapshotExtra, SnapshotFields } from './table-values.js'
import { maxL1Entries, maxSnapshotExtra, maxSnapshotTable, minSnapshotExtra } from './limits.js'

export type { SnapshotEntry }

/** The table of a snapshot table entry: its first 40 bytes. @see SNAP-01 */
export const snapshotFixed: StructType<SnapshotFields> = struct('snapshot table entry', {
  l1TableOffset: row(u64, 'l1_table_offset', 'SNAP-01', "host offset of the snapshot's L1 table, cluster aligned"),
  l1Size: row(u32, 'l1_size', 'SNAP-01', "entries of the snapshot's L1 table", atMost(maxL1Entries, 'SNAP-07')),
  idSize: row(u16, 'id_str_size', 'SNAP-01', 'bytes of the unique id'),
  nameSize: row(u16, 'name_size', 'SNAP-01', 'bytes of the name'),
  dateSec: row(u32, 'date_sec', 'SNAP-01', 'time of the snapshot in seconds since the epoch'),
  dateNsec: row(u32, 'date_nsec', 'SNAP-01', 'nanoseconds of that second'),
  vmClockNsec: row(u64, 'vm_clock_nsec', 'SNAP-01', 'run time of the guest in nanoseconds'),
  vmStateSize: row(
    u32,
    'vm_state_size',
    'SNAP-01',
    'bytes of the VM state, unless the extra data says otherwise; 0: none'
  ),
  extraDataSize: row(u32, 'extra_data_size', 'SNAP-01', 'bytes of the extra data')
})

/** The extra data of a snapshot: fields present as far as its length covers them. @see SNAP-02 and SNAP-03 */
export const snapshotExtra: GrowingType<SnapshotExtra> = growing('snapshot table entry', {
  vmStateSize: row(u64, 'vm_state_size_large', 'SNAP-01', 'bytes of the VM state; replaces the 32-bit field'),
  diskSize: row(u64, 'disk_size', 'SNAP-01', 'size of the guest disk in bytes when the snapshot was taken'),
  icount: row(u64, 'icount', 'SNAP-01', 'guest instructions executed; all ones: none')
})

/** A snapshot table entry. Strings and unknown extra data are kept as bytes. @see SNAP-01 */
export const snapshotEntry: EntryType<SnapshotEntry, SnapshotFields> = entry('snapshot table entry', snapshotFixed, {
  extra: {
    size: 'extraDataSize',
    name: 'extra_data',
    clause: 'SNAP-01',
    doc: 'known fields and an unknown tail',
    as: snapshotExtra
  },
  id: { size: 'idSize', name: 'id_str', clause: 'SNAP-01', doc: 'unique id, not NUL terminated' },
  name: { size: 'nameSize', name: 'name', clause: 'SNAP-01', doc: 'name, not NUL terminated, may be empty' }
})

/**
 * Bytes of the VM state.
 *
 * @see SNAP-02
 * @example
 * import fc from 'fast-check'
 * import { snapshots } from 'qcow2-spec/arbitraries'
 * import { vmStateSize } from 'qcow2-spec/format'
 *
 * const extra = { vmStateSize: 2n ** 33n, rest: new Uint8Array(0) }
 * fc.assert(fc.property(snapshots.wellFormed, (s) => vmStateSize({ ...s, extra }) === 2n ** 33n))
 */
export const vmStateSize = (s: SnapshotEntry): bigint => s.extra.vmStateSize ?? BigInt(s.vmStateSize)

/**
 * Size of the guest disk in the snapshot in bytes: that of the image where the entry does not say.
 *
 * @see SNAP-02
 * @example
 * import fc from 'fast-check'
 * import { snapshots } from 'qcow2-spec/arbitraries'
 * import { snapshotDiskSize } from 'qcow2-spec/format'
 *
 * const extra = { rest: new Uint8Array(0) }
 * fc.assert(fc.property(snapshots.wellFormed, (s) => snapshotDiskSize({ ...s, extra }, 2n ** 30n) === 2n ** 30n))
 */
export const snapshotDiskSize = (s: SnapshotEntry, imageSize: bigint): bigint => s.extra.diskSize ?? imageSize

/** The icount of a snapshot that holds none. @see SNAP-01 */
export const noIcount = maxU64

/**
 * Guest instructions executed; `undefined` where the entry holds none.
 *
 * @see SNAP-02
 * @example
 * import fc from 'fast-check'
 * import { snapshots } from 'qcow2-spec/arbitraries'
 * import { icount } from 'qcow2-spec/format'
 *
 * const extra = { vmStateSize: 0n, diskSize: 0n, icount: 2n ** 64n - 1n, rest: new Uint8Array(0) }
 * fc.assert(fc.property(snapshots.wellFormed, (s) => icount({ ...s, extra }) === undefined))
 */
export const icount = (s: SnapshotEntry): bigint | undefined =>
  s.extra.icount === noIcount ? undefined : s.extra.icount

/** The end of the L1 table that is read, of which there is none without entries. */
const l1End = (s: SnapshotEntry): bigint => (s.l1Size === 0 ? 0n : s.l1TableOffset + 8n * BigInt(s.l1Size))

const extraLength = (s: SnapshotEntry): bigint => BigInt(snapshotExtra.sizeOf(s.extra))

/** The rules of a snapshot table entry. @see SNAP-01, SNAP-02, SNAP-03 and SNAP-07 */
export const snapshotRules = rulesOf<
  SnapshotEntry,
  Pick<Geometry, 'version' | 'clusterBits'>,
  keyof SnapshotEntry | 'extraDataSize'
>(snapshotEntry, [
  aligned('l1TableOffset', 'SNAP-01'),
  readable('l1TableOffset', 'SNAP-07', l1End),
  {
    field: 'extraDataSize',
    clause: 'SNAP-02',
    broken: (s, { version }) => version === 3 && extraLength(s) < minSnapshotExtra,
    found: (s) => String(extraLength(s)),
    expected: `at least ${minSnapshotExtra}`
  },
  onField('extraDataSize', refusing('OPEN-29', atMost(maxSnapshotExtra, 'SNAP-03')), extraLength)
])

/** The rules of a snapshot whose L1 table is read. @see SNAP-01 and SNAP-07 */
export const snapshotL1Rules = snapshotRules.about('l1TableOffset', 'l1Size')

/** What the sizes of a snapshot are judged with. */
export interface SnapshotSizes extends Pick<Geometry, 'clusterBits' | 'extendedL2'> {
  /** Bytes of the guest disk of the image. */
  readonly disk: bigint
}

const diskEntries = (s: SnapshotEntry, sizes: SnapshotSizes): bigint =>
  neededL1Entries(sizes, snapshotDiskSize(s, sizes.disk))

/** L1 entries that map the disk of a snapshot and, after it, its VM state. @see SNAP-12 */
export const reachOfSnapshot = (s: SnapshotEntry, sizes: SnapshotSizes): bigint =>
  diskEntries(s, sizes) + neededL1Entries(sizes, vmStateSize(s))

/** The rules of the sizes of a snapshot: of those about its L1 table that are broken the first is reported. @see HDR-09, SNAP-01 and SNAP-12 */
export const snapshotSizeRules = new RuleTable<SnapshotEntry, SnapshotSizes>(snapshotEntry, [
  {
    field: 'l1Size',
    clause: 'HDR-09',
    phase: 'inconsistent',
    source: 'format',
    broken: (s, sizes) => BigInt(s.l1Size) < diskEntries(s, sizes),
    expected: 'at least the entries that its disk needs',
    specific: (s, sizes) => `at least ${diskEntries(s, sizes)} for its disk of ${snapshotDiskSize(s, sizes.disk)} bytes`
  },
  {
    field: 'l1Size',
    clause: 'SNAP-12',
    phase: 'inconsistent',
    source: 'format',
    broken: (s, sizes) => vmStateSize(s) > 0n && BigInt(s.l1Size) < reachOfSnapshot(s, sizes),
    expected: 'entries for its disk and its VM state',
    specific: (s, sizes) => `${reachOfSnapshot(s, sizes)} for its VM state of ${vmStateSize(s)} bytes`
  },
  {
    field: 'vmStateSize',
    clause: 'SNAP-01',
    phase: 'inconsistent',
    source: 'format',
    broken: (s) => s.vmStateSize !== 0 && BigInt(s.vmStateSize) !== vmStateSize(s),
    expected: '0, or the size in the extra data',
    specific: (s) => `0, or ${vmStateSize(s)} as in the extra data`
  }
])

/** The rule for the bytes of a snapshot table. @see OPEN-30 */
export const snapshotTableRules = new RuleTable<number>({ placeOf: (_, size) => whole('snapshot table', size) }, [
  {
    field: 'size',
    clause: 'OPEN-30',
    phase: 'limit',
    source: 'qemu',
    broken: (size) => size > maxSnapshotTable,
    found: (size) => `${size} bytes`,
    expected: `at most ${maxSnapshotTable} bytes`
  }
])

/**
 * Byte offsets of the entries of a table from its start.
 *
 * @example
 * import fc from 'fast-check'
 * import { snapshots } from 'qcow2-spec/arbitraries'
 * import { snapshotEntry, snapshotStarts } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(snapshots.wellFormed, (s) => snapshotStarts([s, s])[1] === snapshotEntry.sizeOf(s)))
 */
export const snapshotStarts = (entries: readonly SnapshotEntry[]): readonly number[] => startsOf(snapshotEntry, entries)

const entryAt = (bytes: Uint8Array, at: number, last: boolean): E.Either<readonly Issue[], Step<SnapshotEntry>> =>
  pipe(
    snapshotEntry.decodeAt(bytes, at),
    E.chain((s): E.Either<readonly Issue[], Step<SnapshotEntry>> => {
      const bare = snapshotEntry.sizeOf(s) - s.padding.length
      if (last) return E.right({ value: { ...s, padding: empty }, next: at + bare })
      const size = toEight(bare)
      const place = { structure: snapshotEntry.name, field: 'padding', at: at + bare, size }
      return s.padding.length < size
        ? E.left([malformed(place, 'SNAP-01', 'the end of the bytes', `${size} bytes of padding`)])
        : E.right({ value: s, next: at + bare + size })
    })
  )

/**
 * A snapshot table of `n` entries. Every entry but the last is padded to a multiple of 8; the table ends with
 * the last entry's name.
 *
 * @see SNAP-01 and SNAP-04
 *
 * @example
 * import { snapshotTable } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const table = snapshotTable(2).decode(new Uint8Array(80))
 * assert.equal(table._tag === 'Right' && table.right.length, 2)
 */
export const snapshotTable = (n: number): ByteType<readonly SnapshotEntry[]> => {
  const padded = (s: SnapshotEntry, i: number): boolean =>
    i === n - 1 ? s.padding.length === 0 : snapshotEntry.sizeOf(s) % 8 === 0
  return listOf('snapshot table', snapshotEntry, {
    more: (_, index) => index < n,
    read: (bytes, at, index) => entryAt(bytes, at, index === n - 1),
    fits: (entries) => entries.length === n && entries.every(padded)
  })
}
