/** Every recipe of the corpus. */

import type { Recipe } from '../recipe.js'
import { brokenClusters } from './broken/clusters.js'
import { brokenHeader } from './broken/header.js'
import { brokenTables } from './broken/tables.js'
import { basic } from './cases/basic.js'
import { changes } from './cases/changes.js'
import { clusters } from './cases/clusters.js'
import { matrix } from './matrix.js'
import { odd } from './odd.js'

export const recipes: readonly Recipe[] = [
  ...basic,
  ...clusters,
  ...changes,
  ...matrix,
  ...odd,
  ...brokenHeader,
  ...brokenClusters,
  ...brokenTables
]
