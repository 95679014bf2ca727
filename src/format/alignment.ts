/** Host offsets: the rules that one is a multiple of the cluster size and within QEMU's reach. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { type FieldRule, onField, type Rule } from '../bytes/judgement.js'
import { hex } from '../bytes/octets.js'
import type { Geometry } from './geometry.js'
import { maxReadable } from './limits.js'

/** What a rule of alignment is judged with. */
export type Aligning = Pick<Geometry, 'clusterBits'>

/** Whether a host offset is a multiple of the cluster size. */
export const isAligned = (offset: bigint, { clusterBits }: Aligning): boolean =>
  BigInt.asUintN(clusterBits, offset) === 0n

/** The rule that a host offset is a multiple of the cluster size. */
export const alignment = (clause: ClauseId, more: Partial<Rule<bigint, Aligning>> = {}): Rule<bigint, Aligning> => ({
  clause,
  broken: (offset, g) => !isAligned(offset, g),
  found: hex,
  expected: 'a multiple of the cluster size',
  specific: (_, { clusterBits }) => `a multiple of the cluster size, ${2 ** clusterBits}`,
  ...more
})

/** The rule that the host offset in a field is a multiple of the cluster size. */
export const aligned = <K extends string>(
  field: K,
  clause: ClauseId,
  more: Partial<Rule<bigint, Aligning>> = {}
): FieldRule<Readonly<Record<K, bigint>>, Aligning, K> => onField(field, alignment(clause, more), (a) => a[field])

/** The rule that the table whose offset is in a field ends where QEMU can read: past that it fails to load the table. */
export const readable = <A, K extends string>(
  field: K,
  clause: ClauseId,
  endOf: (a: A) => bigint,
  more: Partial<Rule<A, Aligning>> = {}
): FieldRule<A, Aligning, K> => ({
  field,
  clause,
  phase: 'limit',
  source: 'qemu',
  broken: (a) => endOf(a) > maxReadable,
  expected: 'a table that ends where QEMU can read',
  ...more
})
