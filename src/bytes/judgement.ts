/** Judgements: rules as rows of a table, and the issues of a value that breaks them. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import { type Issue, issue, type Phase, type Place } from './issue.js'
import { valueAt } from './object.js'

/** What a value must satisfy, and whose demand that is. `C` is what the rule looks at beside the value. */
export interface Rule<A, C = unknown> {
  readonly clause: ClauseId
  /** Whose rule it is: `both` unless given. */
  readonly source?: Source
  /** How far a value that breaks it got: `invalid` unless given. */
  readonly phase?: Exclude<Phase, 'malformed'>
  /** The row of QEMU's opening checks, when it is another clause. */
  readonly refusal?: ClauseId
  /** The part of the field that is meant, by the format's own name, when it is not the whole field. */
  readonly part?: string
  broken(a: A, context: C): boolean
  /** What is found in a value that breaks the rule: the number in the field unless given. */
  found?(a: A, context: C): string
  /** What is expected of every value. */
  readonly expected: string
  /** What is expected of this value, where its numbers or those of the context say more. */
  specific?(a: A, context: C): string
}

/** A rule of a structure: a row of its rule table, `field` being the key of the field that is at fault. */
export interface FieldRule<A, C = unknown, K extends string = string> extends Rule<A, C> {
  readonly field: K
}

/** A structure whose fields have places: a field table. */
export interface Placing<A> {
  /** The place of a field in a value, by its key; offsets count from the start of the structure. */
  placeOf(key: string, a: A): Place
}

/** A structure whose fields have rules of their own as well. */
export interface Structure<A> extends Placing<A> {
  /** What the fields must satisfy by themselves. */
  readonly rules: readonly FieldRule<unknown>[]
}

/** Rules of one structure. */
export class RuleTable<A, C = unknown> {
  constructor(
    readonly structure: Placing<A>,
    readonly rules: readonly FieldRule<A, C>[]
  ) {}

  /** The issue of a value that breaks a rule; `at` is the byte offset of the structure in the file. */
  issue(rule: FieldRule<A, C>, a: A, context: C, at = 0): Issue {
    const { clause, phase = 'invalid', source = 'both', part, refusal } = rule
    const place = this.structure.placeOf(rule.field, a)
    return issue(
      {
        ...place,
        clause,
        phase,
        source,
        field: part === undefined ? place.field : `${place.field}.${part}`,
        at: at + place.at,
        found: rule.found?.(a, context) ?? String(valueAt(a, rule.field)),
        expected: rule.specific?.(a, context) ?? rule.expected,
        ...(refusal === undefined ? {} : { refusal })
      },
      a
    )
  }

  /** The rules that a value breaks. */
  brokenBy(a: A, context: C): readonly FieldRule<A, C>[] {
    return this.rules.filter((rule) => rule.broken(a, context))
  }

  /** Those of the rules that are about these fields. */
  about(...fields: readonly string[]): RuleTable<A, C> {
    return new RuleTable(
      this.structure,
      this.rules.filter(({ field }) => fields.includes(field))
    )
  }

  /** Whether a value breaks no rule. */
  allows(a: A, context: C): boolean {
    return this.rules.every((rule) => !rule.broken(a, context))
  }

  /** The issues of a value: one for each rule that it breaks. */
  judge(a: A, context: C, at = 0): readonly Issue[] {
    return this.brokenBy(a, context).map((rule) => this.issue(rule, a, context, at))
  }
}

/** All rules of a structure: those of its fields by themselves, then these, which look at fields together and at the context. */
export const rulesOf = <A, C, K extends string = keyof A & string>(
  structure: Structure<A>,
  together: readonly FieldRule<A, C, K>[]
): RuleTable<A, C> => new RuleTable<A, C>(structure, [...structure.rules, ...together])

/** The rule of a field as a rule of the structure that holds it; `read` takes what the rule is about out of the structure. */
export const onField = <V, C, A, K extends string>(
  field: K,
  rule: Rule<V, C>,
  read: (a: A) => V
): FieldRule<A, C, K> => ({
  ...rule,
  field,
  broken: (a, context) => rule.broken(read(a), context),
  found: (a, context) => rule.found?.(read(a), context) ?? String(read(a)),
  specific: (a, context) => rule.specific?.(read(a), context) ?? rule.expected
})
