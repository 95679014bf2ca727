/** The command in one file, which Node loads in a third of the time that the modules and their packages take. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

const outdir = 'dist/src/bin'

const options = {
  outdir,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // They come with files of their own, compiled code, and are loaded only where that is needed.
  external: ['fs-native-extensions', '@bokuweb/zstd-wasm'],
  // The packages' own ES modules leave out what is not used.
  alias: { 'fp-ts/lib': 'fp-ts/es6', 'io-ts': 'io-ts/es6/index.js' }
}

rmSync(outdir, { recursive: true, force: true })
await build({
  ...options,
  entryPoints: ['dist/src/node/main.js'],
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl' },
  // A function, which bundle.cjs calls.
  banner: {
    js: "(function (require, __filename, module) { const moduleUrl = require('node:url').pathToFileURL(__filename).href;"
  },
  footer: { js: '})' }
})
// Threads are started from modules.
await build({
  ...options,
  entryPoints: {
    'copy-helper': 'dist/src/node/convert/copy-helper.js',
    'compress-helper': 'dist/src/node/compression/compress-helper.js'
  },
  format: 'esm',
  splitting: true,
  // What is still CommonJS asks for Node's own modules in its way.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
  }
})

const { status, stderr } = spawnSync(process.execPath, ['.cache.js'], { encoding: 'utf8' })
if (status !== 0) throw new Error(stderr)
