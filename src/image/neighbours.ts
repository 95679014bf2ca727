/** Neighbours: tables of one cluster each that are adjacent in the file, so that one request reads them. */

/** Most bytes of a request for several tables. */
const most = 2 ** 20

/**
 * How many tables from table `i` on and before `end` are adjacent, up to the size of a request: at least 1.
 * `offsetAt` gives their host offsets, `size` is the bytes of a cluster.
 */
export const neighbours = (offsetAt: (i: number) => number, i: number, end: number, size: number): number => {
  const first = offsetAt(i)
  const last = Math.min(end, i + Math.floor(most / size))
  let n = 1
  while (i + n < last && offsetAt(i + n) === first + n * size) n++
  return n
}
