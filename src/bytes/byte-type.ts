/** Byte codecs: io-ts types whose input and output are bytes, with a JSON form and a judgement beside them. */
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import type { ClauseId } from '../../spec/clauses/index.js'
import { type Issue, isIssue, issue, malformed, type Place, shift } from './issue.js'
import { anyOctetsJson, type JsonType } from './json.js'
import { copy } from './octets.js'
import { Type } from './type.js'

/** What a byte codec is made of. */
export interface ByteCodec<A> {
  readonly name: string
  readonly is: (u: unknown) => u is A
  /** Reads the structure at the start of the bytes; bytes after it are ignored. */
  readonly read: (bytes: Uint8Array) => E.Either<readonly Issue[], A>
  readonly write: (a: A) => Uint8Array
  /** Length of `write(a)` in bytes. */
  readonly sizeOf: (a: A) => number
  readonly json: JsonType<A>
  /** Rules the value breaks by itself; offsets count from the start of the structure. */
  readonly judge: (a: A) => readonly Issue[]
}

/**
 * An io-ts type over bytes.
 *
 * Laws, for every `b` that decodes to `a`, and every `a` that `is` takes:
 * - `encode(a)` is the first `sizeOf(a)` bytes of `b`: every bit, reserved or not, is kept
 * - `decode(encode(a)) = a`
 * - `json.decode(json.encode(a)) = a`
 *
 * `decode` is total: any bytes give a value or issues of phase `malformed`. `judge` returns what a decoded value breaks by itself.
 */
export class ByteType<A> extends Type<A, Uint8Array, Uint8Array> {
  /** Reads a value as `decode` does, at once: its issues have no context of io-ts. */
  readonly read: (bytes: Uint8Array) => E.Either<readonly Issue[], A>
  readonly json: JsonType<A>
  readonly sizeOf: (a: A) => number
  private readonly issuesOf: (a: A) => readonly Issue[]

  constructor(codec: ByteCodec<A>) {
    super(
      codec.name,
      codec.is,
      (bytes, context) => {
        const a = codec.read(bytes)
        return E.isRight(a) ? a : E.left(a.left.map((c) => issue(c, bytes, context)))
      },
      codec.write
    )
    this.read = codec.read
    this.json = codec.json
    this.sizeOf = codec.sizeOf
    this.issuesOf = codec.judge
  }

  /** The rules a value breaks by itself; `at` is the byte offset of the structure in the file. */
  judge(a: A, at = 0): readonly Issue[] {
    return shift(at)(this.issuesOf(a))
  }

  /** Decodes the structure at byte `from` of `bytes`; issues carry its offset in the file, `at`. */
  decodeAt(bytes: Uint8Array, from: number, at = from): E.Either<readonly Issue[], A> {
    return E.mapLeft((errors: t.Errors) => shift(at)(errors.filter(isIssue)))(this.decode(bytes.subarray(from)))
  }
}

/** The issue of `length` bytes that end within a place. */
export const tooFew = (place: Place, length: number, clause: ClauseId): Issue =>
  malformed(place, clause, `the end of the bytes at ${length}`, `${place.size} bytes`)

/** The place of a structure of `size` bytes as a whole. */
export const whole = (structure: string, size: number, at = 0): Place => ({ structure, field: '', at, size })

/** Bytes as they are: all that are given. */
export const rawBytes: ByteType<Uint8Array> = new ByteType<Uint8Array>({
  name: 'bytes',
  is: (u): u is Uint8Array => u instanceof Uint8Array,
  read: (bytes) => E.right(copy(bytes)),
  write: copy,
  sizeOf: (a) => a.length,
  json: anyOctetsJson,
  judge: () => []
})
