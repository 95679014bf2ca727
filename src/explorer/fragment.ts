/** The fragment of the page's URL: the place and the view, so that a link leads to both. */
import { offsetText, parseOffset } from './numbers.js'

export const views = ['bytes', 'host', 'guest'] as const

/** What the middle of the page shows: bytes, the map of host clusters, or that of the guest disk. */
export type View = (typeof views)[number]

/** A place in the page. */
export interface Place {
  /** Byte offset in the file. */
  readonly at: number
  readonly view: View
}

const isView = (text: string | null): text is View => views.some((v) => v === text)

/** The fragment of a place. Law: `parseFragment(fragmentOf(p)) = p`. */
export const fragmentOf = ({ at, view }: Place): string =>
  `#at=${offsetText(at)}${view === 'bytes' ? '' : `&view=${view}`}`

/** The place of a fragment. A part that is missing or invalid is byte 0, or the view of bytes. */
export const parseFragment = (fragment: string): Place => {
  const words = new Map(
    fragment
      .replace(/^#/, '')
      .split('&')
      .map((pair) => splitAt(pair))
  )
  const view = words.get('view') ?? null
  return { at: parseOffset(words.get('at') ?? '') ?? 0, view: isView(view) ? view : 'bytes' }
}

const splitAt = (pair: string): readonly [string, string] => {
  const i = pair.indexOf('=')
  return i < 0 ? [pair, ''] : [pair.slice(0, i), pair.slice(i + 1)]
}
