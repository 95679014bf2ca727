/** Whether programs can be traced; without it the tests that run them are skipped. */
import { spawnSync } from 'node:child_process'
import type { Suite } from '../run/suite.js'

/** Whether strace is installed and may trace. */
export const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0

/** Registers a test that runs strace; without it the test is skipped. */
export const needsStrace =
  (test: Suite): ((title: string, work: () => void | Promise<void>) => void) =>
  (title, work) =>
    canTrace ? test(title, work) : test.skip(title, 'strace cannot be run')
