/** qcow2-spec: codecs for every structure, plans that read images, reports and dumps. Pure: nothing here opens a file. */
export { type Clause, type ClauseId } from '../spec/clauses/index.js'
export { ByteType } from './bytes/byte-type.js'
export {
  type Complaint,
  isIssue,
  type Issue,
  issueJson,
  type Phase,
  refusalOf,
  shift,
  show,
  under
} from './bytes/issue.js'
export type { Json, JsonObject, JsonType } from './bytes/json.js'
export { fromMemory, type Plan, type Read, type Request, runSync, type SyncWorld, telling } from './bytes/plan.js'
export * from './format/index.js'
export { type Decompressor, portable } from './compression/decompress.js'
export { check, checkMetadata, type CheckOptions } from './image/check.js'
export { checkJson, type CheckReport, exitCode } from './image/check-report.js'
export type { Finding, Owner, Severity } from './image/check-state.js'
export { dump, type DumpData, dumpFrame, dumpRegions, type Patch, patchOf } from './image/dump.js'
export { type Answer, answerJson, explain, type Explanation } from './image/explain.js'
export { type Facts, type FileFacts, infoJson, readFacts } from './image/info.js'
export { type Metadata, readMetadata, refusal } from './image/metadata.js'
export { type Found, type Region, regions, type Structure, structures } from './image/regions.js'
