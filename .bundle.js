/** The command in a few files, which Node loads in half the time that the modules and their packages take. */
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

const outdir = 'dist/src/bin'

rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints: ['main', 'copy-helper', 'compress-helper'].map((name) => `dist/src/node/${name}.js`),
  outdir,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // They come with files of their own, compiled code, and are loaded only where that is needed.
  external: ['fs-native-extensions', '@bokuweb/zstd-wasm'],
  // The packages' own ES modules leave out what is not used.
  alias: { 'fp-ts/lib': 'fp-ts/es6', 'io-ts': 'io-ts/es6/index.js' },
  // What is still CommonJS asks for Node's own modules in its way.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
  }
})
