/** Names inside images: what kind each is, from its bytes alone. A name is data: no file is looked up. */
import { toText } from '../bytes/octets.js'

/**
 * What opening a name may lead to.
 *
 * - `empty`: no name
 * - `unreadable`: no text in UTF-8, or a NUL in it, where C ends and other languages go on
 * - `json`: `json:{…}`, options for a driver
 * - `protocol`: `nbd://…`, `file:…`: up to its colon the name of a driver
 * - `absolute`: a path from a root, also a Windows drive or share
 * - `escaping`: a relative path that leads out of the folder it starts in
 * - `plain`: a path that stays in the folder
 *
 * Of paths, `/` and `\` both part the segments, so that a plain name is plain on every system.
 */
export type NameKind = 'empty' | 'unreadable' | 'json' | 'protocol' | 'absolute' | 'escaping' | 'plain'

/** The highest point of a relative path, in folders below its start: negative where it leads out. */
const highest = (path: string): number => {
  let depth = 0
  let least = 0
  for (const segment of path.split(/[/\\]/)) {
    if (segment !== '' && segment !== '.') depth += segment === '..' ? -1 : 1
    least = Math.min(least, depth)
  }
  return least
}

const kindOf = (name: Uint8Array, ofText: (text: string) => NameKind): NameKind => {
  if (name.length === 0) return 'empty'
  const text = toText(name)
  return text === undefined || text.includes('\0') ? 'unreadable' : ofText(text)
}

const pathOf = (text: string): NameKind => {
  if (/^([/\\]|[A-Za-z]:)/.test(text)) return 'absolute'
  return highest(text) < 0 ? 'escaping' : 'plain'
}

/**
 * The kind of a name that is a path and nothing else, as that of a data file is: never `json` or `protocol`.
 *
 * @see DATA-09
 * @example
 * import { pathKind } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const kinds = ['data.raw', '../data.raw', 'nbd:host'].map((name) => pathKind(new TextEncoder().encode(name)))
 * assert.deepEqual(kinds, ['plain', 'escaping', 'plain'])
 */
export const pathKind = (name: Uint8Array): NameKind => kindOf(name, pathOf)

/**
 * The kind of a backing file name. A colon before any slash ends the name of a driver, unless a slash or backslash follows
 * one letter, a drive.
 *
 * @see BACK-04
 * @example
 * import { nameKind } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const kinds = ['base.qcow2', '/etc/passwd', 'nbd:host'].map((name) => nameKind(new TextEncoder().encode(name)))
 * assert.deepEqual(kinds, ['plain', 'absolute', 'protocol'])
 */
export const nameKind = (name: Uint8Array): NameKind =>
  kindOf(name, (text) => {
    if (text.startsWith('json:')) return 'json'
    return /^[^/]*:/.test(text) && !/^[A-Za-z]:[/\\]/.test(text) ? 'protocol' : pathOf(text)
  })
