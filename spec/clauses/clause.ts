/** The shape of the catalogue: one rule of qcow2, and the chapters rules are grouped in. */

/**
 * How binding a rule is: `must` is a requirement, `should` a recommendation, `may` a permission. What QEMU does and
 * another program is free to do differently is `may`.
 */
export type Level = 'must' | 'should' | 'may'

/** Whom a rule binds: the bytes of an image, a program that reads one, or a program that writes one. */
export type Subject = 'image' | 'reader' | 'writer'

/**
 * Who states a rule: the format's own text, the behaviour of QEMU, or both; or the writer here, where neither is enough. A
 * limit that only QEMU has is `qemu`.
 */
export type Source = 'format' | 'qemu' | 'both' | 'ours'

/**
 * What a party does in a case: accepts it silently, opens the image but reports it, or refuses it.
 *
 * The format's text `accepts` what it allows, `reports` what it forbids or advises against where the rest of the image
 * keeps its meaning, and `refuses` what it calls an error or leaves without a meaning.
 * QEMU `reports` by a warning or in a check, and `refuses` by failing the open or the operation the case names.
 */
export type Verdict = 'accepts' | 'reports' | 'refuses'

/** What the document of the format says wrongly or leaves open, and words that would settle it. */
export interface Erratum {
  /** The section of the document, and the field in it. */
  readonly section: string
  /** What is wrong with the text there. */
  readonly fault: string
  /** The words of the document that the proposal replaces. Without them it is added to the field or section. */
  readonly replaces?: string
  readonly proposal: string
}

/**
 * A case in which the text of the format and QEMU differ, and what each does. With an erratum it is the text that should
 * change; without one the text is clear, and QEMU departs from it.
 */
export interface Divergence {
  readonly on: string
  readonly format: Verdict
  readonly qemu: Verdict
  readonly erratum?: Erratum
  /** The versions of QEMU that do so, where not all of 7.2, 10 and 11 do. */
  readonly versions?: readonly ('7.2' | '10' | '11')[]
}

/** One rule. Its id is its key in the chapter. */
export interface Clause {
  readonly level: Level
  readonly subject: Subject
  readonly source: Source
  readonly says: string
  readonly divergences?: readonly Divergence[]
}

/** Rules of one subject, keyed by id, in reading order. */
export interface Chapter<Id extends string = string> {
  readonly title: string
  readonly clauses: Readonly<Record<Id, Clause>>
}

/** A chapter whose ids stay known to the compiler. */
export const chapter = <Id extends string>(title: string, clauses: Readonly<Record<Id, Clause>>): Chapter<Id> => ({
  title,
  clauses
})
