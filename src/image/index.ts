/**
 * Images, without effects: plans that read them, and what runs plans on bytes in memory, on a Blob, or on anything else that
 * answers with bytes. It runs in browsers as in Node, and opens nothing: a name inside an image is data.
 *
 * A plan asks for bytes and ends in a value or in issues, each with its clause. `runSync(plan, world)` runs one at once,
 * `runAsync(planning, world)()` in a world that answers in its own time.
 */
export { type Complaint, isIssue, type Issue, issueJson, type Phase, refusalOf, show, under } from '../bytes/issue.js'
export type { Json, JsonObject, JsonType } from '../bytes/json.js'
/** Plans, and running them at once. */
export {
  type Answer,
  failWith,
  type FileRef,
  fromMemory,
  orFail,
  type Plan,
  type FileRange,
  type Read,
  readAt,
  type Request,
  runSync,
  type SeekData,
  type StoredRange,
  type SyncWorld,
  emit,
  onEmit
} from '../bytes/plan.js'
/** Running plans in worlds that answer in their own time. */
export { type AsyncWorld, type Failure, runAsync, showFailure, type Unanswered } from '../bytes/run-async.js'
export { type BlobLike, fromBlob } from '../bytes/blob.js'
export type { WindowSize } from '../bytes/window.js'
/** What an image is, whether to take it in, and what is wrong with it. */
export { lastExtension } from '../format/extension-area.js'
export { type Metadata, readMetadata, refusal } from './metadata.js'
export {
  type BackingInfo,
  type ImageInfo,
  type FileInfo,
  infoReport,
  type InfoReport,
  readInfo,
  type SnapshotInfo
} from './info.js'
export { infoJson } from './info-json.js'
export type { LuksPartition } from './luks-area.js'
export type { LuksInfo, LuksSlotInfo } from './luks-info.js'
export { type Dependency, type Encryption, type Verdict, verdict, verdictJson } from './verdict.js'
export { type NameKind, nameKind, pathKind } from './name-kind.js'
export { type FileKind, readFileKind } from './file-kind.js'
export { check, type CheckOptions } from './check/check.js'
export { checkJson, type CheckReport, exitCode } from './check/report.js'
export type { Finding, Owner, Severity } from './check/findings.js'
/** The guest disk: a chain of layers, where its bytes are, and the bytes. */
export { activeDisk, type Decryption, type GuestDisk, type Extent, extents, snapshotDisk } from './guest/extents.js'
export { type Chain, chainSize, type Layer, type LocatedExtent, locations } from './guest/chain.js'
export { map, type MapEntry, mapEntryJson } from './guest/map.js'
export { readGuest } from './guest/read.js'
export { type CacheSizes, openDisk, type OpenDisk } from './guest/open-disk.js'
export { unlock } from './guest/unlock.js'
export { type Decompressor, portable } from '../compression/decompress.js'
/** Beside the guest disk: VM state and dirty bitmaps. */
export { vmStateDisk, vmStateOffset } from './guest/vm-state.js'
export { type DirtyRange, dirtyRanges } from './guest/bitmap-ranges.js'
/** Every structure of an image, as JSON and byte by byte. */
export { dump, type DumpData, dumpFrame, dumpRegions, type Patch, patchOf } from './dump/dump.js'
export { type ExplainReport, explainJson, explain, type Explanation } from './dump/explain.js'
export { metadump, type MetadumpOptions, type MetadumpPiece, type MetadumpReport } from './metadump.js'
export { type RegionItem, type Region, regions, type Structure, structures } from './dump/regions.js'
