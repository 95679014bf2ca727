/** Keeps the code that Node makes of the command while it does a little of everything. What it prints is nobody's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bundle from './dist/src/node/bundle.cjs'

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

const folder = mkdtempSync(join(tmpdir(), 'qcow2-cache-'))
try {
  const script = bundle.script()
  process.argv = [process.execPath, 'qcow2', '--version']
  const { program } = bundle.run(script)
  process.chdir(folder)
  for (const words of commands) {
    await program().parseAsync(words, { from: 'user' })
    if (process.exitCode !== 0) throw new Error(`it fails: ${words.join(' ')}`)
  }
  writeFileSync(bundle.kept, script.createCachedData())
} finally {
  rmSync(folder, { recursive: true })
}
