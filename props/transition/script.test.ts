/** Random scripts: after every command the image stands for the disk that the abstract machine says, and is well formed. */
import fc from 'fast-check'
import { arbitraryScript, commandOf, type Move } from '../arbitrary/script.js'
import { arbitraryShape, minimalShapes, type Shape } from '../arbitrary/shape.js'
import { holds } from '../check.js'
import { note, suite } from '../suite.js'
import { begin } from './recording.js'
import { follow, mustBe, type Pair } from './square.js'

const test = suite('scripts')

const run = (shape: Shape, moves: readonly Move[]): number => {
  moves.reduce<Pair>((pair, move, i) => {
    const next = follow(pair, commandOf(move, pair.disk, i + 1))
    if (next.machine !== pair.machine) mustBe(next)
    return next
  }, begin(shape))
  return moves.length
}

test('on minimal geometries', () => {
  const counted = { scripts: 0, commands: 0 }
  const start = performance.now()
  holds(
    fc.property(fc.constantFrom(...minimalShapes), arbitraryScript(20, 40), (shape, moves) => {
      counted.scripts++
      counted.commands += run(shape, moves)
    }),
    { runs: 300 }
  )
  const seconds = (performance.now() - start) / 1000
  note(
    `minimal geometries: ${counted.scripts} scripts, ${counted.commands} commands, ${Math.round(counted.scripts / seconds)} scripts and ${Math.round(counted.commands / seconds)} commands a second`
  )
})

test('on all geometries', () => {
  holds(
    fc.property(arbitraryShape, arbitraryScript(4, 12), (shape, moves) => {
      run(shape, moves)
    }),
    { runs: 100 }
  )
})

test.run()
