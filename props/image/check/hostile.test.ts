/** Hostile images cost time and memory in proportion to their size: the command ends, and never by a signal. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { type Hostile, hostile, writeHostile } from '../../damage/hostile.js'
import { note, suite } from '../../run/suite.js'

const test = suite('hostile')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-hostile-'))
test.after(() => rmSync(folder, { recursive: true }))

const built = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** Most bytes that a command may have in memory, megabytes of its heap, and seconds after which it is taken to hang. */
const mostMemory = 2 ** 29
const heap = 320
const longest = 900

const costs: { readonly what: string; readonly seconds: number; readonly memory: number }[] = []

const held = (path: string, { name }: Hostile, [command = '', ...rest]: readonly string[]): void => {
  const watch = ['--import', built('props/damage/high-water.js')]
  const args = [`--max-old-space-size=${heap}`, ...watch, built('src/node/main.js'), command, path, ...rest]
  const began = performance.now()
  const options = { encoding: 'utf8', timeout: 1000 * longest, killSignal: 'SIGKILL', maxBuffer: 2 ** 28 } as const
  const { status, signal, stderr } = spawnSync(process.execPath, args, options)
  const lines = stderr.split('\n').filter((line) => line !== '')
  const memory = Number(lines.at(-1))
  costs.push({ what: `${command}, ${name}`, seconds: (performance.now() - began) / 1000, memory })
  assert.ok(status !== null && status <= 3, `${command} ended with ${signal ?? status}: ${stderr.slice(0, 400)}`)
  assert.ok(lines.length <= 2, `${command} said more than a line: ${stderr.slice(0, 400)}`)
  assert.ok(memory <= mostMemory, `${command} had ${memory} bytes`)
}

for (const image of hostile)
  test(`${image.name}: ${image.commands.map(([command]) => command).join(', ')}`, () => {
    const path = join(folder, 'img.qcow2')
    writeHostile(path, image)
    for (const command of image.commands) held(path, image, command)
    rmSync(path)
  })

test('the slowest commands on hostile images are within the bounds of time and memory', () => {
  const [slowest] = costs.toSorted((a, b) => b.seconds - a.seconds)
  const [largest] = costs.toSorted((a, b) => b.memory - a.memory)
  if (slowest === undefined || largest === undefined) return
  note(`${costs.length} commands; the slowest took ${slowest.seconds.toFixed(1)} s: ${slowest.what}`)
  note(`the largest had ${Math.round(largest.memory / 2 ** 20)} MiB: ${largest.what}`)
})

test.run()
