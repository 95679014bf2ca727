/** The mutants that were chosen by hand, by room of src. */
import type { Mutant } from '../mutant.js'
import { boundaryMutants } from './boundaries.js'
import { bytesMutants } from './bytes.js'
import { compressionMutants } from './compression.js'
import { crashMutants } from './crash.js'
import { encryptionMutants } from './encryption.js'
import { explorerMutants } from './explorer.js'
import { fileMutants } from './files.js'
import { entryMutants } from './format-entries.js'
import { structureMutants } from './format-structures.js'
import { fuzzMutants } from './fuzz.js'
import { holeMutants } from './holes.js'
import { imageMutants } from './image.js'
import { nodeMutants } from './node.js'
import { openDiskMutants } from './open-disk.js'
import { storeMutants } from './store.js'
import { amendMutants } from './transition/amend.js'
import { bitmapMutants } from './transition/bitmaps.js'
import { engineMutants } from './transition/engine.js'
import { guestMutants } from './transition/guest.js'
import { snapshotMutants } from './transition/snapshots.js'

export const curated: readonly Mutant[] = [
  ...bytesMutants,
  ...entryMutants,
  ...structureMutants,
  ...compressionMutants,
  ...crashMutants,
  ...encryptionMutants,
  ...fuzzMutants,
  ...holeMutants,
  ...imageMutants,
  ...openDiskMutants,
  ...boundaryMutants,
  ...storeMutants,
  ...engineMutants,
  ...guestMutants,
  ...snapshotMutants,
  ...bitmapMutants,
  ...amendMutants,
  ...fileMutants,
  ...nodeMutants,
  ...explorerMutants
]
