/** The text of a check: a line for each finding, then the totals. */
import { textOfLines } from '../../bytes/octets.js'
import type { CheckReport } from '../../image/check/report.js'
import type { Finding } from '../../image/check/findings.js'
import { decimals } from './numbers.js'

const percent = (part: number, whole: number): string => decimals((100 * part) / whole, 2)

const words = { corruption: 'ERROR', leak: 'Leaked', error: 'ERROR', flaw: 'FLAW', note: 'NOTE' } as const

/** The guest bytes of a finding, unless its owners name them. */
const guestBytes = ({ guest, owners }: Finding): string =>
  guest === undefined || owners !== undefined ? '' : `, guest bytes ${guest.at} to ${guest.at + guest.size - 1}`

const line = (f: Finding): string => `${words[f.severity]} ${f.message}${guestBytes(f)}`

const clusters = (r: CheckReport): string => {
  if (r.totalClusters === 0 || r.allocatedClusters === 0) return ''
  const share = percent(r.allocatedClusters, r.totalClusters)
  const fragmented = percent(r.fragmentedClusters, r.allocatedClusters)
  const compressed = percent(r.compressedClusters, r.allocatedClusters)
  return `${r.allocatedClusters}/${r.totalClusters} = ${share}% allocated, ${fragmented}% fragmented, ${compressed}% compressed clusters\n`
}

const unlessZero = (n: number, text: string): string => (n === 0 ? '' : `\n${n} ${text}\n`)

/** Findings by line, how many are left out, and the totals: qemu-img's, then those of what QEMU does not look at. */
export const checkText = (r: CheckReport): string =>
  [
    textOfLines(r.findings.map(line)),
    ...[...r.leftOut].map(([clause, n]) => `... and ${n} more of [${clause}]\n`),
    r.corruptions + r.leaks + r.checkErrors + r.flaws === 0 ? 'No errors were found on the image.\n' : '',
    unlessZero(
      r.corruptions,
      'errors were found on the image.\nData may be corrupted, or further writes to the image may corrupt it.'
    ),
    unlessZero(
      r.leaks,
      'leaked clusters were found on the image.\nThis means waste of disk space, but no harm to data.'
    ),
    unlessZero(r.checkErrors, 'internal errors have occurred during the check.'),
    r.flaws === 0 ? '' : `\nFlaws, which QEMU does not look at and --strict counts as errors: ${r.flaws}\n`,
    r.notes === 0 ? '' : `\nNotes, which break nothing: ${r.notes}\n`,
    clusters(r),
    `Image end offset: ${r.imageEndOffset}\n`
  ].join('')
