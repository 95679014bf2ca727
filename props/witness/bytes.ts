/** The words of a witness that read and change bytes themselves. */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { valueOf } from './expression.js'

/** What a command printed, and its exit code. */
export interface Printed {
  readonly code: number
  readonly text: string
}

const wordAt =
  (file: string) =>
  (at: bigint): bigint => {
    const bytes = Buffer.alloc(8)
    const fd = openSync(file, 'r')
    readSync(fd, bytes, 0, 8, at)
    closeSync(fd)
    return bytes.readBigUInt64BE()
  }

/** The value of an expression; a script that has a wrong one is at fault, not its party. */
const place = (file: string, text: string): number => {
  const value = valueOf(text, wordAt(file))
  if (E.isLeft(value)) throw new Error(value.left)
  return Number(value.right)
}

const grouped = (hex: string): string =>
  (hex.match(/.{1,64}/g) ?? []).map((row) => `${(row.match(/.{1,8}/g) ?? []).join(' ')}\n`).join('')

const write = (file: string, at: number, bytes: Uint8Array): void => {
  const fd = openSync(file, 'r+')
  writeSync(fd, bytes, 0, bytes.length, at)
  closeSync(fd)
}

const firstDifference = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.max(a.length, b.length)
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at
  return length
}

const done = (text = ''): Printed => ({ code: 0, text })

type Word = (...args: readonly string[]) => Printed

/** Each word: `peek FILE AT LENGTH`, and so on; places and lengths are expressions. */
export const words: Readonly<Record<string, Word>> = {
  /** Prints bytes in hexadecimal, 32 a line. */
  peek: (file = '', at = '', length = '') => {
    const bytes = Buffer.alloc(place(file, length))
    const fd = openSync(file, 'r')
    const read = readSync(fd, bytes, 0, bytes.length, place(file, at))
    closeSync(fd)
    return done(grouped(bytes.subarray(0, read).toString('hex')))
  },
  /** Writes bytes, given in hexadecimal. */
  poke: (file = '', at = '', ...hex) => {
    write(file, place(file, at), Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'))
    return done()
  },
  /** Writes a text. */
  text: (file = '', at = '', text = '') => {
    write(file, place(file, at), Buffer.from(text))
    return done()
  },
  /** Writes LENGTH bytes of one value, 0 unless given. */
  fill: (file = '', at = '', length = '', value = '0') => {
    write(file, place(file, at), Buffer.alloc(place(file, length), place(file, value)))
    return done()
  },
  /** Prints an expression, in hexadecimal. */
  value: (file = '', text = '') => done(`0x${place(file, text).toString(16)}\n`),
  /** Makes a file of SIZE bytes of one value, 0 unless given. */
  raw: (file = '', size = '0', value = '0') => {
    writeFileSync(file, Buffer.alloc(place(file, size), place(file, value)))
    return done()
  },
  /** Makes a file of SIZE bytes, always the same, that no codec compresses. */
  noise: (file = '', size = '0') => {
    writeFileSync(file, createHash('shake256', { outputLength: place(file, size) }).digest())
    return done()
  },
  truncate: (file = '', size = '') => {
    truncateSync(file, place(file, size))
    return done()
  },
  /** Makes a folder. */
  folder: (name = '') => {
    mkdirSync(name)
    return done()
  },
  copy: (from = '', to = '') => {
    copyFileSync(from, to)
    return done()
  },
  /** Prints the length of a file in bytes. */
  size: (file = '') => done(existsSync(file) ? `${statSync(file).size}\n` : 'missing\n'),
  /** Prints `same`, or where two files differ first. */
  cmp: (one = '', other = '') => {
    const [a, b] = [readFileSync(one), readFileSync(other)]
    const at = firstDifference(a, b)
    return done(at === Math.max(a.length, b.length) ? 'same\n' : `byte ${at}\n`)
  }
}
