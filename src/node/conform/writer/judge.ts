/** What a writer left of an image: whether a check is satisfied, and whether each disk is the one that it must be. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../../spec/clauses/index.js'
import { toHex } from '../../../bytes/octets.js'
import { unknownBits, verdict } from '../../../image/verdict.js'
import type { CommandError } from '../../command-error.js'
import type { State } from './state.js'
import type { Change } from './change.js'
import { bytesOf } from './trial.js'

/** What is wrong, and the clause that says so; without one it is that of the trial. */
export interface Problem {
  readonly clause?: ClauseId
  readonly text: string
}

/** The disk that changes make of one, and where bytes may also be zeros: discards need not be carried out. */
interface Wanted {
  readonly disk: Uint8Array
  readonly mayBeZero: Uint8Array
}

/** The disk that a trial must leave. @see ZD-11 */
const wantedDisk = (before: Uint8Array, changes: readonly Change[]): Wanted => {
  const disk = new Uint8Array(before)
  const mayBeZero = new Uint8Array(before.length)
  changes.forEach((change, number) => {
    if (change._tag === 'Flush' || change._tag === 'Snapshot') return
    const { _tag, at, length } = change
    if (_tag === 'Write') disk.set(bytesOf(number, change), at)
    if (_tag === 'Zero') disk.fill(0, at, at + length)
    mayBeZero.fill(_tag === 'Discard' ? 1 : 0, at, at + length)
  })
  return { disk, mayBeZero }
}

const shown = (bytes: Uint8Array, at: number): string => toHex(bytes.subarray(at, at + 8))

const differences = (what: string, found: Uint8Array, { disk, mayBeZero }: Wanted): string | undefined => {
  if (found.length !== disk.length) return `${what} of ${found.length} bytes, not ${disk.length}`
  if (Buffer.compare(found, disk) === 0) return undefined
  const at = found.findIndex((byte, i) => byte !== disk[i] && !(byte === 0 && mayBeZero[i] === 1))
  return at === -1 ? undefined : `${what} has ${shown(found, at)} at byte ${at}, not ${shown(disk, at)}`
}

const asItIs = (disk: Uint8Array): Wanted => ({ disk, mayBeZero: new Uint8Array(disk.length) })

/** The features that a writer does not know: it clears the autoclear bits, and keeps the rest. */
const unknowns = (before: State, after: State): readonly Problem[] => {
  const [was, is] = [before.metadata, after.metadata] as const
  const left = unknownBits(is.header, 'autoclear')
  const bitsBefore = String(unknownBits(was.header, 'compatible'))
  const bitsAfter = String(unknownBits(is.header, 'compatible'))
  const types = (m: State['metadata']): string => String(verdict(m, 0).unknownExtensions.toSorted())
  return [
    ...(left.length === 0
      ? []
      : [{ clause: 'FEAT-03', text: `autoclear bit ${left.join(', ')} is still set` } as const]),
    ...(bitsBefore === bitsAfter
      ? []
      : [{ clause: 'FEAT-02', text: `the unknown compatible bits were ${bitsBefore}, and are ${bitsAfter}` } as const]),
    ...(types(was) === types(is) ? [] : [{ clause: 'EXT-12', text: 'an unknown header extension is lost' } as const])
  ]
}

/** Enabled bitmaps that the image says are consistent, and that do not mark a change. */
const unmarked = ({ dirty }: State, changes: readonly Change[]): readonly Problem[] =>
  dirty.flatMap((ranges) =>
    changes.flatMap((change): readonly Problem[] => {
      if (change._tag !== 'Write' && change._tag !== 'Zero') return []
      const { at, length } = change
      const marks = ranges.some((range) => range.start <= at && at + length <= range.start + range.length)
      return marks ? [] : [{ clause: 'BMP-10', text: `an enabled bitmap does not mark byte ${at}` }]
    })
  )

const changedSnapshots = (before: State, after: State): readonly Problem[] =>
  [...before.snapshots].flatMap(([id, disk]): readonly Problem[] => {
    const now = after.snapshots.get(id)
    const text = now === undefined ? `snapshot ${id} is gone` : differences(`snapshot ${id}`, now, asItIs(disk))
    return text === undefined ? [] : [{ clause: 'REF-01', text }]
  })

/** New snapshots, each with the disk that there was when it was taken. */
const newSnapshots = (before: State, after: State, changes: readonly Change[]): readonly Problem[] => {
  const taken = changes.flatMap((change, i) => (change._tag === 'Snapshot' ? [changes.slice(0, i)] : []))
  const ids = [...after.snapshots.keys()].filter((id) => !before.snapshots.has(id))
  if (ids.length !== taken.length) return [{ text: `${ids.length} new snapshots, not ${taken.length}` }]
  return ids.flatMap((id, i): readonly Problem[] => {
    const wanted = wantedDisk(before.disk, taken[i] ?? [])
    const text = differences(`snapshot ${id}`, after.snapshots.get(id) ?? new Uint8Array(0), wanted)
    return text === undefined ? [] : [{ clause: 'SNAP-08', text }]
  })
}

/** An external data file that must be the raw disk, and is not. @see DATA-07 */
const rawDataFile = ({ rawData, disk }: State): readonly Problem[] => {
  const text =
    rawData === undefined ? undefined : differences('the raw data file', rawData.subarray(0, disk.length), asItIs(disk))
  return text === undefined ? [] : [{ clause: 'DATA-07', text }]
}

const inDisk = (before: State, after: State, changes: readonly Change[]): readonly Problem[] => {
  const text = differences('the disk', after.disk, wantedDisk(before.disk, changes))
  return text === undefined ? [] : [{ text }]
}

/** What is wrong with an image after the changes of a trial; `undefined` if nothing is. */
export const problemOf = (
  before: State,
  after: E.Either<CommandError, State>,
  changes: readonly Change[]
): Problem | undefined => {
  if (E.isLeft(after)) {
    const { clause, message } = after.left
    return { ...(clause === undefined ? {} : { clause }), text: `an image that does not read: ${message}` }
  }
  const state = after.right
  // A wrong refcount shows in COPIED too.
  const isCopied = ({ field }: State['findings'][number]): boolean => field === 'copied'
  const found = [...state.findings.filter((f) => !isCopied(f)), ...state.findings.filter(isCopied)].map(
    ({ clause, message }): Problem => ({ clause, text: message })
  )
  return [
    ...unknowns(before, state),
    ...found,
    ...inDisk(before, state, changes),
    ...changedSnapshots(before, state),
    ...newSnapshots(before, state, changes),
    ...rawDataFile(state),
    ...unmarked(state, changes)
  ][0]
}
