/** The report on an image as text: qemu-img's lines, then features, extensions, findings and the verdict. */
import type { Issue } from '../../bytes/issue.js'
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../bytes/json.js'
import { fromText, textOfLines } from '../../bytes/octets.js'
import type { BackingInfo, InfoReport, LeftOut, SnapshotInfo } from '../../image/info.js'
import { specificJson } from '../../image/info-json.js'
import { type Dependency, unknownExtensionNames, unknownFeatureNames, type Verdict } from '../../image/verdict.js'
import { childLines, type ChildNode } from './child-node.js'
import { humanSize, twoDigits } from './numbers.js'

/** A value and what lies in it, indented. */
const nested = (key: string, value: Json, depth: number): readonly string[] => {
  const label = `${'    '.repeat(depth)}${key.replaceAll('-', ' ')}:`
  if (isJsonList(value)) return [label, ...value.flatMap((v, i) => nested(`[${i}]`, v, depth + 1))]
  if (isJsonObject(value)) return [label, ...Object.entries(value).flatMap(([k, v]) => nested(k, v, depth + 1))]
  return [`${label} ${typeof value === 'string' ? value : JSON.stringify(value)}`]
}

/** A title, and the lines on what lies below it. */
const section = (title: string, values: JsonObject): readonly string[] => [
  `${title}:`,
  ...Object.entries(values).flatMap(([k, v]) => nested(k, v, 1))
]

/** The lines on what is qcow2's own. */
export const specificLines = (specific: JsonObject): readonly string[] =>
  section('Format specific information', specific)

const limitLines = (limits: JsonObject): readonly string[] => section('Block limits', limits)

/** What is printed beside the report itself. */
export interface Shown {
  /** The limits of requests. */
  readonly limits?: JsonObject
  /** The node below, which makes the text that of QEMU 10 and 11. */
  readonly child?: ChildNode
}

const shownLimits = ({ limits }: Shown): readonly string[] => (limits === undefined ? [] : limitLines(limits))

const shownChild = ({ child }: Shown): readonly string[] => (child === undefined ? [] : childLines(child, limitLines))

const findingLine = (f: Issue): string =>
  `    [${f.clause}] byte ${f.at}: ${f.structure}${f.field === '' ? '' : ` ${f.field}`}: found ${f.found}, expected ${f.expected}`

/** The backing file by the image's name for it, and by its name from here where that is another one, and its format. */
const backingLines = ({ name, fullName, format }: BackingInfo): readonly string[] => [
  `backing file: ${name === fullName ? name : `${name} (actual path: ${fullName})`}`,
  ...(format === undefined ? [] : [`backing file format: ${format}`])
]

const joined = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '))

const dependency = (label: string, { kind }: Dependency): string => `${label} by ${kind === 'empty' ? 'no' : kind} name`

/** The summary of a verdict, in one line. */
const verdictLine = (v: Verdict): string =>
  [
    ...(v.refused === undefined ? [] : [`refused [${v.refused}]`]),
    ...(v.selfContained ? ['self-contained'] : []),
    ...(v.backing === undefined ? [] : [dependency('backing file', v.backing)]),
    ...(v.backing === undefined || v.backing.format !== undefined ? [] : ['format not named']),
    ...(v.dataFile === undefined ? [] : [dependency('data file', v.dataFile)]),
    ...unknownFeatureNames(v).map((name) => `unknown feature ${name}`),
    ...unknownExtensionNames(v).map((name) => `unknown extension ${name}`),
    ...(v.encryption === 'none' ? [] : [`encryption ${v.encryption}`]),
    ...(v.dirty ? ['dirty'] : []),
    ...(v.corrupt ? ['corrupt'] : []),
    `${humanSize(Number(v.virtualSize))} of disk in ${humanSize(v.fileLength)} of file`
  ].join(', ')

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - fromText(text).length))

/** A moment in local time. */
const date = (seconds: number): string => {
  const d = new Date(seconds * 1000)
  const day = [d.getFullYear(), twoDigits(d.getMonth() + 1), twoDigits(d.getDate())].join('-')
  return `${day} ${[d.getHours(), d.getMinutes(), d.getSeconds()].map(twoDigits).join(':')}`
}

/** Nanoseconds as hours of so many digits, minutes, seconds and thousandths. */
const clock = (nanoseconds: bigint, digits: number): string => {
  const seconds = Number(nanoseconds / 1_000_000_000n)
  const hours = `${Math.floor(seconds / 3600)}`.padStart(digits, '0')
  return `${[hours, twoDigits((seconds / 60) % 60), twoDigits(seconds % 60)].join(':')}.${String((nanoseconds % 1_000_000_000n) / 1_000_000n).padStart(3, '0')}`
}

/** How a list of snapshots is printed. */
interface SnapshotLayout {
  readonly heading: readonly string[]
  /** Digits of the hours of a clock. */
  readonly hours: number
  /** What is printed where no instructions were counted. */
  readonly noCount: string
  /** Characters of the id, the clock and the count. */
  readonly widths: readonly [id: number, clock: number, count: number]
}

const layout: SnapshotLayout = {
  heading: ['ID', 'TAG', 'VM SIZE', 'DATE', 'VM CLOCK', 'ICOUNT'],
  hours: 2,
  noCount: '',
  widths: [9, 13, 11]
}

/** That of QEMU 10 and 11. */
const newerLayout: SnapshotLayout = {
  heading: ['ID', 'TAG', 'VM_SIZE', 'DATE', 'VM_CLOCK', 'ICOUNT'],
  hours: 4,
  noCount: '--',
  widths: [7, 16, 11]
}

const snapshotRow = (
  [id = '', name = '', size = '', day = '', clock = '', count = '']: readonly string[],
  { widths: [ofId, ofClock, ofCount] }: SnapshotLayout
): string =>
  `${padded(id, ofId)} ${padded(name, 16)} ${size.padStart(8)}${day.padStart(20)}${clock.padStart(ofClock)}${count.padStart(ofCount)}`

const snapshotCells = (s: SnapshotInfo, { hours, noCount }: SnapshotLayout): readonly string[] => [
  s.id,
  s.name,
  humanSize(Number(s.vmStateSize)),
  date(s.seconds),
  clock(s.vmClock, hours),
  s.icount === undefined ? noCount : `${s.icount}`
]

/** The lines of a list of snapshots, as qemu-img prints it; none without snapshots. */
export const snapshotLines = (snapshots: readonly SnapshotInfo[], isNewer = false): readonly string[] => {
  const form = isNewer ? newerLayout : layout
  const rows = [form.heading, ...snapshots.map((s) => snapshotCells(s, form))]
  return snapshots.length === 0 ? [] : ['Snapshot list:', ...rows.map((cells) => snapshotRow(cells, form))]
}

/** What a report on any file begins with. */
export interface Heading {
  readonly filename: string
  /** Bytes of the disk. */
  readonly virtualSize: bigint
  /** Bytes the file takes on its disk, where that is known. */
  readonly actualSize?: number
}

const heading = ({ filename, virtualSize, actualSize }: Heading, format: string): readonly string[] => [
  `image: ${filename}`,
  `file format: ${format}`,
  `virtual size: ${humanSize(Number(virtualSize))} (${virtualSize} bytes)`,
  ...(actualSize === undefined ? [] : [`disk size: ${humanSize(actualSize)}`])
]

/** The report on a raw file as text. */
export const humanRaw = (file: Heading, shown: Shown): string =>
  textOfLines([...heading(file, 'raw'), ...shownLimits(shown), ...shownChild(shown)])

const leftOutLine = ({ snapshots, bitmaps, findings }: LeftOut): string =>
  `left out: ${snapshots} snapshots, ${bitmaps} bitmaps, ${findings} findings`

/** The report on an image as text. */
export const humanInfo = (r: InfoReport, shown: Shown): string => {
  const { header } = r.metadata
  const lines = [
    ...heading(r, 'qcow2'),
    ...(header.cryptMethod === 0 ? [] : ['encrypted: yes']),
    `cluster_size: ${r.clusterSize ?? 'null'}`,
    ...(header.incompatibleFeatures.dirty ? ['cleanly shut down: no'] : []),
    ...(r.backing === undefined ? [] : backingLines(r.backing)),
    ...shownLimits(shown),
    ...snapshotLines(r.snapshots, shown.child !== undefined),
    ...specificLines(specificJson(r, shown.child !== undefined)),
    ...shownChild(shown),
    `features: ${joined(r.features)}`,
    `extensions: ${joined(r.extensions)}`,
    r.findings.length === 0 ? 'findings: none' : 'findings:',
    ...r.findings.map(findingLine),
    ...(r.notes.length === 0 ? [] : ['notes:', ...r.notes.map(findingLine)]),
    ...(r.leftOut === undefined ? [] : [leftOutLine(r.leftOut)]),
    `verdict: ${verdictLine(r.verdict)}`
  ]
  return textOfLines(lines)
}
