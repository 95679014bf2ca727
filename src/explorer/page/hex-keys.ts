/** Keys that move the selection among bytes. */
import type { Span } from '../spans.js'

/** Where a key leads from byte `at`; undefined for keys that lead nowhere. */
export const moveOf = (
  { key, ctrlKey, altKey, metaKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey'>,
  at: number,
  length: number,
  perRow: number,
  rows: number,
  span: Span | undefined
): number | undefined => {
  if (altKey || metaKey) return undefined
  const within = (to: number): number => Math.max(0, Math.min(length - 1, to))
  switch (key) {
    case 'ArrowLeft':
      return within(at - 1)
    case 'ArrowRight':
      return within(at + 1)
    case 'ArrowUp':
      return at < perRow ? at : at - perRow
    case 'ArrowDown':
      return at + perRow < length ? at + perRow : at
    case 'PageUp':
      return within(at - perRow * rows)
    case 'PageDown':
      return within(at + perRow * rows)
    case 'Home':
      return ctrlKey ? 0 : at - (at % perRow)
    case 'End':
      return ctrlKey ? within(length - 1) : within(at - (at % perRow) + perRow - 1)
    case 'n':
      return within(span === undefined ? at + perRow : span.at + span.size)
    case 'p':
      return within(span === undefined ? at - perRow : span.at < at ? span.at : span.at - 1)
    default:
      return undefined
  }
}
