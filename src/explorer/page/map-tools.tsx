/** The tools of a map: zooming, and how much a cell is. */
import type { ComponentChildren } from 'preact'
import type { Grid } from '../cells.js'
import type { Zoom } from './zoom.js'

interface Props {
  readonly zoom: Zoom
  readonly grid: Grid
  readonly current: number
  readonly cellText: string
  readonly children?: ComponentChildren
}

export const MapTools = ({ zoom, grid, current, cellText, children }: Props) => {
  const at = current >= 0 && current < grid.cells ? current : Math.floor(grid.cells / 2)
  return (
    <div class="map-tools">
      <button onClick={() => zoom.by(grid, at, 'in')} aria-label="Zoom in">
        +
      </button>
      <button onClick={() => zoom.by(grid, at, 'out')} aria-label="Zoom out" disabled={zoom.isWhole}>
        {'\u2212'}
      </button>
      <button onClick={() => zoom.whole()} disabled={zoom.isWhole}>
        Whole
      </button>
      <span class="hint">{cellText}</span>
      {children}
    </div>
  )
}
