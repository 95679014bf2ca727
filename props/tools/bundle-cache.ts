/** Runs some commands of the bundle and stores the code that V8 compiled for them beside it. Its output is discarded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bundle from '../../src/node/bundle.cjs'

const commands = [
  ['create', '-o', 'cluster_size=4k', 'image', '1M'],
  ['bitmap', '--add', 'image', 'b'],
  ['io', '-c', 'write 0 64k', '-c', 'read 0 64k', 'image'],
  ['snapshot', '-c', 's', 'image'],
  ['snapshot', '-l', 'image'],
  ['info', 'image'],
  ['check', 'image'],
  ['map', '--output=json', 'image'],
  ['convert', 'image', 'raw'],
  ['convert', '-f', 'raw', '-O', 'qcow2', 'raw', 'other'],
  ['convert', '-c', '-O', 'qcow2', 'image', 'small'],
  ['convert', 'small', 'raw'],
  ['compare', 'image', 'other']
]

/** What the bundle exports. */
interface Main {
  readonly run: (words: readonly string[]) => Promise<void>
}

const isMain = (exported: unknown): exported is Main =>
  typeof exported === 'object' && exported !== null && 'run' in exported && typeof exported.run === 'function'

const folder = mkdtempSync(join(tmpdir(), 'qcow2-cache-'))
try {
  const script = bundle.script()
  process.argv = [process.execPath, 'qcow2', '--version']
  const main = bundle.run(script)
  if (!isMain(main)) throw new Error('the bundle does not export run')
  process.chdir(folder)
  for (const words of commands) {
    await main.run(words)
    if (process.exitCode !== 0) throw new Error(`it fails: ${words.join(' ')}`)
  }
  writeFileSync(bundle.kept, script.createCachedData())
} finally {
  rmSync(folder, { recursive: true })
}
