/** What the header, the snapshot table and bitmaps break that QEMU ignores when it opens an image. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import { type Complaint, further, type Issue, refusalOf } from '../../bytes/issue.js'
import { repeats } from '../../bytes/list.js'
import { hex, label, toHex } from '../../bytes/octets.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { backingNamePlace } from '../../format/backing.js'
import { type BitmapEntry, bitmapSavedRules, bitmapStarts } from '../../format/bitmap-directory.js'
import { bitmapBits, bitmapTableEntries, lastBitsRules } from '../../format/bitmap.js'
import { headerFields } from '../../format/header.js'
import { presentedSize, writableRules } from '../../format/header-rules.js'
import { maxGranularityBits } from '../../format/limits.js'
import { snapshotEntry, snapshotRules, snapshotSizeRules, snapshotStarts } from '../../format/snapshot.js'
import { BitmapTableView } from '../../format/views.js'
import { tableIsSane } from '../bitmap-tables.js'
import { type Metadata, snapshotTablePlace, trustedBitmaps } from '../metadata.js'
import { inconsistent, severityOf } from './findings.js'
import { qemuLosses } from './qemu-losses.js'
import type { CheckState } from './state.js'

/** The issues of the metadata that are no refusal, but for those of snapshot table entries. */
const metadataIssues = (state: CheckState, m: Metadata): void => {
  for (const i of m.issues)
    if (refusalOf(i) === undefined && i.structure !== 'snapshot table entry') state.findings.add(severityOf(i), i)
}

/** The raw disk that the data file is has the size of the guest disk. @see DATA-07 */
const rawDataFile = (state: CheckState, m: Metadata): void => {
  const [length, size] = [state.dataFileLength, Number(presentedSize(m.header))]
  if (!m.header.autoclearFeatures.rawExternalData || length === undefined || length >= size) return
  const where = { structure: 'external data file', at: length, size: size - length }
  state.findings.add(
    'flaw',
    inconsistent('DATA-07', where, `${length} bytes`, `the ${size} bytes of the guest disk`),
    1,
    {
      at: length,
      size: size - length
    }
  )
}

/** Everything about header, extensions and data file as a whole. */
const headerFindings = (state: CheckState, m: Metadata): void => {
  const h = m.header
  const note = (
    when: boolean,
    clause: ClauseId,
    key: keyof typeof headerFields.fields,
    found: string,
    expected: string
  ): void => {
    if (when) state.findings.add('note', inconsistent(clause, headerFields.placeOf(key), found, expected))
  }
  metadataIssues(state, m)
  for (const issue of writableRules.judge(h, undefined)) state.findings.add('note', issue)
  const [compatible, autoclear] = [h.compatibleFeatures.reserved, h.autoclearFeatures.reserved]
  note(compatible !== 0n, 'FEAT-02', 'compatibleFeatures', `unknown bits ${hex(compatible)}`, 'known bits')
  note(autoclear !== 0n, 'FEAT-03', 'autoclearFeatures', `unknown bits ${hex(autoclear)}`, 'known bits')
  const name = backingNamePlace(h)
  const inHeader = name !== undefined && name.at < BigInt(h.headerLength)
  note(inHeader, 'BACK-01', 'backingFileOffset', `${name?.at ?? 0}, in the header`, 'past the extension area')
  rawDataFile(state, m)
  for (const loss of qemuLosses(m, state)) state.findings.add('note', loss)
}

const quoted = (bytes: Uint8Array): string => `'${label(bytes.subarray(0, 64))}'`

/** Whether the bytes are digits, one at least. */
const isDecimal = (bytes: Uint8Array): boolean =>
  bytes.length > 0 && bytes.every((byte) => byte >= 0x30 && byte <= 0x39)

const isOfL1 = ({ field }: Issue): boolean => field === 'l1_table_offset' || field === 'l1_size'

/** Issues of a snapshot table entry; of those about its L1 table the first alone. */
const firstOfL1 = (issues: readonly Issue[]): readonly Issue[] => {
  const first = issues.find(isOfL1)
  return issues.filter((issue) => issue === first || !isOfL1(issue))
}

/** Everything about the entries of the snapshot table by themselves and among each other. */
const snapshotFindings = (state: CheckState, m: Metadata): void => {
  const starts = snapshotStarts(m.snapshots)
  const table = snapshotTablePlace(m).at
  const sameId = new Set(repeats(m.snapshots.map((s) => toHex(s.id))))
  const sameName = new Set(repeats(m.snapshots.map((s) => toHex(s.name))))
  for (const [i, s] of m.snapshots.entries()) {
    const start = table + (starts[i] ?? 0)
    const find = (severity: 'flaw' | 'note', clause: ClauseId, key: 'id' | 'name', more: string, expected: string) => {
      const render = (): Complaint => {
        const place = further(snapshotEntry.placeOf(key, s), start)
        return inconsistent(clause, place, `${quoted(s[key])}${more}`, expected, 'format')
      }
      state.findings.add(severity, { clause, render })
    }
    if (sameId.has(i)) find('flaw', 'SNAP-01', 'id', ' once more', 'unique ids')
    if (!isDecimal(s.id)) find('note', 'SNAP-06', 'id', '', 'a decimal number')
    if (sameName.has(i) && s.name.length > 0) find('note', 'SNAP-06', 'name', ' once more', 'a name of its own')
    const alone = snapshotRules.judge(s, state.g, start)
    const sizes = snapshotSizeRules.judge(s, { ...state.g, disk: m.header.size }, start)
    for (const issue of [...firstOfL1(alone), ...firstOfL1(sizes)]) state.findings.add(severityOf(issue), issue)
  }
}

/** Bits past the last one of a bitmap, in its last cluster. `read` holds the clusters that were read. @see BMP-08 */
function* tailBits(state: CheckState, m: Metadata, b: BitmapEntry, read: Set<number>): Plan<void> {
  if (b.flags.inUse || b.granularityBits > maxGranularityBits || !tableIsSane(b, state.g)) return
  const needed = bitmapTableEntries(presentedSize(m.header), b.granularityBits, state.g.clusterBits)
  if (BigInt(b.bitmapTableSize) !== needed) return
  const last = b.bitmapTableSize - 1
  const at = new BitmapTableView(yield* readAt(Number(b.bitmapTableOffset) + 8 * last, 8)).clusterOffset(0)
  if (at === 0 || at % state.size !== 0 || at >= state.fileLength || read.has(at)) return
  read.add(at)
  const used = Number(bitmapBits(m.header.size, b.granularityBits)) - last * 8 * state.size
  const bytes = yield* readAt(at, state.size)
  for (const i of lastBitsRules.judge({ bytes, used }, undefined, at)) state.findings.add('flaw', i)
}

/** Everything about bitmaps that QEMU loads. */
function* bitmapFindings(state: CheckState, m: Metadata): Plan<void> {
  const extension = trustedBitmaps(m)
  if (extension === undefined) return
  const starts = bitmapStarts(m.bitmaps)
  const read = new Set<number>()
  for (const [i, b] of m.bitmaps.entries()) {
    const at = Number(extension.bitmapDirectoryOffset) + (starts[i] ?? 0)
    for (const issue of bitmapSavedRules.judge(b, undefined, at)) state.findings.add('note', issue)
    yield* tailBits(state, m, b, read)
  }
}

/** Everything about header, extensions, data file, snapshot table and bitmaps that no count shows. */
export function* metadataFindings(state: CheckState, m: Metadata): Plan<void> {
  headerFindings(state, m)
  snapshotFindings(state, m)
  yield* bitmapFindings(state, m)
}
