/** The errata of the document of the format, and the departures of QEMU from it, as Markdown. */
import { chapters, type Clause, type Divergence, type Erratum } from '../../../spec/index.js'
import { table, upper } from './markdown.js'
import { exactVersion, series, witnessLink } from './witnesses.js'

/** A divergence, and the clause that has it. */
export interface Case extends Divergence {
  readonly clause: string
}

/** The divergences of all clauses, in the order of the chapters. */
export const cases: readonly Case[] = chapters.flatMap(({ clauses }) =>
  Object.entries<Clause>(clauses).flatMap(([clause, { divergences = [] }]) =>
    divergences.map((divergence) => ({ clause, ...divergence }))
  )
)

/** What each version of QEMU does in a case. */
const verdicts = ({ format, qemu, versions = series }: Case): readonly string[] =>
  series.map((name) => (versions.includes(name) ? qemu : format))

const parties = ['The text', ...series.map((name) => `QEMU ${exactVersion(name)}`)]

const quoted = (words: string): readonly string[] => [`> ${words}`, '']

const section = (one: Case, { section: place, fault, replaces, proposal }: Erratum): readonly string[] => [
  `### ${upper(one.on)}`,
  '',
  `Section: ${place}. Clause and witness: ${witnessLink(one.clause)}.`,
  '',
  ...table(parties, [[one.format, ...verdicts(one)]]),
  fault,
  '',
  ...(replaces === undefined ? ['To add:', ''] : ['To replace:', '', ...quoted(replaces), 'by', '']),
  ...quoted(proposal)
]

/** The page of all divergences. */
export const errataDocument = (): string => {
  const errata = cases.flatMap((one) => (one.erratum === undefined ? [] : [section(one, one.erratum)]))
  const departures = cases.filter(({ erratum }) => erratum === undefined)
  return [
    '# Errata of the qcow2 document',
    '',
    'Generated from the divergences of the [clauses](clauses) by `npm run pages`.',
    '',
    `The document is docs/interop/qcow2.rst in the sources of QEMU, in 7.2 and 10.0 qcow2.txt. In ${cases.length} cases QEMU does something else than the document says or than it leaves open. In ${errata.length} of them the document should change: each has a wording that can be merged as it is. In the other ${departures.length} the document is clear, and QEMU departs from it.`,
    '',
    'A party *accepts* what it lets pass silently, *reports* what it opens and complains about, and *refuses* the rest. The text *reports* what it forbids or advises against where the rest of the image keeps its meaning, and *refuses* what it calls an error or leaves without a meaning. The link of a clause leads to scripts that show what each version does.',
    '',
    '## Errata of the document',
    '',
    ...errata.flat(),
    '## Departures of QEMU',
    '',
    ...table(
      ['Clause', 'Case', ...parties],
      departures.map((one) => [witnessLink(one.clause), one.on, one.format, ...verdicts(one)])
    )
  ].join('\n')
}
