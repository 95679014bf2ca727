/** Places in an image as a witness writes them: `[[40]]+8` is 8 bytes into what the first entry of the L1 table points to. */
import * as E from 'fp-ts/lib/Either.js'

/** The offset in an L1, L2 or refcount table entry, and in a pointer of the header. */
const offsetMask = 0x00ff_ffff_ffff_fe00n

const units: Readonly<Record<string, bigint>> = { k: 2n ** 10n, M: 2n ** 20n, G: 2n ** 30n, T: 2n ** 40n, P: 2n ** 50n }

const numberOf = (text: string): bigint => {
  const unit = units[text.slice(-1)]
  return unit === undefined ? BigInt(text) : BigInt(text.slice(0, -1)) * unit
}

/**
 * The value of an expression of numbers (0x10, 64k), `+`, `-`, `*`, parentheses, and `[x]`: the offset that the 64-bit
 * big-endian word at byte x holds, without its flags.
 */
export const valueOf = (text: string, word: (at: bigint) => bigint): E.Either<string, bigint> => {
  const tokens = text.match(/0x[0-9a-f]+|[0-9]+[kMGTP]?|[-+*()[\]]|\S/gi) ?? []
  let at = 0
  const take = (token: string): boolean => tokens[at] === token && at++ >= 0
  const atom = (): bigint => {
    if (take('(')) return closed(sum(), ')')
    if (take('[')) return word(closed(sum(), ']')) & offsetMask
    return numberOf(tokens[at++] ?? 'nothing')
  }
  const closed = (value: bigint, by: string): bigint => {
    if (!take(by)) throw new SyntaxError(`'${by}' is missing`)
    return value
  }
  const product = (): bigint => {
    let value = atom()
    while (take('*')) value *= atom()
    return value
  }
  const sum = (): bigint => {
    let value = product()
    for (;;) {
      if (take('+')) value += product()
      else if (take('-')) value -= product()
      else return value
    }
  }
  return E.tryCatch(
    () => {
      const value = sum()
      if (at < tokens.length) throw new SyntaxError(`'${tokens[at] ?? ''}' is too much`)
      return value
    },
    (error) => `${text}: ${String(error)}`
  )
}
