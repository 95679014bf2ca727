/** Edits: how one file differs from another, as one line of text. */
import * as E from 'fp-ts/lib/Either.js'
import { concat, fromHex, toHex } from './octets.js'

/** A change of a file. `Fill` and `Copy` stay within the file; `Length` cuts it or grows it by zeros. */
export type Edit =
  | { readonly _tag: 'Put'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly _tag: 'Fill'; readonly at: number; readonly size: number; readonly byte: number }
  | { readonly _tag: 'Copy'; readonly at: number; readonly from: number; readonly size: number }
  | { readonly _tag: 'Length'; readonly length: number }

const apply = (file: Uint8Array, edit: Edit): Uint8Array => {
  if (edit._tag === 'Length')
    return concat([file.subarray(0, edit.length), new Uint8Array(Math.max(0, edit.length - file.length))])
  const out = new Uint8Array(file)
  switch (edit._tag) {
    case 'Put':
      out.set(edit.bytes.subarray(0, Math.max(0, out.length - edit.at)), Math.min(edit.at, out.length))
      return out
    case 'Fill':
      return out.fill(edit.byte, edit.at, edit.at + edit.size)
    case 'Copy':
      return out.copyWithin(edit.at, edit.from, edit.from + edit.size)
  }
}

/** The file after all edits, in their order. */
export const edited = (file: Uint8Array, edits: readonly Edit[]): Uint8Array => edits.reduce(apply, file)

const toText = (edit: Edit): string => {
  switch (edit._tag) {
    case 'Put':
      return `${edit.at}=${toHex(edit.bytes)}`
    case 'Fill':
      return `${edit.at}+${edit.size}=${edit.byte}`
    case 'Copy':
      return `${edit.at}+${edit.size}<${edit.from}`
    case 'Length':
      return `length=${edit.length}`
  }
}

const ofText = (text: string): E.Either<string, Edit> => {
  const [, at = '', size, sign = '', value = ''] = /^(\d+|length)(?:\+(\d+))?([=<])([\da-f]+)$/.exec(text) ?? []
  if (at === 'length') return E.right({ _tag: 'Length', length: Number(value) })
  if (size === undefined) {
    const bytes = fromHex(value)
    return bytes !== undefined && sign === '='
      ? E.right({ _tag: 'Put', at: Number(at), bytes })
      : E.left(`${text} is no edit`)
  }
  return E.right(
    sign === '='
      ? { _tag: 'Fill', at: Number(at), size: Number(size), byte: Number(value) }
      : { _tag: 'Copy', at: Number(at), from: Number(value), size: Number(size) }
  )
}

/**
 * The edits as one line, in their order: `AT=HEX` puts bytes, `AT+SIZE=BYTE` fills a range with one byte, `AT+SIZE<FROM` copies
 * a range, `length=N` cuts the file or grows it by zeros.
 */
export const editsText = (edits: readonly Edit[]): string => edits.map(toText).join(' ')

/** The edits of a line; or the first that is none. */
export const editsOf = (text: string): E.Either<string, readonly Edit[]> =>
  E.traverseArray(ofText)(text === '' ? [] : text.split(' '))
