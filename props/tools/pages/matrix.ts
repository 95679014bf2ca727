/** The matrix of readers and the violations that vectors show, as Markdown. */
import { clauses as catalogue } from '../../../spec/clauses/index.js'
import { losses } from '../../../spec/losses.js'
import { type Program, type Violation, violations } from '../../../spec/violations.js'
import { loadVectors } from '../../../src/node/conform/suite.js'
import type { Vector } from '../../../src/node/conform/vector.js'
import { right } from '../../image/world.js'
import { keptMatrix, type Outcome, outcomes, type Row } from '../../matrix/matrix.js'
import { table } from './markdown.js'
import { exactVersion, series, witnessLink } from './witnesses.js'

const columns: Readonly<Record<Outcome, string>> = {
  right: 'right',
  refused: 'refused',
  wrong: 'other bytes',
  accepted: 'accepted',
  broke: 'broke'
}

const readersTable = (rows: readonly Row[]): readonly string[] =>
  table(
    ['reader', 'version', 'from', 'run on', ...Object.values(columns)],
    rows.map(({ name, version, source, date, count }) => [
      name,
      version,
      source,
      date,
      String(count.right),
      String(count.refused),
      String(count.wrong),
      String(count.accepted),
      String(count.broke)
    ])
  )

/** What the versions of QEMU make of a vector. */
const qemuText = ({ qemu }: Vector): string =>
  qemu
    .map(({ versions, opens, disk }) =>
      [
        versions.join(', '),
        opens
          ? disk === undefined
            ? 'open it'
            : `read a disk of SHA-256 ${disk.slice(0, 16)}`
          : 'refuse it, or fail to read it'
      ].join(' ')
    )
    .join('; ')

/** What a reader did with the image of a violation. */
const shownIn = ({ name, version, shown }: Row, { vector }: Violation): string => {
  const { found = 'right', at, expected = '', bytes = '' } = shown[vector] ?? {}
  const text = `${name} ${version}: ${found}.`
  return at === undefined
    ? text
    : `${text} From byte ${at} of the disk on it has \`${bytes}\`, and must have \`${expected}\`.`
}

const section = (rows: readonly Row[], vectors: readonly Vector[], violation: Violation): readonly string[] => {
  const { clause, title, bytes, program, command, vector: id } = violation
  const vector = vectors.find((one) => one.id === id)
  if (vector === undefined) return []
  const line = command?.replace('{image}', 'img.qcow2').replace('{out}', 'out.raw')
  return [
    `### ${title}`,
    '',
    `- Clause ${witnessLink(clause)}: ${catalogue[clause].says}`,
    `- Image: ${vector.title}`,
    ...bytes.map(([at, hex, says]) => `  - Byte ${at}: \`${hex}\`, ${says}`),
    `- QEMU: ${qemuText(vector)}.`,
    ...rows.filter(({ preset }) => preset === program).map((row) => `- ${shownIn(row, violation)}`),
    line === undefined
      ? `- Again: \`qcow2 conform --reader ${program} --only ${id}\``
      : `- Again: \`qcow2 conform --extract . --only ${id} && cd ${id} && ${line}\``,
    ''
  ]
}

/** The page of the matrix. */
export const matrixDocument = (): string => {
  const { readers, vectors: count } = right(keptMatrix())
  const { vectors } = right(loadVectors())
  const programs = [...new Set(violations.map(({ program }) => program))]
  return [
    '# What readers make of the vectors',
    '',
    'Generated from [matrix.json](../corpus/matrix.json), which `npm run matrix` writes, and from [violations.ts](violations.ts), by `npm run pages`.',
    '',
    `Each of the ${readers.length} readers was run over those of the ${count} conformance vectors that a reader can be asked about. The reference judges no headers, and is asked about images that must be read. This package never guesses the format of a backing file ([BACK-05](clauses/backing.md#back-05)), and refuses where it is not named.`,
    '',
    ...readersTable(readers),
    ...Object.entries(outcomes)
      .filter(([outcome]) => outcome !== 'right')
      .map(([outcome, says]) => `- *${columns[outcome as Outcome]}*: ${says}.`),
    '',
    'A run was ended after 20 seconds, on a machine with other work. A refusal is no violation by itself: a reader may support less than all of qcow2, and the vectors ask for all of it. What follows is what a user cannot see: an image that is read as something else than it is, or a sound one that ends the program.',
    '',
    '## QEMU',
    '',
    `QEMU ${series.map(exactVersion).join(', ')} read every vector as the format says. Data is lost in what they write; [qemu.md](qemu.md) has the scripts, the places in the sources, and what would fix each:`,
    '',
    ...losses.map(({ title, clause }) => `- ${title} (${witnessLink(clause)})`),
    '',
    ...programs.flatMap((program) => [
      `## ${programNames[program]}`,
      '',
      ...violations.filter((each) => each.program === program).flatMap((each) => section(readers, vectors, each))
    ])
  ].join('\n')
}

const programNames: Readonly<Record<Program, string>> = {
  '7z': '7-Zip',
  libqcow: 'libqcow',
  nbdkit: "nbdkit's filter qcow2dec",
  'xen-orchestra': '@xen-orchestra/qcow2'
}
