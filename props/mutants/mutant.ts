/** A mutant: the source with one fault in it, which some test must notice. */
import type { OperatorName } from './operators.js'

/** Where a change happens: a node of the syntax tree. */
export interface Place {
  /** The declaration that holds the node, by the names of all declarations around it: `Session.take`. */
  readonly in: string
  /** The syntax pattern of the node. In the declaration exactly one node has it, or see `nth`. */
  readonly find: string
  /** Which of the nodes with the pattern, from 1 on in the order of the source. */
  readonly nth?: number
}

/** What happens to a node: an operator, or other code in which the metavariables of the pattern stand for what they matched. */
export type Effect = { readonly operator: OperatorName } | { readonly to: string }

export type Change = Place & Effect

export interface Mutant {
  /** What goes wrong. */
  readonly name: string
  /** The source file, below src. */
  readonly file: string
  readonly change: Change | readonly Change[]
  /** The test file that must fail. */
  readonly red: string
  /** The title of the test in it that must fail. */
  readonly rule: string
  /** Whether the test compares with QEMU. */
  readonly byQemu?: boolean
}
