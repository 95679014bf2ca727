/** Neighbours: tables of one cluster each that lie one behind the other, which one request reads together. */

/** Most bytes of a request for several tables. */
const most = 2 ** 20

/**
 * How many of the tables `i` to `end` lie one behind the other from table `i` on, as far as one request goes: at least 1.
 * `offsetAt` gives their host offsets, `size` is the bytes of a cluster.
 */
export const neighbours = (offsetAt: (i: number) => number, i: number, end: number, size: number): number => {
  const first = offsetAt(i)
  const last = Math.min(end, i + Math.floor(most / size))
  let n = 1
  while (i + n < last && offsetAt(i + n) === first + n * size) n++
  return n
}
