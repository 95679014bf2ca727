/** Keeps the code that Node makes of the command while it does a little of everything. What it prints is nobody's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { constants, Script } from 'node:vm'

const filename = resolve('dist/src/bin/main.cjs')
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
})

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
  const module = { exports: {} }
  process.argv = [process.execPath, filename, '--version']
  script.runInThisContext()(createRequire(filename), filename, module)
  process.chdir(folder)
  for (const words of commands) await module.exports.program().parseAsync(words, { from: 'user' })
  writeFileSync(`${filename}.cache`, script.createCachedData())
} finally {
  rmSync(folder, { recursive: true })
}
