/** Commands that run other programs, interrupted: the programs are stopped, and no scratch folder is left. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'

const test = suite('interrupted')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'qcow2-spec-interrupted-'))
test.after(() => rmSync(root, { recursive: true }))

/** A program that reports its number, and then does not end. */
const endless = `/bin/sh -c 'echo $$ > ${root}/pid; exec sleep 60' {image}`

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`)

/** Comes true within ten seconds, or is a failure. */
const until = async (what: string, holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !holds(); i++) await after(20)
  assert.ok(holds(), what)
}

const pidFile = join(root, 'pid')
const reported = (): string => (existsSync(pidFile) ? readFileSync(pidFile, 'latin1') : '')

for (const [command, ...args] of [
  ['conform', '--reader', endless, '--jobs', '1'],
  ['fuzz', '--reader', endless, '--jobs', '1']
] as const)
  test(`${command} stops the program that it runs`, async () => {
    const scratch = join(root, command)
    mkdirSync(scratch)
    rmSync(pidFile, { force: true })
    const child = spawn(process.execPath, [main, command, ...args], {
      cwd: root,
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: scratch }
    })
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', resolve)
    })
    await until('the program runs', () => reported().endsWith('\n'))
    assert.is(readdirSync(scratch).length, 1)
    child.kill('SIGINT')
    assert.is(await ended, 130)
    assert.equal(readdirSync(scratch), [])
    await until('the program is stopped', () => !isRunning(Number(reported())))
  })

test.run()
