/** Every short sequence of commands: after each the image stands for the disk that the abstract machine says, and is sound. */
import * as assert from 'uvu/assert'
import { note, suite } from '../../run/suite.js'
import { everywhere } from './exhaustive.js'

const test = suite('every sequence')

/** Commands of the longest sequences: `npm run exhaustive` has longer ones. */
const longest = 3

test('on minimal geometries', () => {
  const { shapes, sequences, refused } = everywhere(longest)
  note(
    `${sequences} sequences of up to ${longest} commands on ${shapes} geometries, ${refused} of them end in a refusal`
  )
  assert.ok(shapes >= 12 && sequences >= 12 * 10 ** 3)
})

test.run()
