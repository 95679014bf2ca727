/** A field to type over: as a number where it is at most eight bytes, else as bytes. */
import { useState } from 'preact/hooks'
import { parseBytes, parseNumber } from '../edits.js'
import { blockAt } from './blocks.js'
import { useBlocks, useExplorer } from './context.js'

/** Bytes of the longest field that is typed over as a whole. */
const longest = 64

const hexOf = (bytes: readonly number[]): string => bytes.map((b) => b.toString(16).padStart(2, '0')).join(' ')

export const EditField = ({ at, size }: { readonly at: number; readonly size: number }) => {
  const { state, edit } = useExplorer()
  const blocks = useBlocks()
  const [typed, setTyped] = useState<{ readonly at: number; readonly text: string } | undefined>(undefined)
  const shown = Math.min(size, longest)
  const from = size > longest ? state.place.at : at
  const bytes = Array.from(
    { length: Math.min(shown, Math.max(0, (state.summary?.fileLength ?? 0) - from)) },
    (_, i) => {
      const block = blockAt(blocks, from + i)
      return block?.bytes[from + i - block.at] ?? 0
    }
  )
  const text = typed?.at === from ? typed.text : hexOf(bytes)
  const next = parseBytes(text, bytes.length) ?? (bytes.length <= 8 ? parseNumber(text, bytes.length) : undefined)
  const id = `edit-${at}`
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault()
        if (next === undefined) return
        setTyped(undefined)
        edit([...state.edits, { at: from, bytes: next }])
      }}
    >
      <label for={id}>{size <= 8 ? 'Bytes, or a number' : 'Bytes'}</label>
      <div class="joined">
        <input
          id={id}
          class="mono"
          value={text}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={next === undefined}
          onInput={(event) => setTyped({ at: from, text: event.currentTarget.value })}
        />
        <button type="submit" disabled={next === undefined}>
          Set
        </button>
      </div>
    </form>
  )
}
