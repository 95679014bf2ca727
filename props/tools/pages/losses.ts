/** The losses in QEMU that witnesses show, as Markdown. */
import { type Loss, losses, type LossKind } from '../../../spec/losses.js'
import type { Placed } from '../../witness/documents.js'
import { exactVersion, heldFor, scripts, series, witnessLink } from './witnesses.js'

const headings: Readonly<Record<LossKind, string>> = {
  lost: 'Data is lost',
  exposed: 'Other bytes become guest data',
  aborted: 'QEMU aborts',
  changed: 'Metadata is changed'
}

const withoutParties = (text: string): string => text.replace(/^\{[a-z0-9., ]*\} /, '')

/** The scripts of a clause with a command. */
export const scriptsWith = ({ clause, command }: Loss): readonly Placed[] =>
  scripts.filter((one) => one.clause === clause && one.source.some((line) => withoutParties(line) === `$ ${command}`))

const section = (loss: Loss): readonly string[] => {
  const [script] = scriptsWith(loss)
  const versions = script === undefined ? [] : series.flatMap((name) => heldFor(script, name) ?? [])
  return [
    `### ${loss.title}`,
    '',
    `QEMU ${versions.join(', ')}. Clause and witness: ${witnessLink(loss.clause)}.`,
    '',
    '```console',
    ...(script?.source ?? []),
    '```',
    '',
    `- When: ${loss.when}`,
    `- What is lost: ${loss.lost}`,
    `- Where: ${loss.source}`,
    `- What would fix it: ${loss.fix}`,
    `- This package: ${loss.ours}`,
    ''
  ]
}

/** The page of all losses. */
export const lossesDocument = (): string =>
  [
    '# Losses in QEMU',
    '',
    'Generated from [losses.ts](losses.ts) and the witnesses of the [clauses](clauses) by `npm run pages`.',
    '',
    `Each case names the versions of QEMU, of ${series.map(exactVersion).join(', ')}, in which its script shows it. Below a command is what it prints, \`...\` being any text, and its exit code if that is not 0. A line after \`{qemu}\` is for QEMU, one after \`{ours}\` for this package, and every other one for both. \`peek\`, \`poke\`, \`value\`, \`fill\`, \`size\`, \`raw\` and \`truncate\` read and change bytes of a file; \`[N]\` is the offset that the image has at byte N. The places were read in the sources of 7.2 and 10.0.13.`,
    '',
    ...Object.entries(headings).flatMap(([kind, heading]) => [
      `## ${heading}`,
      '',
      ...losses.filter((loss) => loss.kind === kind).flatMap(section)
    ])
  ].join('\n')
