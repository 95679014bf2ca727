/**
 * Commands of the command line. A command is declared once: its arguments and options are codecs from what the command line
 * gives, and the types of their values are derived from them.
 */
import { type Command as Parser, Option } from 'commander'
import type * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { type Body, type CommandError, failed, get, task } from '../command-error.js'
import { ok } from '../files/output.js'
import { GivenSecrets } from '../images/secrets.js'
import { decodeWith, oneOf } from '../text/values.js'

/** Prints an error that does not end the command. */
export type Report = (error: CommandError) => void

/** A codec from what the command line gives; `undefined` where it gives nothing. */
export type Given<A> = t.Type<A, unknown>

/** Declares a parameter to the parser. The result is what the command line gives, once it has been parsed. */
type Declare = (parser: Parser) => () => unknown

/** An argument or an option of a command. */
export class Parameter<A> extends t.Type<A, unknown> {
  constructor(
    codec: Given<A>,
    readonly declare: Declare
  ) {
    super(codec.name, codec.is, codec.validate, codec.encode)
  }
}

/** Parameters by the names of their values. */
type Declared = Readonly<Record<string, t.Mixed & { readonly declare: Declare }>>

/** The values of parameters. */
type Values<P extends Declared> = t.TypeOf<t.TypeC<P>>

/** An argument: `<image>`, `[size]` where it may be left out, or `<files...>`. */
export const argument = <A>(syntax: string, about: string, codec: Given<A>): Parameter<A> =>
  new Parameter(codec, (parser) => {
    const index = parser.registeredArguments.length
    parser.argument(syntax, about)
    return (): unknown => parser.processedArgs[index]
  })

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

/** A further name of an option, whose values are that option's. */
export class Alias extends Option {
  constructor(
    flags: string,
    private readonly of: Option
  ) {
    super(flags)
    this.hideHelp()
  }

  override attributeName(): string {
    return this.of.attributeName()
  }
}

/**
 * Declares an option, which `adapt` may change, and every name of it that follows the first short and the first long one.
 * A name that begins with `--no-` negates nothing.
 */
const declareOption =
  (flags: string, about: string, adapt = (declared: Option): Option => declared): Declare =>
  (parser) => {
    const [, listed = '', value = ''] = /^([^<]*?)( <.*)?$/.exec(flags) ?? []
    const names = listed.split(', ')
    const main = [names.find((name) => !name.startsWith('--')), names.find((name) => name.startsWith('--'))]
    const declared = adapt(new Option(main.filter((name) => name !== undefined).join(', ') + value, about))
    const aliases = names.filter((name) => !main.includes(name)).map((name) => adapt(new Alias(name + value, declared)))
    declared.flags = flags
    declared.negate = false
    for (const each of [declared, ...aliases]) parser.addOption(each)
    return (): unknown => parser.getOptionValue(declared.attributeName())
  }

/** An option, by its flags: `-q, --quiet`, `-s, --sparse <size>`, or `-F, -B, --backing-format <format>`. Of several that are given the last one holds. */
export const option = <A>(flags: string, about: string, codec: Given<A>): Parameter<A> =>
  new Parameter(codec, declareOption(flags, about))

/** An option with everything that is given to it, in order. */
export const everyValue = (flags: string, about: string): Parameter<readonly string[]> =>
  new Parameter(
    texts,
    declareOption(flags, about, (declared) => declared.argParser(collect))
  )

/** An option that may be repeated. */
export const repeated = (flags: string, about: string): Parameter<readonly string[]> =>
  everyValue(flags, `${about}; may be repeated`)

/** An option that is given or not. */
export const flag = (flags: string, about: string): Parameter<boolean> => option(flags, about, isGiven)

const isGiven: Given<boolean> = new t.Type('isGiven', t.boolean.is, (u) => t.success(u === true), Boolean)

/** Any text. */
export const text: Given<string> = t.string

/** The texts of an option that may be repeated. */
export const texts: Given<readonly string[]> = new t.Type(
  'texts',
  t.readonlyArray(t.string).is,
  (u, context) => (u === undefined ? t.success([]) : t.readonlyArray(t.string).validate(u, context)),
  String
)

/** What the codec decodes, or a value in place of what is not given. */
export const orElse = <A, const B>(codec: t.Type<A, unknown>, absent: B): Given<A | B> =>
  new t.Type(
    codec.name,
    (u): u is A | B => u === absent || codec.is(u),
    (u, context) => (u === undefined ? t.success<A | B>(absent) : codec.validate(u, context)),
    String
  )

/** What the codec decodes, or nothing. */
export const optional = <A>(codec: t.Type<A, unknown>): Given<A | undefined> => orElse(codec, undefined)

/** An option of QEMU's tools that is accepted for compatibility, and ignored. */
export interface Ignored {
  readonly flags: string
  /** What it takes, where it does not take any text. */
  readonly codec?: t.Mixed
}

/** An ignored option that takes one of some words. */
export const ignoredChoice = (flags: string, words: readonly string[]): Ignored => ({
  flags,
  codec: oneOf(words, notOneOf(flags, words))
})

const declareIgnored = ({ flags, codec = t.unknown }: Ignored): Declared[string] =>
  new Parameter(
    optional(codec),
    declareOption(flags, '', (declared) => declared.hideHelp())
  )

/** An option that is one of some words, or `absent`. */
export const choice = <const W extends string, const B>(
  flags: string,
  about: string,
  words: readonly W[],
  absent: B
): Parameter<W | B> => option(flags, about, orElse(oneOf(words, notOneOf(flags, words)), absent))

const notOneOf = (flags: string, words: readonly string[]) => (given: string) =>
  `option '${flags}': '${given}' is not one of ${words.join(', ')}`

/** A command of the command line. */
export interface Command {
  /** Declares what it takes to its parser; `start` gets what is to be done, once that has parsed the command line. */
  readonly declare: (parser: Parser, start: (task: TE.TaskEither<CommandError, number>) => void, report: Report) => void
}

/** What a command is. */
interface Declaration<A extends Declared, O extends Declared> {
  readonly args: A
  readonly options: O
  readonly ignored?: readonly Ignored[]
  /** Does it, in do notation. The value is the exit code, where that is not 0 though nothing failed. */
  readonly run: (args: Values<A>, options: Values<O>, report: Report) => Body<number> | Body<void>
  /** Exit code where it fails, in place of 1. */
  readonly failureCode?: number
}

const declareAll = (parser: Parser, declared: Declared): (() => Readonly<Record<string, unknown>>) => {
  const given = Object.entries(declared).map(([name, { declare }]) => [name, declare(parser)] as const)
  return () => Object.fromEntries(given.map(([name, value]) => [name, value()]))
}

const decodeAll = <P extends Declared>(declared: P, given: unknown): E.Either<CommandError, Values<P>> =>
  decodeWith(t.type(declared))(given)

/** A command, from its declaration. */
export const command = <A extends Declared, O extends Declared>(declaration: Declaration<A, O>): Command => ({
  declare: (parser, start, report) => {
    const { args, options, ignored = [], run, failureCode = failed } = declaration
    const accepted = Object.fromEntries(ignored.map((each) => [each.flags, declareIgnored(each)]))
    const [givenArgs, givenOptions, givenIgnored] = [args, options, accepted].map((each) => declareAll(parser, each))
    if (ignored.length > 0)
      parser.addHelpText('after', `\nAccepted for compatibility, ignored: ${Object.keys(accepted).join('; ')}`)
    const started = task(async function* () {
      const values = yield* get(decodeAll(args, givenArgs?.()))
      const chosen = yield* get(decodeAll(options, givenOptions?.()))
      yield* get(decodeAll(accepted, givenIgnored?.()))
      const given: unknown = parser.getOptionValue('object')
      try {
        return (yield* run(values, chosen, report)) ?? ok
      } finally {
        if (given instanceof GivenSecrets) given.wipe()
      }
    })
    parser.action(() => {
      start(
        TE.mapLeft((error: CommandError) => (error.exitCode === failed ? { ...error, exitCode: failureCode } : error))(
          started()
        )
      )
    })
  }
})
