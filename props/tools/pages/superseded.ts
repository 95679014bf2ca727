/** The statements of older texts that no longer hold, and one L2 entry read by three of them, as Markdown. */
import { askedEntry, olderTexts } from '../../../spec/superseded.js'
import { hex } from '../../../src/bytes/octets.js'
import { availableBytes, compressedBits } from '../../../src/format/compressed.js'
import { offsetBits } from '../../../src/format/geometry.js'
import { table } from './markdown.js'
import { witnessLink } from './witnesses.js'

/** How a text reads a compressed L2 entry: where the payload starts, and how many bytes it may have. */
export interface Reading {
  readonly by: string
  readonly offset: bigint
  readonly sectors: number
  readonly bytes: number
}

const { word, clusterBits, lastByte, fileEnd } = askedEntry
const x = offsetBits(clusterBits)
const now = compressedBits(clusterBits).ofWord(word)

/** The sectors of a descriptor whose offset ends before bit `from`. */
const sectorsFrom = (from: number): number => Number(BigInt.asUintN(62, word) >> BigInt(from))

/** The readings of the entry: of the question, of the text before it was corrected, and of this package. */
export const readings: readonly Reading[] = [
  {
    by: 'the question of 2016: sectors from the offset on',
    offset: BigInt.asUintN(x, word),
    sectors: sectorsFrom(x),
    bytes: sectorsFrom(x) * 512
  },
  {
    by: `the text at commit 003f8dbc08, to the letter: the offset has bits 0 to ${x}`,
    offset: BigInt.asUintN(x + 1, word),
    sectors: sectorsFrom(x + 1),
    bytes: sectorsFrom(x + 1) * 512
  },
  {
    by: `${witnessLink('CMP-02')}: sectors after the first one`,
    offset: now.hostOffset,
    sectors: now.additionalSectors,
    bytes: availableBytes(now)
  }
]

/** The page of superseded statements. */
export const supersededDocument = (): string =>
  [
    '# Superseded statements about qcow2',
    '',
    'Generated from [superseded.ts](superseded.ts) by `npm run pages`.',
    '',
    'Older texts about qcow2 are still found and still cited. This page lists their statements that no longer hold, or never held, with what holds now; the link of a clause leads to its witness. A text is listed for what was read of it where the link leads.',
    '',
    '## The texts',
    '',
    ...olderTexts.map(({ title, by, date, at }, i) => `${i + 1}. [${title}](${at}): ${by}, ${date}.`),
    '',
    '## The statements',
    '',
    ...table(
      ['Text', 'It says', 'What holds', 'Clause'],
      olderTexts.flatMap(({ statements }, i) =>
        statements.map(({ said, now: holds, clause }) => [String(i + 1), said, holds, witnessLink(clause)])
      )
    ),
    '## One L2 entry, read three times',
    '',
    `Text ${olderTexts.findIndex(({ title }) => title.includes('QCow2 compression')) + 1} asks about the entry ${hex(word)} in an image with clusters of ${2 ** (clusterBits - 10)} KiB. The data ended at ${hex(lastByte)}, and the file at ${hex(fileEnd)}. Read as sectors from the offset on, the payload ends too early; to the letter of the old text it is beyond any file. The last row is computed by the codec of this package; the file ends inside the final sector, as ${witnessLink('CMP-05')} allows.`,
    '',
    ...table(
      ['Reading', 'Offset', 'Sectors', 'Bytes at most', 'End'],
      readings.map(({ by, offset, sectors, bytes }) => [
        by,
        hex(offset),
        String(sectors),
        String(bytes),
        hex(offset + BigInt(bytes))
      ])
    )
  ].join('\n')
