/** The JSON of reports: qemu-img's keys and values, then what there is beyond them. */
import { lastExtension } from '../format/extension-area.js'
import { issueJson } from '../bytes/issue.js'
import { integerToJson, type JsonObject } from '../bytes/json.js'
import type { BitmapEntry } from '../format/bitmap-directory.js'
import { compressionType } from '../format/header.js'
import { type BackingInfo, type ImageInfo, type InfoReport, printed, type SnapshotInfo } from './info.js'
import type { LuksInfo, LuksSlotInfo } from './luks-info.js'
import { verdictJson } from './verdict.js'

const slotJson = ({ active, keyOffset }: LuksSlotInfo): JsonObject => ({
  active: active !== undefined,
  ...(active === undefined ? {} : { iters: active.iterations }),
  'key-offset': keyOffset,
  ...(active === undefined ? {} : { stripes: active.stripes })
})

const luksJson = (l: LuksInfo, isNewer: boolean): JsonObject => ({
  'ivgen-alg': l.ivGenerator,
  ...(isNewer ? { 'detached-header': false } : {}),
  'hash-alg': l.hash,
  'cipher-alg': l.cipher,
  uuid: l.uuid,
  format: 'luks',
  'cipher-mode': l.cipherMode,
  slots: l.slots.map(slotJson),
  'payload-offset': l.payloadOffset,
  'master-key-iters': l.masterKeyIterations
})

const second = 1_000_000_000n

const snapshotJson = (s: SnapshotInfo): JsonObject => ({
  id: s.id,
  name: s.name,
  'vm-state-size': integerToJson(s.vmStateSize),
  'date-sec': s.seconds,
  'date-nsec': s.nanoseconds,
  'vm-clock-sec': integerToJson(s.vmClock / second),
  'vm-clock-nsec': integerToJson(s.vmClock % second),
  ...(s.icount === undefined ? {} : { icount: integerToJson(s.icount) })
})

const bitmapJson = (b: BitmapEntry): JsonObject => ({
  flags: [...(b.flags.inUse ? ['in-use'] : []), ...(b.flags.auto ? ['auto'] : [])],
  name: printed(b.name),
  granularity: integerToJson(1n << BigInt(b.granularityBits))
})

/** What is qcow2's own, under the keys of qemu-img 7.2, or of 10 and 11. */
export const specificJson = ({ metadata: m, luks }: ImageInfo, isNewer = false): JsonObject => {
  const h = m.header
  const dataFile = lastExtension(m.extensions, 'DataFile')
  return {
    compat: h.version === 2 ? '0.10' : '1.1',
    'compression-type': compressionType(h) === 1 ? 'zstd' : 'zlib',
    ...(h.version === 2 ? {} : { 'lazy-refcounts': h.compatibleFeatures.lazyRefcounts }),
    ...(m.bitmaps.length === 0 ? {} : { bitmaps: m.bitmaps.map(bitmapJson) }),
    'refcount-bits': 2 ** h.refcountOrder,
    ...(h.cryptMethod === 1 ? { encrypt: { format: 'aes' } } : {}),
    ...(luks === undefined ? {} : { encrypt: luksJson(luks, isNewer) }),
    ...(h.version === 2
      ? {}
      : {
          ...(dataFile === undefined ? {} : { 'data-file': printed(dataFile.data) }),
          ...(h.incompatibleFeatures.externalDataFile ? { 'data-file-raw': h.autoclearFeatures.rawExternalData } : {}),
          corrupt: h.incompatibleFeatures.corrupt,
          'extended-l2': h.incompatibleFeatures.extendedL2
        })
  }
}

const backingJson = (b: BackingInfo): JsonObject => ({
  'backing-filename': b.name,
  'full-backing-filename': b.fullName,
  ...(b.format === undefined ? {} : { 'backing-filename-format': b.format })
})

/**
 * The report as JSON: the keys of qemu-img 7.2, or of 10 and 11, first, then `features`, `extensions`, `findings`, `verdict`
 * and, where there are any, `notes` and `left-out`.
 *
 * @see BACK-04
 * @example
 * import { infoJson, infoReport, readInfo, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const info = runSync(readInfo(), worldOf(files, () => undefined))
 * const file = { filename: 'disk.qcow2', length: 196616, fullName: (name: string) => name }
 * assert.equal(info._tag === 'Right' && infoJson(infoReport(info.right, file))['virtual-size'], 1048576)
 */
export const infoJson = (r: InfoReport, isNewer = false): JsonObject => {
  const { header } = r.metadata
  return {
    'virtual-size': integerToJson(r.virtualSize),
    filename: r.filename,
    'cluster-size': r.clusterSize ?? null,
    format: 'qcow2',
    ...(r.actualSize === undefined ? {} : { 'actual-size': r.actualSize }),
    ...(header.cryptMethod === 0 ? {} : { encrypted: true }),
    ...(r.backing === undefined ? {} : backingJson(r.backing)),
    ...(r.snapshots.length === 0 ? {} : { snapshots: r.snapshots.map(snapshotJson) }),
    'format-specific': { type: 'qcow2', data: specificJson(r, isNewer) },
    'dirty-flag': header.incompatibleFeatures.dirty,
    features: r.features,
    extensions: r.extensions,
    findings: r.findings.map(issueJson),
    ...(r.notes.length === 0 ? {} : { notes: r.notes.map(issueJson) }),
    verdict: verdictJson(r.verdict),
    ...(r.leftOut === undefined ? {} : { 'left-out': { ...r.leftOut } })
  }
}
