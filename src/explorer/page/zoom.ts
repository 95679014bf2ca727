/** Zooming: which range of a whole a map shows. */
import { useState } from 'preact/hooks'
import type { Grid } from '../cells.js'

export interface Zoom {
  readonly from: number
  readonly to: number
  readonly isWhole: boolean
  /** Shows a quarter of the range around a cell of the grid, or four times as much. */
  readonly by: (grid: Grid, cell: number, how: 'in' | 'out') => void
  readonly whole: () => void
}

/** The range of a whole of `total` units of which no less than `least` are shown. */
export const useZoom = (total: number, least: number): Zoom => {
  const [range, setRange] = useState<{ readonly from: number; readonly to: number } | undefined>(undefined)
  const { from, to } = range ?? { from: 0, to: total }
  return {
    from,
    to: Math.min(to, total),
    isWhole: from === 0 && to >= total,
    by: (grid, cell, how) => {
      const size = how === 'in' ? Math.max(least, (to - from) / 4) : Math.min(total, (to - from) * 4)
      const middle = grid.from + (cell + 0.5) * grid.perCell
      const start = Math.max(0, Math.min(total - size, Math.floor((middle - size / 2) / least) * least))
      setRange({ from: start, to: start + Math.ceil(size / least) * least })
    },
    whole: () => setRange(undefined)
  }
}

/** Most cells of a map. */
export const mostCells = 4096
