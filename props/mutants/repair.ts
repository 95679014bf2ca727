/** Faults of the repair: what stays wrong, and what is lost. */
import type { Mutant } from './mutant.js'

const extraData = 'extra data of a snapshot get the length that they must have, and are cut to that which they may have'

const fault = (name: string, rule: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file: `transition/${file}`,
  edits: [[find, replace]],
  red: 'props/transition/repair/repair.test.ts',
  rule
})

export const repairMutants: readonly Mutant[] = [
  fault(
    'the file of a dirty image is not made longer',
    'clusters that a dirty image names past its end are counted, and read as zeros',
    'repair/past-end.js',
    'if (end > fileLength)',
    'if (false)'
  ),
  fault(
    'short extra data of a snapshot stay short',
    extraData,
    'snapshots/snapshot-table.js',
    'w.g.version === 3 && size < 16',
    'false'
  ),
  fault(
    'extra data of a snapshot are cut where they need not be',
    extraData,
    'snapshots/snapshot-table.js',
    'size <= maxSnapshotExtra',
    'size < maxSnapshotExtra'
  ),
  fault(
    'a leak is raised instead of lowered',
    'a repair of leaks leaves no leak',
    'repair/repair.js',
    'addToCounts(w, cluster, n, by, ',
    'addToCounts(w, cluster, n, -by, '
  ),
  fault(
    'the dirty bit stays',
    'clusters that a dirty image names past its end are counted, and read as zeros',
    'repair/repair.js',
    'dirty: false, corrupt: false',
    'corrupt: false'
  ),
  fault(
    'a copied flag is left where two trees share',
    'a copied flag beside a count of two is cleared',
    'repair/repair.js',
    'word & ~copied',
    'word'
  ),
  fault(
    'new counts leave out the new blocks',
    'clusters that a dirty image names past its end are counted, and read as zeros',
    'repair/rebuild.js',
    'cluster >= start && cluster < end ? 1',
    'false ? 1'
  )
]
