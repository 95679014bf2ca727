/** Syntax patterns find what they say and nothing else, and each operator makes the change that its name promises. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import type { Effect, Place } from './mutant.js'
import { mutate } from './mutate.js'
import { type OperatorName, operators } from './operators.js'
import { suite } from '../run/suite.js'

const test = suite('mutate')

/** The body of a function after one change in it, or the message why there is none. */
const changed = (body: string, change: Omit<Place, 'in'> & Effect): string => {
  const text = `const f = (a: number, b: number, g: (...x: number[]) => number) => {${body}}`
  const mutant = { name: 'it', file: 'f.ts', change: { in: 'f', ...change } }
  const mutated = mutate(text, mutant)
  return E.isLeft(mutated) ? mutated.left : mutated.right.slice(text.indexOf('{') + 1, -1)
}

/** Each operator: the body, the pattern in it, the body afterwards. */
const applied: Readonly<Record<OperatorName, readonly [body: string, find: string, after: string]>> = {
  'condition-true': ['if (a < b) g()', 'a < b', 'if (true) g()'],
  'condition-false': ['return (a < b) ? a : b', '$c ? a : b', 'return false ? a : b'],
  boundary: ['return a <= b', '$x <= $y', 'return a < b'],
  equality: ['return a !== b', '$x !== $y', 'return a === b'],
  connective: ['return a > b && a > 1', '$x && $y', 'return a > b || a > 1'],
  arithmetic: ['return a + b * 2', '$x * 2', 'return a + b / 2'],
  negation: ['return !(a < b) ? a : b', '$c ? a : b', 'return (a < b) ? a : b'],
  increment: ['return a + 0x10', '16', 'return a + (17)'],
  decrement: ['return 1n', '1n', 'return (0n)'],
  boolean: ['return a < b ? true : !g', 'true', 'return a < b ? false : !g'],
  text: ["return 'a' + b", "'a'", "return '' + b"],
  'return-negated': ['return a < b', 'return $x', 'return !(a < b)'],
  'return-undefined': ['return g((x) => x + 1)', 'x + 1', 'return g((x) => undefined)'],
  'return-zero': ['return a', 'return $x', 'return 0'],
  'return-empty': ['return [a]', '[a]', 'return []'],
  'drop-statement': ['g(a)\nreturn b', 'g($x)', ';\nreturn b'],
  'drop-operand': ['return (a + 1) * b', '$x + 1', 'return b'],
  'drop-element': ['return g(a, b + 1)', 'b + 1', 'return g(a)'],
  'swap-with-next': ['g(a + 1)\ng(b)', 'g($x + 1)', 'g(b)\ng(a + 1)']
}

for (const operator of Object.keys(operators) as OperatorName[])
  test(`${operator} changes what it is for`, () => {
    const [body, find, after] = applied[operator]
    assert.is(changed(body, { find, operator }), after)
    assert.match(changed('g()', { find: 'g', nth: 2, operator }), /does not apply/)
  })

test('layout, comments, parentheses, types and quotes make no difference to a pattern', () => {
  const body = 'return g( /* first */ ((a) as number),\n "x" satisfies string, 0x10)'
  assert.is(changed(body, { find: "g($x, 'x', 16)", to: 'g($x)' }), 'return (g(((a) as number)))')
})

test('a metavariable stands for the same code wherever it recurs', () => {
  assert.is(changed('return a + b || a + a', { find: '$x + $x', to: '$x' }), 'return a + b || (a)')
  assert.is(changed('return g(g(a, b), b)', { find: 'g($x, $x)', to: '$x' }), 'it: f.ts: f has 0 nodes like g($x, $x)')
})

test('a list metavariable stands for any number of neighbours', () => {
  assert.is(changed('return g(a, b, 1, a)', { find: 'g(a, $$rest, a)', to: 'g($$rest)' }), 'return (g(b, 1))')
  assert.is(changed('if (a) { g(); return b }', { find: '{ g(); $$rest }', to: '{ $$rest }' }), 'if (a) { return b }')
})

test('a change must have one place, or say which', () => {
  const body = 'return g(a) + g(b)'
  assert.match(changed(body, { find: 'g($x)', to: '0' }), /f has 2 nodes like/)
  assert.is(changed(body, { find: 'g($x)', nth: 2, to: '0' }), 'return g(a) + (0)')
  assert.match(changed(body, { find: 'g($x)', nth: 3, to: '0' }), /f has 2 nodes like/)
})

test('a change that is no TypeScript, or refers to what is not there, is an error', () => {
  assert.match(changed('return a', { find: 'return $x', to: 'return )' }), /makes no TypeScript/)
  assert.match(changed('return a', { find: 'return $x', to: 'return old' }), /refers to old/)
  assert.match(changed('return a', { find: 'return a b', to: '' }), /is not an expression/)
})

test.run()
