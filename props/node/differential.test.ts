/** The writing commands beside QEMU's: they do to real files what qemu-io and qemu-img do, and each reads what the other wrote. */
import * as assert from 'uvu/assert'
import { differential } from '../differential/scripts.js'
import { needsQemu } from '../run/qemu.js'
import { drawFromEnvironment } from '../run/seed.js'
import { note, suite } from '../run/suite.js'

const test = suite('differential')

needsQemu(test)(
  'random scripts leave the same disk, map and verdict here and in QEMU, on twins and in turns',
  async () => {
    const { seed, runs } = drawFromEnvironment()
    const { tally, failure } = await differential(Math.ceil(100 * runs), seed)
    assert.is(failure?.join('\n'), undefined)
    note(`${tally.scripts} scripts, ${tally.relays} times a file changed hands, ${tally.maps} maps compared`)
  }
)

test.run()
