/** Edges: numbers at which a demand begins or ends to hold, and where a representation runs out. */
import type { Allowed, NumberRule } from '../bytes/rule.js'

/** The last number of each width that a byte, a word, a double or a signed 64-bit number has. */
const landmarks = [0, 1, 7, 8, 15, 16, 31, 32, 53, 56, 63].map((width) => 2n ** BigInt(width) - 1n)

/** Numbers at which a demand begins or ceases to hold. */
const limitsOf = (allowed: Allowed): readonly bigint[] => {
  switch (allowed._tag) {
    case 'Range':
      return [allowed.min, allowed.max]
    case 'Multiple':
      return [0n, allowed.of, 13n * allowed.of]
    case 'OneOf':
      return allowed.values
  }
}

/** The numbers from 0 to `max` at the limits of the rules and the landmarks, and those beside them, in order. */
export const edges = (max: bigint, rules: readonly NumberRule[] = []): readonly bigint[] => {
  const at = [...rules.flatMap((rule) => limitsOf(rule.allowed)), ...landmarks, max]
  const near = at.flatMap((n) => [n - 1n, n, n + 1n]).filter((n) => n >= 0n && n <= max)
  return [...new Set(near)].sort((a, b) => (a < b ? -1 : 1))
}
