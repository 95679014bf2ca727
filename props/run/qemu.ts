/** Whether QEMU is installed; without it the tests that compare with it are skipped. */
import { spawnSync } from 'node:child_process'
import type { Suite } from './suite.js'

/** QCOW2_QEMU=no leaves QEMU out of a run. */
const said = process.env['QCOW2_QEMU'] === 'no' ? undefined : spawnSync('qemu-img', ['--version'], { encoding: 'utf8' })

/** The first line of `qemu-img --version`; undefined when there is no qemu-img. */
export const qemu: string | undefined = said?.status === 0 ? said.stdout.split('\n', 1)[0] : undefined

if (qemu === undefined && process.env['QCOW2_REQUIRE_QEMU'] === '1')
  throw new Error('QCOW2_REQUIRE_QEMU is set, but there is no qemu-img on the PATH')

/** Registers a test that runs qemu-img; without one it is skipped. */
export const needsQemu =
  (test: Suite): ((title: string, work: () => void | Promise<void>) => void) =>
  (title, work) =>
    qemu === undefined ? test.skip(title, 'there is no qemu-img on the PATH') : test(title, work)
