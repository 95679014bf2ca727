/** Writes, flushes and truncations that fail: the command is undone. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { execute } from '../../src/node/program.js'
import { needsQemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'
import { type FaultCase, faultCases, inFolder, makeScenes, pathOf, putFiles, removeFolder } from './fault-cases.js'
import { judge, type Prepared, prepare } from './fault-judge.js'
import { type Fault, faultKinds, withFault } from './faults.js'

const test = suite('faults')

test.after(removeFolder)

/** `all`: a fault at every call. */
const isWhole = process.env['QCOW2_FAULTS'] === 'all'
const isBrief = process.env['QCOW2_BRIEF'] === 'yes'

/** Some of the calls, evenly, and the last three. */
const placesIn = (calls: number, most: number): readonly number[] => {
  const step = Math.max(1, calls / most)
  const some = Array.from({ length: Math.min(calls, most) }, (_, i) => Math.floor(i * step))
  return [...new Set([...some, calls - 3, calls - 2, calls - 1])].filter((at) => at >= 0)
}

/** Runs a command in this process. */
const runCommand = async ({ words }: FaultCase, fault?: Fault) => {
  const { value, ...rest } = await withFault(fault, () => execute(inFolder(words), () => undefined)())
  return { failed: E.isLeft(value) || value.right !== 0, ...rest }
}

/** Lets calls of the commands fail in every way. Returns how many faults there were, and how many commands failed. */
const endure = async (most: number, also: (prepared: Prepared, fault: Fault) => void = () => undefined) => {
  const scenes = await makeScenes()
  let [faults, failures] = [0, 0]
  for (const one of faultCases) {
    const prepared = await prepare(one, scenes.get(one.scene) ?? new Map(), async () => {
      const { failed, calls } = await runCommand(one)
      assert.not(failed, one.words.join(' '))
      return calls
    })
    for (const at of placesIn(prepared.calls, isWhole ? Infinity : most))
      for (const kind of faultKinds) {
        putFiles(prepared.files)
        const { failed, isStuck } = await runCommand(one, { kind, at })
        faults++
        if (failed) failures++
        try {
          await judge(prepared, { failed, crashed: isStuck })
          also(prepared, { kind, at })
        } catch (error) {
          const where = `${one.words.join(' ')}: ${kind} at call ${at} of ${prepared.calls}`
          throw new Error(`${where}: ${error instanceof Error ? error.message : ''}`, { cause: error })
        }
      }
  }
  return { faults, failures }
}

test('whichever call fails, a command leaves the old image or the new one', async () => {
  const { faults, failures } = await endure(isBrief ? 4 : 8)
  assert.ok(failures > faults / 3, `${failures} of ${faults} commands fail`)
  note(`${faults} faults in ${faultCases.length} commands, ${failures} of which fail`)
})

needsQemu(test)('QEMU finds nothing wrong after a fault', async () => {
  await endure(2, ({ one, images }, { kind }) => {
    if (one.scene === 'broken' || kind === 'place') return
    for (const name of one.output === undefined ? images.keys() : [one.output]) {
      if (!existsSync(pathOf(name))) continue
      const { status, stdout } = spawnSync('qemu-img', ['check', name], { encoding: 'utf8', cwd: pathOf('.') })
      assert.ok(status === 0 || (status === 3 && one.scene === 'leaky'), stdout)
    }
  })
})

test.run()
