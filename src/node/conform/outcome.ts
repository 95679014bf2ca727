/** Outcomes: what a program made of a vector, and whether that is right. */
import { readFileSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { End, Ran } from './execute.js'
import { sha256 } from './suite.js'
import type { Vector } from './vector.js'

/** What a program did with an image. */
export type Found =
  | { readonly _tag: 'Refused' }
  /** A disk of so many bytes, and whether it is the one that is expected. */
  | { readonly _tag: 'Read'; readonly length: number; readonly isExpected: boolean }
  | { readonly _tag: 'Clean' }
  /** It changed the image, and what is wrong with that. */
  | { readonly _tag: 'Changed'; readonly wrong?: string }
  | { readonly _tag: 'Nothing' }
  | { readonly _tag: 'Broke'; readonly why: string }

/** What must be found: any of these. */
export interface Expected {
  readonly refusal: boolean
  readonly disk?: { readonly length: number; readonly sha256: string }
  readonly clean?: boolean
  /** That it is changed as asked for. */
  readonly change?: boolean
}

/** Why a program was ended after its time. */
export const tooSlow = 'took too long'

const limits = { time: tooSlow, memory: 'took too much memory', output: 'wrote too much' } as const

/** Why a program did not end by itself; `undefined` if it did. */
export const brokenOff = (end: End): string | undefined => {
  switch (end._tag) {
    case 'Exit':
      return undefined
    case 'Signal':
      return `died of ${end.signal}`
    case 'Limit':
      return limits[end.limit]
    case 'NotStarted':
      return `could not be started: ${end.why}`
  }
}

/** Sectors that a disk may be rounded up to. @see HDR-08 */
const sector = 512

/** A disk of `length` bytes, which are read only where they may be the expected ones: a size that is no whole sectors may be rounded. */
export const diskFound = (length: number, { disk }: Expected, bytes: () => Uint8Array): Found => ({
  _tag: 'Read',
  length,
  isExpected:
    disk !== undefined &&
    length >= disk.length &&
    length < disk.length + sector &&
    sha256(bytes().subarray(0, disk.length)) === disk.sha256
})

/** What a reader made of an image: a refusal, or a disk in the file `out` or in what it printed. */
export const readerFound = ({ end, printed }: Ran, expected: Expected, out?: string): Found => {
  const why = brokenOff(end)
  if (why !== undefined) return { _tag: 'Broke', why }
  if (end._tag === 'Exit' && end.code !== 0) return { _tag: 'Refused' }
  if (out === undefined) return diskFound(printed.length, expected, () => printed)
  return E.getOrElse((): Found => ({ _tag: 'Nothing' }))(
    E.tryCatch(() => diskFound(statSync(out).size, expected, () => readFileSync(out)), String)
  )
}

/** What a checker said of an image: exit code 0 is clean. */
export const checkerFound = ({ end }: Ran): Found => {
  const why = brokenOff(end)
  if (why !== undefined) return { _tag: 'Broke', why }
  return end._tag === 'Exit' && end.code === 0 ? { _tag: 'Clean' } : { _tag: 'Refused' }
}

/**
 * What a reader must make of a vector; `undefined` where it is not asked. It has no key, and so cannot read encrypted data.
 *
 * @see LUKS-08
 */
export const expectedOfReader = (v: Vector): Expected | undefined => {
  if (v.flags.includes('encrypted') && (v.map ?? []).some(([, , , what]) => what === 'data')) return { refusal: true }
  if (v.options !== undefined) return undefined
  if (v.result === 'invalid') return { refusal: true }
  return v.disk === undefined ? undefined : { refusal: v.result === 'acceptable', disk: v.disk }
}

/** What a checker must say of a vector. It is not asked about images over which the QEMUs differ, nor about encrypted ones. */
export const expectedOfChecker = (v: Vector): Expected | undefined => {
  if (v.options !== undefined || v.qemu.length > 1 || v.flags.includes('encrypted')) return undefined
  const { opens, corruptions = 0, leaks = 0 } = v.check
  const clean = opens && corruptions === 0 && leaks === 0
  return clean && v.result === 'acceptable' ? undefined : { refusal: !clean, clean }
}

/** Whether what was found is what was expected. */
export const isRight = (found: Found, expected: Expected): boolean => {
  switch (found._tag) {
    case 'Refused':
      return expected.refusal
    case 'Clean':
      return expected.clean === true
    case 'Read':
      return found.isExpected
    case 'Changed':
      return expected.change === true && found.wrong === undefined
    case 'Nothing':
    case 'Broke':
      return false
  }
}

/** What was found, in words. */
export const foundText = (found: Found, expected: Expected): string => {
  switch (found._tag) {
    case 'Refused':
      return 'refused'
    case 'Clean':
      return 'called clean'
    case 'Changed':
      return found.wrong ?? 'exit code 0'
    case 'Nothing':
      return 'exit code 0 and no disk'
    case 'Broke':
      return found.why
    case 'Read':
      return found.length === expected.disk?.length
        ? 'other bytes'
        : expected.disk === undefined
          ? `opened, a disk of ${found.length} bytes`
          : `a disk of ${found.length} bytes`
  }
}

/** What was expected, in words. */
export const expectedText = ({ refusal, disk, clean, change }: Expected): string => {
  if (clean !== undefined) return clean ? 'clean' : 'an error'
  const read = disk === undefined ? [] : [`a disk of ${disk.length} bytes, SHA-256 ${disk.sha256.slice(0, 16)}`]
  const changed = change === true ? ['the change, in a sound image'] : []
  return [...read, ...changed, ...(refusal ? ['a refusal'] : [])].join(', or ')
}
