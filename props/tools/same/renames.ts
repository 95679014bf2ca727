/**
 * What is meant to be different between the commits that `npm run same` compares. A commit that changes a message on purpose
 * adds a row, which is removed once the changed commit is itself the one that others are compared with.
 */

/** A text of the older commit and what it is in the newer one. */
export interface Rename {
  /** The labels of the answers that it is about: the command line, or the line of a script. */
  readonly scope: RegExp
  /** A literal text, or an expression with the flag `g`. */
  readonly from: string | RegExp
  /** As the second argument of `String.replaceAll`. */
  readonly to: string
}

/** Answers that are not compared. */
export interface Intended {
  /** The labels of these answers. */
  readonly scope: RegExp
  readonly why: string
}

/**
 * Applied in order to everything that the older commit prints, before it is compared.
 *
 *     { scope: /^check/, from: 'whole sectors', to: 'a multiple of 512 bytes' }
 */
export const renames: readonly Rename[] = []

/**
 * Only counted.
 *
 *     { scope: /--help$/, why: 'the help texts are written anew' }
 */
export const intended: readonly Intended[] = []

/** The text after the renames of this scope. */
export const renamed = (label: string, text: string, rows: readonly Rename[]): string =>
  rows.filter(({ scope }) => scope.test(label)).reduce((now, { from, to }) => now.replaceAll(from, to), text)
