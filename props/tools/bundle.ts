/** A step of `npm run build`: bundles the command, so that Node starts it in a third of the time. */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build, type BuildOptions } from 'esbuild'
import { licencesOf } from './licences.js'

const outdir = 'dist/src/bin'

const options: BuildOptions & { readonly metafile: true } = {
  outdir,
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node20',
  // These load files of their own, and only when they are needed.
  external: ['koffi', '@bokuweb/zstd-wasm'],
  // The ES modules of the packages, from which esbuild drops unused code.
  alias: { 'fp-ts/lib': 'fp-ts/es6', 'io-ts': 'io-ts/es6/index.js' }
}

rmSync(outdir, { recursive: true, force: true })
const command = await build({
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
const helpers = await build({
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
writeFileSync(`${outdir}/LICENSES`, licencesOf(command.metafile, helpers.metafile))
// By its digest the bundle finds the code that was compiled of it, and no other.
const text = readFileSync(`${outdir}/main.cjs`)
writeFileSync(
  `${outdir}/main.cjs`,
  `${text.toString()}//${createHash('sha256').update(text).digest('hex').slice(0, 32)}\n`
)
