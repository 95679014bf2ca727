/** The catalogue of rules: every clause of qcow2 by its id, in chapters. */

import type { Clause } from './clause.js'
import { amend } from './amend.js'
import { backing } from './backing.js'
import { bitmapTransition } from './bitmap-transition.js'
import { bitmap } from './bitmap.js'
import { check } from './check.js'
import { commit } from './commit.js'
import { compressedWrite } from './compressed-write.js'
import { compressed } from './compressed.js'
import { data } from './data.js'
import { encryption } from './encryption.js'
import { extension } from './extension.js'
import { feature } from './feature.js'
import { general } from './general.js'
import { header } from './header.js'
import { integrity } from './integrity.js'
import { open } from './open.js'
import { order } from './order.js'
import { read } from './read.js'
import { refcount } from './refcount.js'
import { resize } from './resize.js'
import { snapshotTransition } from './snapshot-transition.js'
import { snapshot } from './snapshot.js'
import { subclusterWrite } from './subcluster-write.js'
import { subcluster } from './subcluster.js'
import { table } from './table.js'
import { write } from './write.js'
import { zero } from './zero.js'

export type { Chapter, Clause, Level, Divergence, Erratum, Source, Subject, Verdict } from './clause.js'

/** The chapters, in reading order. */
export const chapters = [
  general,
  header,
  feature,
  extension,
  backing,
  data,
  refcount,
  table,
  subcluster,
  compressed,
  snapshot,
  bitmap,
  encryption,
  open,
  read,
  write,
  zero,
  subclusterWrite,
  compressedWrite,
  integrity,
  snapshotTransition,
  resize,
  bitmapTransition,
  amend,
  commit,
  check,
  order
] as const

/** Every clause, keyed by id. */
export const clauses = {
  ...general.clauses,
  ...header.clauses,
  ...feature.clauses,
  ...extension.clauses,
  ...backing.clauses,
  ...data.clauses,
  ...refcount.clauses,
  ...table.clauses,
  ...subcluster.clauses,
  ...compressed.clauses,
  ...snapshot.clauses,
  ...bitmap.clauses,
  ...encryption.clauses,
  ...open.clauses,
  ...read.clauses,
  ...write.clauses,
  ...zero.clauses,
  ...subclusterWrite.clauses,
  ...compressedWrite.clauses,
  ...integrity.clauses,
  ...snapshotTransition.clauses,
  ...resize.clauses,
  ...bitmapTransition.clauses,
  ...amend.clauses,
  ...commit.clauses,
  ...check.clauses,
  ...order.clauses
} as const

/** The id of a clause in the catalogue, such as `HDR-01`. */
export type ClauseId = keyof typeof clauses

/**
 * Whether a value is the id of a clause.
 *
 * @example
 * import { isClauseId } from 'qcow2-spec/spec'
 * import * as assert from 'node:assert/strict'
 *
 * assert.ok(isClauseId('HDR-01'))
 * assert.ok(!isClauseId('HDR-99'))
 */
export const isClauseId = (u: unknown): u is ClauseId => typeof u === 'string' && Object.hasOwn(clauses, u)

/**
 * The clause with an id.
 *
 * @example
 * import { clause } from 'qcow2-spec/spec'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(clause('HDR-01').level, 'must')
 */
export const clause = (id: ClauseId): Clause => clauses[id]
