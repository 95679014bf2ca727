/** Faults of the repair: what stays wrong, and what is lost. */
import type { Mutant } from './mutant.js'

const fault = (name: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file: `transition/${file}`,
  edits: [[find, replace]],
  red: 'props/transition/repair.test.ts'
})

export const repairMutants: readonly Mutant[] = [
  fault('the file of a dirty image is not made longer', 'past-end.js', 'if (end > fileLength)', 'if (false)'),
  fault(
    'short extra data of a snapshot stay short',
    'snapshot-table.js',
    '.sizeOf(s.extra) >= 16',
    '.sizeOf(s.extra) >= 0'
  ),
  fault(
    'a leak is raised instead of lowered',
    'repair.js',
    'addToCounts(w, cluster, n, by, ',
    'addToCounts(w, cluster, n, -by, '
  ),
  fault('the dirty bit stays', 'repair.js', 'dirty: false, corrupt: false', 'corrupt: false'),
  fault('a copied flag is left where two trees share', 'repair.js', 'word & ~copied', 'word'),
  fault('new counts leave out the new blocks', 'rebuild.js', 'cluster >= start && cluster < end ? 1', 'false ? 1')
]
