/** A scroll bar for more rows than any element is high. */
import { useRef } from 'preact/hooks'

interface Props {
  readonly top: number
  /** Rows in sight, and all rows. */
  readonly rows: number
  readonly total: number
  readonly controls: string
  readonly onScroll: (row: number) => void
}

/** The least height of the thumb, as a part of the bar. */
const least = 0.04

export const Scrollbar = ({ top, rows, total, controls, onScroll }: Props) => {
  const bar = useRef<HTMLDivElement>(null)
  const grip = useRef(0)
  const last = Math.max(0, total - rows)
  if (last === 0) return <div class="scrollbar" />
  const height = Math.max(least, rows / total)
  const start = (top / last) * (1 - height)
  const at = (event: PointerEvent): number => {
    const box = bar.current?.getBoundingClientRect()
    return box === undefined || box.height === 0 ? 0 : (event.clientY - box.top) / box.height
  }
  const moveTo = (y: number): void => onScroll(Math.round(((y - grip.current) / (1 - height)) * last))
  return (
    <div
      class="scrollbar"
      ref={bar}
      role="scrollbar"
      aria-label="Position in the file"
      aria-controls={controls}
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={top}
      onPointerDown={(event) => {
        bar.current?.setPointerCapture(event.pointerId)
        const y = at(event)
        grip.current = y >= start && y <= start + height ? y - start : height / 2
        moveTo(y)
      }}
      onPointerMove={(event) => {
        if (event.buttons !== 0) moveTo(at(event))
      }}
    >
      <div class="thumb" style={{ top: `${100 * start}%`, height: `${100 * height}%` }} />
    </div>
  )
}
