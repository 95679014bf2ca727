/** Typing over bytes: two hexadecimal digits replace the selected byte, while the image is edited. */
import { useRef } from 'preact/hooks'
import { useExplorer } from './context.js'

/** Takes a key if it is part of a byte that is typed. */
export const useTyping = (): ((event: KeyboardEvent) => boolean) => {
  const { state, go, edit } = useExplorer()
  const first = useRef<{ readonly at: number; readonly digit: string } | undefined>(undefined)
  return (event) => {
    const { at } = state.place
    if (!state.isEditing || event.ctrlKey || event.metaKey || event.altKey || !/^[0-9a-f]$/i.test(event.key))
      return false
    event.preventDefault()
    const before = first.current
    if (before?.at !== at) {
      first.current = { at, digit: event.key }
      return true
    }
    first.current = undefined
    edit([...state.edits, { at, bytes: Uint8Array.of(parseInt(before.digit + event.key, 16)) }])
    go(Math.min(at + 1, (state.summary?.fileLength ?? 1) - 1), { move: true })
    return true
  }
}
