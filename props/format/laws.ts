/** The laws of a byte codec, as tests of every structure: nothing is lost, nothing is thrown, every issue has its place. */
import { inspect, isDeepStrictEqual } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { isClauseId } from '../../spec/index.js'
import type { ByteType } from '../../src/bytes/byte-type.js'
import { type Complaint, type Issue, isIssue } from '../../src/bytes/issue.js'
import { concat, equal, part, toHex } from '../../src/bytes/octets.js'
import { anyBytes, type Structure } from '../arbitrary/index.js'
import { numbers } from '../arbitrary/number.js'
import { octets } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import type { Suite } from '../run/suite.js'

/** Fails unless the two are alike in every part, the classes of byte strings included. */
export const same = (a: unknown, b: unknown, what = ''): void =>
  assert.ok(isDeepStrictEqual(a, b), `${what}${inspect(a, { depth: 6 })}\nis not\n${inspect(b, { depth: 6 })}`)

/** Fails unless the byte strings are the same. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): void => {
  if (!equal(a, b)) assert.unreachable(`${toHex(a)}\nis not\n${toHex(b)}`)
}

/** The issues that keep bytes from being decoded; none when they decode. */
export const issuesOf = <A>(type: ByteType<A>, bytes: Uint8Array): readonly Issue[] => {
  const decoded = type.decode(bytes)
  if (E.isRight(decoded)) return []
  assert.ok(decoded.left.every(isIssue) && decoded.left.length > 0, 'a failure says nothing')
  return decoded.left.filter(isIssue)
}

/** The value of bytes that decode. */
export const valueOf = <A>(type: ByteType<A>, bytes: Uint8Array): A => {
  const decoded = type.decode(bytes)
  if (E.isLeft(decoded)) throw new Error(`${toHex(bytes)}: ${decoded.left.map((e) => e.message).join('\n')}`)
  return decoded.right
}

/** An issue without what io-ts adds to it. */
const bare = ({ value: _value, context: _context, message: _message, ...complaint }: Issue): Complaint => complaint

type Told<A> = E.Either<readonly Complaint[], A>

const bareIssues = E.mapLeft((issues: readonly Issue[]): readonly Complaint[] => issues.map(bare))

const further = (issues: readonly Complaint[], by: number): readonly Complaint[] =>
  issues.map((i) => ({ ...i, at: i.at + by }))

const moved = <A>(result: Told<A>, by: number): Told<A> =>
  E.mapLeft((l: readonly Complaint[]) => further(l, by))(result)

/** Bytes that belong to nobody else, and are then overwritten. */
const spoiled = <A>(bytes: Uint8Array, use: (bytes: Uint8Array) => A): A => {
  const result = use(bytes)
  bytes.set(bytes.map((b) => b ^ 0xff))
  return result
}

/** A way into a value, as remainders. */
type Way = readonly number[]

/** The value with something else where the way leads. A byte string that it leads into becomes a plain object. */
export const altered = (u: unknown, [step, ...way]: Way, by: unknown): unknown => {
  if (step === undefined || typeof u !== 'object' || u === null) return by
  const keys = Object.keys(u)
  const key = keys[step % Math.max(1, keys.length)]
  if (key === undefined) return by
  const out = Object.entries(u).map(([k, v]: [string, unknown]) => [k, k === key ? altered(v, way, by) : v] as const)
  return Array.isArray(u) ? out.map(([, v]) => v) : Object.fromEntries(out)
}

/** Ways into values. */
export const ways: fc.Arbitrary<Way> = fc.array(fc.nat({ max: 99 }), { maxLength: 4 })

/** What may stand where a field of a value should. */
const strangers = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', [], {}, -1, 1.5, NaN, -1n, 2n ** 64n, new Uint8Array(9)),
  numbers(0n, 2n ** 64n - 1n),
  numbers(0n, 2n ** 32n).map(Number)
)

/**
 * Registers the laws of these structures, `name` in one, with a suite: each law as one test over all of them. Of each
 * law each structure gets `runs` cases.
 *
 * @see ByteType for the laws
 */
export const laws = <A>(test: Suite, name: string, structures: readonly Structure<A>[], runs = 100): void => {
  const every = <T>(law: string, draw: (s: Structure<A>) => fc.Arbitrary<T>, hold: (s: Structure<A>, t: T) => void) =>
    test(law, () => {
      for (const s of structures)
        holds(
          fc.property(fc.constant(s.name), draw(s), (_, t) => hold(s, t)),
          { runs }
        )
    })
  const values = (s: Structure<A>): fc.Arbitrary<A> => fc.oneof(s.anyValue, s.wellFormed)

  every(`${name}: what decodes encodes to the same bytes, every bit of them`, anyBytes, ({ type }, bytes) => {
    const decoded = type.decode(bytes)
    if (E.isLeft(decoded)) return
    assert.ok(type.is(decoded.right), 'is not what it decodes')
    const size = type.sizeOf(decoded.right)
    assert.ok(size <= bytes.length, 'is longer than its bytes')
    sameBytes(type.encode(decoded.right), part(bytes, 0, size))
  })

  every(`${name}: what encodes decodes to the same value`, values, ({ type }, a) => {
    assert.ok(type.is(a), 'is no such value')
    const bytes = type.encode(a)
    assert.is(bytes.length, type.sizeOf(a))
    same(type.decode(bytes), E.right(a))
    same(type.decodeAt(concat([Uint8Array.of(1, 2, 3), bytes]), 3), E.right(a))
  })

  every(
    `${name}: whatever is taken for a value encodes and decodes to itself`,
    (s) => fc.tuple(s.anyValue, ways, strangers),
    ({ type }, [a, way, by]) => {
      const u = altered(a, way, by)
      if (type.is(u)) same(type.decode(type.encode(u)), E.right(u))
    }
  )

  every(`${name}: its JSON, as text too, holds all of the value`, values, ({ type }, a) => {
    const text = JSON.stringify(type.json.encode(a))
    same(type.json.decode(JSON.parse(text)), E.right(a), text)
  })

  every(`${name}: bytes that do not decode are malformed at a place within them`, anyBytes, ({ type }, bytes) => {
    for (const i of issuesOf(type, bytes)) {
      assert.is(i.phase, 'malformed')
      assert.ok(isClauseId(i.clause))
      assert.ok(i.at >= 0 && i.at <= bytes.length, `byte ${i.at} of ${bytes.length}`)
      assert.ok(i.message.includes(i.clause) && i.message.includes(`byte ${i.at}`), i.message)
    }
  })

  every(
    `${name}: a value stays as it is when its bytes change, even those of a Node Buffer`,
    anyBytes,
    ({ type }, bytes) => {
      const first = type.decode(bytes)
      if (E.isLeft(first)) return
      same(
        spoiled(Uint8Array.from(bytes), (b) => type.decode(b)),
        first
      )
      same(
        spoiled(Buffer.from(bytes), (b) => type.decode(b)),
        first
      )
      const encoded = type.encode(first.right)
      spoiled(type.encode(first.right), () => undefined)
      sameBytes(type.encode(first.right), encoded)
    }
  )

  every(
    `${name}: an issue moves with its structure`,
    (s) => fc.tuple(anyBytes(s), octets(5), fc.nat({ max: 0xffff_ffff })),
    ({ type }, [bytes, before, at]) => {
      const alone = bareIssues(type.decodeAt(bytes, 0))
      same(bareIssues(type.decodeAt(concat([before, bytes]), before.length)), moved(alone, before.length))
      same(bareIssues(type.decodeAt(bytes, 0, at)), moved(alone, at))
      if (E.isRight(alone)) same(type.judge(alone.right, at).map(bare), further(type.judge(alone.right).map(bare), at))
    }
  )

  every(
    `${name}: a judgement names a clause and a place within the value`,
    (s) => s.anyValue,
    ({ type }, a) => {
      for (const i of type.judge(a)) {
        assert.ok(i.phase === 'invalid' || i.phase === 'limit', i.phase)
        assert.ok(isClauseId(i.clause))
        assert.ok(i.at >= 0 && i.size >= 0 && i.at + i.size <= type.sizeOf(a), `${i.message} (${i.size} bytes)`)
      }
    }
  )

  every(
    `${name}: a value that keeps the rules is judged to`,
    (s) => s.wellFormed,
    ({ type }, a) => {
      same(type.judge(a), [])
    }
  )
}
