/** The steps that change or test the bytes of a file, as functions from bytes to bytes. */

import * as E from 'fp-ts/lib/Either.js'
import { number, place } from './places.js'

type Edit = (bytes: Buffer, args: readonly string[]) => E.Either<string, Buffer>

/** 32-bit integers that look random, the same for the same seed (mulberry32). */
const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    const a = Math.imul(state ^ (state >>> 15), state | 1)
    const b = a ^ (a + Math.imul(a ^ (a >>> 7), a | 61))
    return (b ^ (b >>> 14)) >>> 0
  }
}

const words = [
  'cluster',
  'refcount',
  'table',
  'entry',
  'snapshot',
  'bitmap',
  'guest',
  'host',
  'offset',
  'of',
  'the',
  'a'
]

const text = (length: number): Buffer => {
  const next = random(length)
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) at += bytes.write(`${words[next() % words.length]} `, at)
  return bytes
}

const noise = (length: number, seed: number): Buffer => {
  const next = random(seed)
  return Buffer.from(new Uint8Array(length).map(() => next()))
}

/** The bytes with others in their place from an offset on, grown with zeros where they do not reach. */
const overwrite = (bytes: Buffer, at: number, by: Buffer): Buffer => {
  const result = Buffer.alloc(Math.max(bytes.length, at + by.length))
  bytes.copy(result)
  by.copy(result, at)
  return result
}

const isLength = (value: number): boolean => value >= 0 && value <= 2 ** 28

/** Numbers among the arguments, refused together when one is none or too large to be meant. */
const numbers = (
  args: readonly string[],
  make: (a: number, b: number, c: number) => Buffer
): E.Either<string, Buffer> => {
  const [a = 0, b = 0, c = 0] = args.map(number)
  return [a, b, c].every(isLength) ? E.right(make(a, b, c)) : E.left('not a number')
}

const located = (
  bytes: Buffer,
  [where, ...hex]: readonly string[],
  then: (at: number, meant: Buffer) => E.Either<string, Buffer>
): E.Either<string, Buffer> => {
  const at = place(bytes, where)
  const digits = hex.join('')
  if (!isLength(at)) return E.left('no such place')
  return /^([\da-f]{2})+$/.test(digits) ? then(at, Buffer.from(digits, 'hex')) : E.left('not hexadecimal')
}

export const edits: Readonly<Record<string, Edit>> = {
  fill: (_, args) => numbers(args, (length, byte) => Buffer.alloc(length, byte)),
  text: (_, args) => numbers(args, (length) => text(length)),
  noise: (_, args) => numbers(args, (length, seed) => noise(length, seed)),
  patch: (bytes, args) => located(bytes, args, (at, meant) => E.right(overwrite(bytes, at, meant))),
  copy: (bytes, args) => numbers(args, (from, to, length) => overwrite(bytes, to, bytes.subarray(from, from + length))),
  truncate: (bytes, args) => numbers(args, (length) => overwrite(Buffer.alloc(length), 0, bytes.subarray(0, length))),
  holds: (bytes, args) =>
    located(bytes, args, (at, meant) => {
      const found = bytes.subarray(at, at + meant.length)
      return found.equals(meant) ? E.right(bytes) : E.left(`holds ${found.toString('hex')}`)
    })
}
