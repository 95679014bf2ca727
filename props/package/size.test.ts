/** What a bundler makes of the package for a browser: only what is used, within these sizes. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import * as assert from 'uvu/assert'
import { note, suite } from '../run/suite.js'
import { consumerOf } from './examples.js'
import { root } from './offence.js'

const test = suite('size')
const folder = consumerOf({ 'qcow2-spec': root })

/** A program minified for a browser: its size with gzip, and the modules that something in it is from. */
const bundled = async (contents: string): Promise<{ readonly size: number; readonly from: readonly string[] }> => {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    absWorkingDir: root,
    outfile: join(folder, 'bundle.js')
  })
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
  return {
    size: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length,
    from: parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
  }
}

/** A program that imports these names, and uses them. */
const using = (names: string, entry: string): string => `import { ${names} } from '${entry}'\nconsole.log(${names})`

const guest = 'activeDisk, readGuest, portable, fromBlob, runAsync'

const limits: readonly (readonly [what: string, names: string, entry: string, kilobytes: number])[] = [
  ['the codec of the header', 'header', 'qcow2-spec/format', 9],
  ['the codec of the header, from the main entry', 'header', 'qcow2-spec', 9],
  ['a reader of guest disks with both decompressors', `header, geometry, ${guest}`, 'qcow2-spec', 26],
  ['a reader of all metadata and guest disks', `readMetadata, ${guest}`, 'qcow2-spec/image', 33],
  ['a reader of all metadata and guest disks, from the main entry', `readMetadata, ${guest}`, 'qcow2-spec', 33]
]

for (const [what, names, entry, kilobytes] of limits)
  test(`${what} is at most ${kilobytes} kB`, async () => {
    const { size, from } = await bundled(using(names, entry))
    note(`${what}: ${size} bytes`)
    assert.ok(size <= kilobytes * 1000, `${size} bytes, from ${from.join(' ')}`)
    assert.ok(size > kilobytes * 700, `${size} bytes: lower the limit`)
    const needless = from.filter((path) => /^dist\/spec\/|node_modules\/(io-ts|fp-ts\/lib)\//.test(path))
    assert.equal(needless, [], 'neither the texts of clauses nor io-ts nor the CommonJS of fp-ts')
    assert.ok(from.includes('dist/src/format/header.js'))
  })

test.run()
