/** The bytes: rows in hexadecimal and as text, each field in its colour, of which only those in sight exist. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { offsetText } from '../numbers.js'
import { type Blocks, blockSize, spanAt } from './blocks.js'
import { useBlocks, useExplorer } from './context.js'
import { HexRow } from './hex-row.js'
import { byteAtColumn, columnOf, rowAt } from './hex-rows.js'
import { moveOf } from './hex-keys.js'
import { Scrollbar } from './scrollbar.js'
import { useTyping } from './typing.js'
import { useDrag } from './drag.js'

/** Sizes in the page, in pixels. */
interface Metrics {
  readonly rows: number
  readonly rowHeight: number
  readonly char: number
  readonly perRow: number
}

const narrow = 560

const useMetrics = (): readonly [Metrics, (element: HTMLDivElement | null) => void] => {
  const [metrics, setMetrics] = useState<Metrics>({ rows: 40, rowHeight: 20, char: 8, perRow: 16 })
  const [element, setElement] = useState<HTMLDivElement | null>(null)
  useLayoutEffect(() => {
    if (element === null) return
    const measure = (): void => {
      const probe = element.querySelector('.probe')
      const box = probe?.getBoundingClientRect()
      const rowHeight = Math.max(12, box?.height ?? 20)
      setMetrics({
        rows: Math.max(4, Math.floor(element.clientHeight / rowHeight)),
        rowHeight,
        char: (box?.width ?? 800) / 100,
        perRow: element.clientWidth < narrow ? 8 : 16
      })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => {
      observer.disconnect()
    }
  }, [element])
  return [metrics, setElement]
}

/** Asks for the blocks in sight that are missing, or older than what is known of the image. */
const useMissing = (blocks: Blocks, from: number, to: number): void => {
  const { state, send } = useExplorer()
  const asked = useRef(new Map<number, number>())
  const length = state.summary?.fileLength ?? 0
  useEffect(() => {
    for (const [at, generation] of asked.current)
      if (blocks.get(at)?.generation === generation) asked.current.delete(at)
    for (let at = from - (from % blockSize); at < Math.min(to, length); at += blockSize) {
      if (blocks.get(at)?.generation === state.generation || asked.current.get(at) === state.generation) continue
      asked.current.set(at, state.generation)
      send({ _tag: 'Window', at, length: blockSize })
    }
  }, [from, to, state.generation, blocks])
}

export const Hex = () => {
  const { state, go } = useExplorer()
  const blocks = useBlocks()
  const [{ rows, rowHeight, char, perRow }, setElement] = useMetrics()
  const element = useRef<HTMLDivElement | null>(null)
  const [top, setTop] = useState(0)
  const length = state.summary?.fileLength ?? 0
  const { at } = state.place
  const total = Math.ceil(length / perRow)
  const last = Math.max(0, total - rows)
  const scrollTo = (row: number): void => setTop(Math.max(0, Math.min(last, Math.floor(row))))
  const selectedRow = Math.floor(at / perRow)
  useEffect(() => {
    if (selectedRow < top || selectedRow >= top + rows) scrollTo(selectedRow - Math.floor(rows / 3))
  }, [at, perRow, length])
  useMissing(blocks, top * perRow, (top + rows + 1) * perRow)
  const wheel = useRef(0)
  const drag = useDrag(rowHeight, (by) => setTop((t) => Math.max(0, Math.min(last, t + by))))
  const typed = useTyping()
  const span = spanAt(blocks, at)

  const onKeyDown = (event: KeyboardEvent): void => {
    if (typed(event)) return
    const target = state.selection?.parts.find((part) => part.target !== undefined)?.target
    if (event.key === 'Enter' && target !== undefined && target < length) {
      go(target)
      return
    }
    if (event.key === 'g' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      document.getElementById('go')?.focus()
      return
    }
    const to = moveOf(event, at, length, perRow, rows, span)
    if (to === undefined) return
    event.preventDefault()
    go(to, { move: true })
  }
  const onClick = (event: MouseEvent): void => {
    const box = element.current?.getBoundingClientRect()
    if (box === undefined || drag.wasDragged()) return
    const row = top + Math.floor((event.clientY - box.top) / rowHeight)
    const hexStart = (digits + 2) * char + 12
    const textStart = hexStart + (columnOf(perRow) + 1) * char
    const x = event.clientX - box.left
    const column = (x - hexStart) / char
    const i = x < textStart ? byteAtColumn(column, perRow) : Math.min(perRow - 1, Math.floor((x - textStart) / char))
    const to = row * perRow + Math.max(0, i)
    if (to < length) go(to)
  }
  const digits = Math.max(6, (length - 1).toString(16).length)
  const shown = Array.from({ length: Math.max(0, Math.min(rows + 1, total - top)) }, (_, i) =>
    rowAt(blocks, (top + i) * perRow, perRow)
  )
  return (
    <div class="hex">
      <div
        class="rows"
        ref={(e) => {
          element.current = e
          setElement(e)
        }}
        id="bytes"
        tabIndex={0}
        role="application"
        aria-roledescription="hex viewer"
        aria-label={`Bytes of ${state.summary?.name ?? 'the image'}`}
        aria-describedby="hex-status"
        onKeyDown={onKeyDown}
        onClick={onClick}
        onWheel={(event) => {
          event.preventDefault()
          wheel.current += event.deltaMode === 1 ? event.deltaY * rowHeight : event.deltaY
          const by = Math.trunc(wheel.current / rowHeight)
          wheel.current -= by * rowHeight
          if (by !== 0) scrollTo(top + by)
        }}
        {...drag.handlers}
      >
        <span class="probe" aria-hidden="true">
          {'0'.repeat(100)}
        </span>
        {shown.map((row) => (
          <HexRow
            key={row.at}
            row={row}
            digits={digits}
            perRow={perRow}
            selected={at >= row.at && at < row.at + perRow ? at - row.at : -1}
            selectedSpan={span?.at ?? -1}
            isEditing={state.isEditing}
            blocks={blocks}
          />
        ))}
      </div>
      <Scrollbar top={top} rows={rows} total={total} onScroll={scrollTo} controls="bytes" />
      <p id="hex-status" class="visually-hidden" aria-live="polite">
        {`${offsetText(at)}, ${span === undefined ? 'no structure' : span.name}`}
      </p>
    </div>
  )
}
