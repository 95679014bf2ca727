/** The base of all codecs. The classes of io-ts cannot be tree-shaken: a program with one codec would carry all of them. */
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'

/** An io-ts type, with every member of `t.Type`: io-ts combines it with its own, and `t.TypeOf` is the type of its values. */
export class Type<A, O, I = unknown> implements t.Type<A, O, I> {
  declare readonly _A: A
  declare readonly _O: O
  declare readonly _I: I
  /** Reads a value, in a context of its own; it needs no `this`. */
  readonly decode: t.Decode<I, A>

  readonly pipe: t.Type<A, O, I>['pipe'] = function (next, name) {
    return new Type(
      name ?? `pipe(${this.name}, ${next.name})`,
      next.is,
      (i, context) => {
        const a = this.validate(i, context)
        return E.isLeft(a) ? a : next.validate(a.right, context)
      },
      (b) => this.encode(next.encode(b))
    )
  }

  constructor(
    readonly name: string,
    readonly is: t.Is<A>,
    readonly validate: t.Validate<I, A>,
    readonly encode: t.Encode<A, O>
  ) {
    this.decode = (actual) => validate(actual, [{ key: '', type: this, actual }])
  }

  asDecoder(): t.Decoder<I, A> {
    return this
  }

  asEncoder(): t.Encoder<A, O> {
    return this
  }
}
