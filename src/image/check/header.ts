/** The header: what it and its extensions break that QEMU ignores when it opens an image. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import { refusalOf } from '../../bytes/issue.js'
import { hex } from '../../bytes/octets.js'
import { backingNamePlace } from '../../format/backing.js'
import { headerFields } from '../../format/header.js'
import { presentedSize, writableRules } from '../../format/header-rules.js'
import type { Metadata } from '../metadata.js'
import { inconsistent, severityOf } from './findings.js'
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
export const headerFindings = (state: CheckState, m: Metadata): void => {
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
}
