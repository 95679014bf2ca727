/** Random scripts: after every command the image stands for the disk that the abstract machine says, and is well formed. */
import fc from 'fast-check'
import { arbitraryScript, commandOf, type Move } from '../../arbitrary/script.js'
import { arbitraryShape, minimalShapes, type Shape } from '../../arbitrary/shape.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { begin } from './recording.js'
import { follow, mustBe, type Pair } from './square.js'

const test = suite('scripts')

const run = (start: Pair, moves: readonly Move[]): number => {
  moves.reduce<Pair>((pair, move, i) => {
    const next = follow(pair, commandOf(move, pair.disk, i + 1))
    if (next.machine !== pair.machine) mustBe(next)
    return next
  }, start)
  return moves.length
}

/** Seconds that this process has had a core. */
const busy = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

test('on minimal geometries', () => {
  const counted = { scripts: 0, commands: 0 }
  const fresh = new Map<Shape, Pair>(minimalShapes.map((shape) => [shape, begin(shape)]))
  const before = busy()
  holds(
    fc.property(fc.constantFrom(...minimalShapes), arbitraryScript(20, 30), (shape, moves) => {
      counted.scripts++
      counted.commands += run(fresh.get(shape) ?? begin(shape), moves)
    }),
    { runs: 600 }
  )
  const seconds = busy() - before
  const each = (n: number): string => `${Math.round(n / seconds)} a second`
  note(
    `minimal geometries: ${counted.scripts} scripts, ${each(counted.scripts)} of one core; ${counted.commands} commands, ${each(counted.commands)}`
  )
})

test('on all geometries', () => {
  holds(
    fc.property(arbitraryShape, arbitraryScript(4, 12), (shape, moves) => {
      run(begin(shape), moves)
    }),
    { runs: 100 }
  )
})

test.run()
