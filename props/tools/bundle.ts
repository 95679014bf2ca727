/** The last step of `npm run build`: bundles the command, so that Node starts it in a third of the time. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'

const outdir = 'dist/src/bin'

const options: BuildOptions = {
  outdir,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // These load files of their own, and only when they are needed.
  external: ['koffi', '@bokuweb/zstd-wasm'],
  // The ES modules of the packages, from which esbuild drops unused code.
  alias: { 'fp-ts/lib': 'fp-ts/es6', 'io-ts': 'io-ts/es6/index.js' }
}

rmSync(outdir, { recursive: true, force: true })
await build({
  ...options,
  entryPoints: ['dist/src/node/main.js'],
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl' },
  // A package outside the bundle is required, not imported, when it is needed.
  supported: { 'dynamic-import': false },
  // A function, which src/node/bundle.cts calls.
  banner: {
    js: "(function (require, __filename, module) { const moduleUrl = require('node:url').pathToFileURL(__filename).href;"
  },
  footer: { js: '})' }
})
// Threads start from modules.
await build({
  ...options,
  entryPoints: {
    'parallel-helper': 'dist/src/node/convert/parallel-helper.js',
    'compress-helper': 'dist/src/node/compression/compress-helper.js'
  },
  format: 'esm',
  splitting: true,
  // Packages in CommonJS call `require` for Node's modules.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
  }
})

const cache = fileURLToPath(new URL('bundle-cache.js', import.meta.url))
const { status, stderr } = spawnSync(process.execPath, [cache], { encoding: 'utf8' })
if (status !== 0) throw new Error(stderr)
