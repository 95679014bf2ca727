/** Colours of reports on a terminal: the words by which findings begin. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** What is coloured at the begin of a line. A name that an image contains cannot begin a line of a report. */
const styles: readonly (readonly [words: RegExp, style: Style])[] = [
  [/^ERROR(?= )/gm, 'red'],
  [/^(Leaked|FLAW)(?= )/gm, 'yellow'],
  [/^NOTE(?= )/gm, 'cyan'],
  [/^ {4}\[[A-Z0-9]+-\d+\](?= byte \d)/gm, 'yellow'],
  [/^verdict: refused \[[A-Z0-9]+-\d+\]/gm, 'red']
]

/** A report with colours, where standard output is a terminal that shows them and NO_COLOR does not forbid it. */
export const coloured = (text: string): string =>
  styles.reduce(
    (styled, [words, style]) =>
      styled.replace(words, (found) => styleText(style, found, { stream: process.stdout, validateStream: true })),
    text
  )
