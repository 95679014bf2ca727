/** Repairs of damaged images: this package repairs what QEMU repairs and reports its numbers, but for differences with a row. */
import * as assert from 'uvu/assert'
import { needsQemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'
import { compareRepairs } from './repair-trial.js'

const test = suite('repaired')

/** Damages of each structure, always the same; `npm run damaged -- --repairs` draws others. */
const sample = 4

needsQemu(test)(
  'a repair fixes and reports what that of qemu-img does, but for differences that have a row',
  async () => {
    const { counts, faults } = await compareRepairs(sample, 0, 0)
    assert.equal(faults, [])
    const count = (same: boolean): number =>
      [...counts].filter(([key]) => key.endsWith(': same') === same).reduce((sum, [, n]) => sum + n, 0)
    assert.ok(count(true) > count(false))
    note(`${count(true)} repairs are the same. ${[...counts].map(([key, n]) => `${key} ${n}`).join(', ')}`)
  }
)

test.run()
