/** Issues: why bytes or a value are not what the format or QEMU asks for, with the clause and the byte offset. */
import type * as t from 'io-ts'
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import type { JsonObject } from './json.js'

/**
 * How far a value got before it failed.
 *
 * - `malformed`: the bytes do not decode at all
 * - `invalid`: the value decodes, and breaks a rule by itself
 * - `inconsistent`: the value breaks a rule together with another structure
 * - `limit`: the value asks for more than a named limit allows
 */
export type Phase = 'malformed' | 'invalid' | 'inconsistent' | 'limit'

/** Bytes of a structure, by the names that the format gives them. */
export interface Place {
  /** The structure, in the format's own words. */
  readonly structure: string
  /** The field in it, by the format's own name; empty when the structure as a whole is meant. */
  readonly field: string
  /** Byte offset of the field: in the bytes given to a codec, or in the file once located with {@link shift}. */
  readonly at: number
  /** Length of the field in bytes. */
  readonly size: number
}

/** What an issue says; see {@link Issue}. */
export interface Complaint extends Place {
  /** The clause that is broken. */
  readonly clause: ClauseId
  /** How far the value got before it failed. */
  readonly phase: Phase
  /** Whose rule it is: `both` unless the format's text and QEMU diverge. */
  readonly source: Source
  /** The value or the state that is there, as a noun phrase: `0`, `an empty name`. */
  readonly found: string
  /** The values that the clause allows, as a noun phrase: `9 to 21`, `a multiple of 512 bytes`. */
  readonly expected: string
  /** The row of QEMU's opening checks that refuses the image over it, when that is not `clause` itself. @see OPEN-01 */
  readonly refusal?: ClauseId
}

/** An io-ts `ValidationError` that knows its clause and its place; `PathReporter` prints its message. */
export interface Issue extends t.ValidationError, Complaint {
  readonly message: string
}

/**
 * One line: what, where, and which clause. A place of no bytes at offset 0, such as an option's, has no offset.
 *
 * @example
 * import { show } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const issue = { structure: 'header', field: 'magic', at: 0, size: 4, clause: 'OPEN-01', phase: 'malformed', source: 'both' } as const
 * assert.equal(
 *   show({ ...issue, found: '0', expected: '1363560955' }),
 *   'header magic at byte 0: found 0, expected 1363560955 [OPEN-01]'
 * )
 */
export const show = (c: Complaint): string =>
  `${c.structure}${c.field === '' ? '' : ` ${c.field}`}${c.size + c.at === 0 ? '' : ` at byte ${c.at}`}: found ${c.found}, expected ${c.expected} [${c.clause}]`

/** An issue from what it says; `value` and `context` are io-ts's own. */
export const issue = (complaint: Complaint, value?: unknown, context: t.Context = []): Issue => ({
  ...complaint,
  value,
  context,
  message: show(complaint)
})

/** The issue of bytes that do not decode at a place. `refusal` is the row of QEMU's opening checks, when it is another clause. */
export const malformed = (place: Place, clause: ClauseId, found: string, expected: string, refusal?: ClauseId): Issue =>
  issue({
    ...place,
    clause,
    phase: 'malformed',
    source: 'both',
    found,
    expected,
    ...(refusal === undefined ? {} : { refusal })
  })

/** The same place, `by` bytes further on. */
export const further = (place: Place, by: number): Place => ({ ...place, at: place.at + by })

/** The same issues, `by` bytes further on: from offsets inside a structure to offsets in the file. */
export const shift =
  (by: number) =>
  (issues: readonly Issue[]): readonly Issue[] =>
    by === 0 ? issues : issues.map((i) => issue({ ...i, at: i.at + by }, i.value, i.context))

/**
 * Whether an io-ts error is an issue.
 *
 * @example
 * import { isIssue } from 'qcow2-spec/image'
 * import { header } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const decoded = header.decode(new Uint8Array(512))
 * assert.ok(decoded._tag === 'Left' && decoded.left.every(isIssue))
 */
export const isIssue = (e: t.ValidationError): e is Issue => 'clause' in e && 'at' in e

/**
 * The row of QEMU's opening checks by which the image is refused; `undefined` when QEMU opens it all the same.
 *
 * @example
 * import { isIssue, refusalOf } from 'qcow2-spec/image'
 * import { header } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const decoded = header.decode(new Uint8Array(512))
 * const issues = decoded._tag === 'Left' ? decoded.left.filter(isIssue) : []
 * assert.deepEqual(issues.map(refusalOf), ['OPEN-01'])
 */
export const refusalOf = (c: Complaint): ClauseId | undefined =>
  c.refusal ?? (c.clause.startsWith('OPEN-') && c.source !== 'format' ? c.clause : undefined)

/**
 * Issues that break a rule of this party: the format's text, or QEMU's behaviour.
 *
 * @example
 * import { isIssue, under } from 'qcow2-spec/image'
 * import { header } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const decoded = header.decode(new Uint8Array(512))
 * const issues = decoded._tag === 'Left' ? decoded.left.filter(isIssue) : []
 * assert.equal(under('qemu')(issues).length, issues.length)
 */
export const under =
  (party: 'format' | 'qemu') =>
  (issues: readonly Issue[]): readonly Issue[] =>
    issues.filter((i) => i.source === 'both' || i.source === party)

/**
 * An issue as JSON, for people and scripts.
 *
 * @example
 * import { isIssue, issueJson } from 'qcow2-spec/image'
 * import { header } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const decoded = header.decode(new Uint8Array(512))
 * const issues = decoded._tag === 'Left' ? decoded.left.filter(isIssue) : []
 * assert.deepEqual(issues.map((issue) => issueJson(issue)['field']), ['magic'])
 */
export const issueJson = (i: Issue): JsonObject => {
  const { clause, phase, source, structure, field, at, size, found, expected } = i
  return { clause, phase, source, structure, field, at, size, found, expected }
}
