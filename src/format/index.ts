/** Every on-disk structure of qcow2: codecs, rules, views and limits. The interfaces of their values are generated. */
export { type Complaint, isIssue, type Issue, show } from '../bytes/issue.js'
export type * from './header-values.js'
export type * from './table-values.js'
export {
  additionalFields,
  compressionType,
  type Header,
  header,
  headerFields,
  headerV2,
  magic,
  v2Defaults
} from './header.js'
export * from './header-rules.js'
export {
  autoclearFeatures,
  autocleared,
  compatibleFeatures,
  type Duty,
  type Feature,
  type FeatureLeaf,
  featureTitles,
  type FeatureWord,
  featureWords,
  incompatibleFeatures,
  unknownDuties
} from './feature.js'
export * from './geometry.js'
export * as limits from './limits.js'
/** Header extensions. */
export * from './extension.js'
export {
  areaRules,
  type ExtensionArea,
  extensionArea,
  extensionRange,
  extensionStarts,
  lastExtension,
  repeatRules
} from './extension-area.js'
export { type ExtensionKind, extensionKinds, extensionNames, extensionTypes, type Payloads } from './extension-kinds.js'
export * from './extension-payload.js'
export * from './extension-rules.js'
export {
  type LuksArea,
  luksHeader,
  type LuksHeader,
  luksHeaderRules,
  type LuksKeys,
  luksSlot,
  type LuksSlot,
  luksSlotRules
} from './luks.js'
/** L1 and L2 tables. */
export { l1Entry, l1Rules } from './l1.js'
export {
  type Cluster,
  type Compressed,
  descriptorBits,
  type L2Context,
  type L2Entry,
  type Normal,
  standardBits,
  subclusterBits,
  type Unallocated,
  type ZeroAllocated,
  type ZeroPlain
} from './l2.js'
export { l2Entry } from './l2-entry.js'
export { dataFileRules, l2Rules } from './l2-rules.js'
export * from './subcluster.js'
export { additionalSectors, availableBytes, clusterSpan, compressedBits, type CompressedRange } from './compressed.js'
/** Refcounts. */
export {
  maxRefcount,
  refcountAt,
  refcountBits,
  refcountBlock,
  refcountPlace,
  refcountTableEntry,
  refcountTableRules,
  setRefcount
} from './refcount.js'
/** Snapshots. */
export {
  icount,
  snapshotDiskSize,
  snapshotEntry,
  snapshotExtra,
  snapshotRules,
  snapshotSizeRules,
  snapshotStarts,
  snapshotTable,
  snapshotTableRules,
  vmStateSize
} from './snapshot.js'
/** Dirty bitmaps. */
export {
  bitmapBits,
  bitmapCluster,
  bitmapTableEntries,
  bitmapTableEntry,
  bitmapTableRules,
  lastBitsRules
} from './bitmap.js'
export {
  bitmapDirectory,
  bitmapEntry,
  bitmapFlags,
  bitmapLoadingRules,
  bitmapNameRules,
  bitmapRules,
  bitmapSavedRules,
  bitmapStarts,
  bitmapTotalRules,
  directoryRules
} from './bitmap-directory.js'
/** Tables of millions of entries. */
export * from './views.js'
