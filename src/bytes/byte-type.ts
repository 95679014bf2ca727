/** Byte codecs: io-ts types whose input and output are bytes, with a JSON form and a judgement beside them. */
import * as t from 'io-ts'
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { type Complaint, type Issue, isIssue, issue, shift } from './issue.js'
import { anyOctetsJson, type JsonType } from './json.js'
import { copy } from './octets.js'

/** What a byte codec is made of. */
export interface ByteCodec<A> {
  readonly name: string
  readonly is: (u: unknown) => u is A
  /** Reads the structure at the start of the bytes; bytes behind it are left alone. */
  readonly read: (bytes: Uint8Array) => E.Either<readonly Complaint[], A>
  readonly write: (a: A) => Uint8Array
  /** Length of `write(a)` in bytes. */
  readonly sizeOf: (a: A) => number
  readonly json: JsonType<A>
  /** Rules the value breaks by itself; offsets count from the start of the structure. */
  readonly judge: (a: A) => readonly Complaint[]
}

/**
 * An io-ts type over bytes.
 *
 * Laws, for every `b` that decodes to `a`, and every `a` that `is` takes:
 * - `encode(a)` is the first `sizeOf(a)` bytes of `b`: every bit, reserved or not, is kept
 * - `decode(encode(a)) = a`
 * - `json.decode(json.encode(a)) = a`
 *
 * `decode` is total: any bytes give a value or issues of phase `malformed`. `judge` tells what a decoded value breaks by itself.
 */
export class ByteType<A> extends t.Type<A, Uint8Array, Uint8Array> {
  readonly json: JsonType<A>
  readonly sizeOf: (a: A) => number
  private readonly complain: (a: A) => readonly Complaint[]

  constructor(codec: ByteCodec<A>) {
    super(
      codec.name,
      codec.is,
      (bytes, context) => {
        const a = codec.read(bytes)
        return E.isRight(a) ? t.success(a.right) : t.failures(a.left.map((c) => issue(c, bytes, context)))
      },
      codec.write
    )
    this.json = codec.json
    this.sizeOf = codec.sizeOf
    this.complain = codec.judge
  }

  /** The rules a value breaks by itself; `at` is the byte offset of the structure in the file. */
  judge(a: A, at = 0): readonly Issue[] {
    return shift(at)(this.complain(a).map((c) => issue(c, a)))
  }

  /** Decodes the structure that stands at byte `from` of `bytes`; issues carry its offset in the file, `at`. */
  decodeAt(bytes: Uint8Array, from: number, at = from): E.Either<readonly Issue[], A> {
    return E.mapLeft((errors: t.Errors) => shift(at)(errors.filter(isIssue)))(this.decode(bytes.subarray(from)))
  }
}

/** The complaint that the bytes end before a structure of `size` bytes does. */
export const tooFew = (structure: string, size: number, length: number, clause: ClauseId): Complaint => ({
  clause,
  phase: 'malformed',
  source: 'both',
  structure,
  field: '',
  at: 0,
  size,
  found: `the end of the bytes at ${length}`,
  expected: `${size} bytes`
})

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
