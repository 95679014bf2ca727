/** A map: cells in rows, of which one is current; by mouse and by keys. */
import { useEffect, useRef } from 'preact/hooks'
import type { Grid } from '../cells.js'
import { type Size, useScheme, useSize } from './layout.js'
import { type Palette, paletteOf, prepare } from './paint.js'

/** Pixels from one cell to the next, at least and at most. */
const [least, most] = [12, 26]

/** The largest cells of which all are in sight. */
const pitchOf = (cells: number, { width, height }: Size): number =>
  Math.max(least, Math.min(most, Math.floor(Math.sqrt((width * height) / Math.max(1, cells)))))

/** Draws a cell as a square of this side. */
export type Paint = (
  context: CanvasRenderingContext2D,
  palette: Palette,
  cell: number,
  x: number,
  y: number,
  side: number
) => void

interface Props {
  readonly label: string
  readonly grid: Grid
  readonly current: number
  /** What the current cell is, in words. */
  readonly status: string
  readonly paint: Paint
  /** What was painted from: a change of it paints again. */
  readonly from: unknown
  readonly onPick: (cell: number) => void
  readonly onZoom: (cell: number, by: 'in' | 'out') => void
  readonly onOpen: () => void
}

/** Where keys lead in a map of so many columns. */
const steps = (columns: number): Readonly<Record<string, number>> => ({
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: -columns,
  ArrowDown: columns,
  PageUp: -10 * columns,
  PageDown: 10 * columns
})

export const MapCanvas = ({ label, grid, current, status, paint, from, onPick, onZoom, onOpen }: Props) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const size = useSize(box)
  const { width } = size
  const pitch = pitchOf(grid.cells, size)
  const scheme = useScheme()
  const columns = Math.max(1, Math.floor(width / pitch))
  const rows = Math.ceil(grid.cells / columns)
  useEffect(() => {
    if (canvas.current === null) return
    const context = prepare(canvas.current, width, Math.max(pitch, rows * pitch))
    if (context === undefined) return
    const palette = paletteOf(canvas.current)
    for (let i = 0; i < grid.cells; i++)
      paint(context, palette, i, (i % columns) * pitch + 1, Math.floor(i / columns) * pitch + 1, pitch - 3)
    if (current < 0 || current >= grid.cells) return
    context.strokeStyle = palette.of('fg')
    context.lineWidth = 2
    context.strokeRect((current % columns) * pitch, Math.floor(current / columns) * pitch, pitch - 1, pitch - 1)
  }, [from, width, pitch, current, scheme])
  const cellAt = (event: MouseEvent): number =>
    Math.min(
      grid.cells - 1,
      Math.floor(event.offsetY / pitch) * columns + Math.min(columns - 1, Math.floor(event.offsetX / pitch))
    )
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const by = steps(columns)[event.key]
    const now = Math.max(0, current)
    if (by !== undefined) onPick(Math.max(0, Math.min(grid.cells - 1, now + by)))
    else if (event.key === 'Home') onPick(0)
    else if (event.key === 'End') onPick(grid.cells - 1)
    else if (event.key === '+' || event.key === '=') onZoom(now, 'in')
    else if (event.key === '-') onZoom(now, 'out')
    else if (event.key === 'Enter') onOpen()
    else return
    event.preventDefault()
  }
  return (
    <div class="map">
      <div
        class="map-cells"
        ref={box}
        tabIndex={0}
        role="application"
        aria-roledescription="map"
        aria-label={`${label}. Arrows move, plus and minus zoom, Enter shows the bytes.`}
        onKeyDown={onKeyDown}
      >
        <canvas
          ref={canvas}
          aria-hidden="true"
          onClick={(event) => onPick(cellAt(event))}
          onDblClick={(event) => onZoom(cellAt(event), 'in')}
        />
      </div>
      <p class="map-status" aria-live="polite">
        {status}
      </p>
    </div>
  )
}
