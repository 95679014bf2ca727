/** Cells: a range cut into equal pieces, each a power of two of units long, which a map draws as one square each. */

/** A range `[from, to)` in at most so many cells. */
export interface Grid {
  readonly from: number
  readonly to: number
  /** Units of a cell. */
  readonly perCell: number
  readonly cells: number
}

/** A range of a map that is asked for, in at most so many cells. */
export interface MapRange {
  readonly from: number
  readonly to: number
  readonly cells: number
}

/** The grid of `[from, to)`, which starts at a whole cell; `unit` is the least that a cell may be. */
export const gridOf = (from: number, to: number, most: number, unit = 1): Grid => {
  let perCell = unit
  while (Math.ceil(to / perCell) - Math.floor(from / perCell) > most) perCell *= 2
  const start = Math.floor(from / perCell) * perCell
  return { from: start, to, perCell, cells: Math.max(0, Math.ceil((to - start) / perCell)) }
}

/** Calls `each` with every cell that shares a unit with `[from, to)`. */
export const eachCell = (grid: Grid, from: number, to: number, each: (cell: number) => void): void => {
  const first = Math.max(0, Math.floor((from - grid.from) / grid.perCell))
  const end = Math.min(grid.cells, Math.ceil((to - grid.from) / grid.perCell))
  for (let cell = first; cell < end; cell++) each(cell)
}
