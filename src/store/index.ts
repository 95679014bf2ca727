/** The simulated store: files of sectors that host writes change, and what a crash may leave of them. */
export type { FileRef } from '../bytes/plan.js'
export { crashStates, type Effort, explore, type Explored, type Model, usualEffort } from './crash.js'
export type { CrashState } from './disk.js'
export { type Epoch, epochsOf } from './epoch.js'
export { apply, type Files, sameFiles, type StoredFile, storeOf, worldOf } from './files.js'
export { flushesOf, swappedAcrossFlush, withoutFlush, withoutFlushes } from './reorder.js'
export { emptyStore, fromBytes, type Store, toBytes } from './store.js'
