/** Command lines that stand by themselves: help texts, wrong words, new images, and what is asked of files that are none. */
import { gzipSync } from 'node:zlib'
import { arbitraryShape, type Shape } from '../../arbitrary/shape.js'
import fc from 'fast-check'
import type { Unnumbered } from './images.js'
import type { Ask, FileData } from './protocol.js'

const commands = [
  'info',
  'check',
  'map',
  'read',
  'compare',
  'dump',
  'assemble',
  'explain',
  'io',
  'snapshot',
  'resize',
  'bitmap',
  'amend',
  'rebase',
  'convert',
  'create',
  'commit'
]

const asks = (makes: readonly string[], ...lines: readonly string[]): readonly Ask[] =>
  lines.map((line) => ({ words: line === '' ? [] : line.split(' '), makes }))

const help: readonly Ask[] = [
  ...asks([], '', '--help', '--version', 'help', 'create -o help', 'convert -o help a b', 'amend -o help a'),
  ...asks([], ...commands.map((name) => `${name} --help`), ...commands.map((name) => `help ${name}`))
]

/** The verbs; of `io` with a line, since without one it reads the standard input, which this process has but once. */
const verbs = commands.map((name) => (name === 'io' ? 'io -c length' : name))

/** Words that no command takes, or not together, and files that are not there. */
const wrong: readonly Ask[] = asks(
  ['out.qcow2', 'out.raw'],
  'no-such-command',
  '--no-such-option',
  ...commands,
  ...verbs.map((name) => `${name} --no-such-option`),
  ...verbs.map((name) => `${name} missing.qcow2`),
  ...verbs.map((name) => `${name} a b c d e`),
  ...verbs.map((name) => `${name} --image-opts driver=raw,file.filename=img.qcow2`),
  ...verbs.map((name) => `${name} -f vmdk img.qcow2`),
  'check -r some img.qcow2',
  'check -f raw img.qcow2',
  'info -f raw img.qcow2',
  'map --output=xml img.qcow2',
  'map -s x img.qcow2',
  'map --snapshot a --bitmap b img.qcow2',
  'read img.qcow2 0',
  'read img.qcow2 -1 5',
  'read img.qcow2 9000P 5',
  'explain img.qcow2 nowhere',
  'snapshot -l -c a img.qcow2',
  'snapshot -c a -d b img.qcow2',
  'resize img.qcow2 x',
  'resize img.qcow2 -1E',
  'bitmap img.qcow2 b',
  'bitmap --add -g 3 img.qcow2 b',
  'amend img.qcow2',
  'amend -o nothing=1 img.qcow2',
  'amend -o compat=2 img.qcow2',
  'rebase img.qcow2',
  'rebase -u -b x img.qcow2',
  'convert -O vmdk img.qcow2 out.raw',
  'convert -O qcow2 -o cluster_size=3 img.qcow2 out.qcow2',
  'convert -n -o size=1 img.qcow2 out.raw',
  'convert --target-is-zero img.qcow2 out.raw',
  'convert --skip-broken-bitmaps img.qcow2 out.raw',
  'convert -c img.qcow2 out.raw',
  'convert -B base.raw img.qcow2 out.raw',
  'convert -m 99 img.qcow2 out.raw',
  'convert -S 7 img.qcow2 out.raw',
  'convert -t never img.qcow2 out.raw',
  'create out.qcow2',
  'create out.qcow2 x',
  'create -f vmdk out.qcow2 1M',
  'create -b missing.qcow2 out.qcow2 1M',
  'create -b missing.qcow2 -F qcow2 out.qcow2 1M',
  'create -o nothing=1 out.qcow2 1M',
  'create -o cluster_size=1000 out.qcow2 1M',
  'create -o compat=0.10,extended_l2=on out.qcow2 1M',
  'io -c nothing img.qcow2',
  'io -c write img.qcow2',
  'io -c quit',
  'commit img.qcow2',
  'assemble img.qcow2 out.qcow2',
  'check folder',
  'check http://localhost:1/a.qcow2',
  'compare img.qcow2 missing.qcow2',
  'compare -f raw img.qcow2 img.qcow2'
)

const text = (bytes: Uint8Array | string): FileData => ({ gzip: gzipSync(bytes).toString('base64') })

/** Files that are no image. */
const strangers: readonly (readonly [string, FileData])[] = [
  ['an empty file', text('')],
  ['a short file', text('QFI')],
  ['zeros', text(new Uint8Array(4096))],
  ['a gzip file', text(gzipSync('QFI'))],
  ['a text', text('# not a disk\n'.repeat(100))],
  ['vmdk', text('KDMV'.padEnd(1024, '\0'))],
  ['vdi', text('<<< Oracle VM VirtualBox Disk Image >>>'.padEnd(1024, '\0'))],
  ['vhdx', text('vhdxfile'.padEnd(1024, '\0'))],
  ['the end of a header', text(Buffer.from('514649fb00000003', 'hex'))],
  ['version 1', text(Buffer.from('514649fb00000001'.padEnd(1024, '0'), 'hex'))],
  ['version 9', text(Buffer.from('514649fb00000009'.padEnd(1024, '0'), 'hex'))]
]

const strange = commands
  .filter((name) => !['create', 'assemble', 'compare', 'convert', 'io', 'bitmap', 'resize', 'read'].includes(name))
  .flatMap((name) => asks(['img.qcow2'], `${name} img.qcow2`))
  .concat(
    asks(
      ['img.qcow2'],
      'read img.qcow2 0 512',
      'resize img.qcow2 +1M',
      'bitmap --add img.qcow2 b',
      'snapshot -l img.qcow2',
      'io -c length img.qcow2',
      'compare img.qcow2 img.qcow2',
      'convert img.qcow2 out.raw',
      'check -r all img.qcow2',
      'amend -o compat=1.1 img.qcow2'
    )
  )

const optionsOf = fc.tuple(
  arbitraryShape.filter(({ options }) => (options.clusterBits ?? 16) <= 18),
  fc.constantFrom('', 'preallocation=metadata', 'preallocation=falloc', 'preallocation=full', 'lazy_refcounts=on')
)

const createAsk = ([{ options: o }, more]: readonly [Shape, string]): Ask => {
  const options = [
    `cluster_size=${2 ** (o.clusterBits ?? 16)}`,
    ...(o.version === 2 ? ['compat=0.10'] : []),
    ...(o.refcountOrder === undefined ? [] : [`refcount_bits=${2 ** o.refcountOrder}`]),
    ...(o.extendedL2 === true ? ['extended_l2=on'] : []),
    ...(o.compressionType === undefined ? [] : [`compression_type=${o.compressionType}`]),
    ...(o.dataFile === undefined ? [] : ['data_file=out.raw']),
    ...(more === '' ? [] : [more])
  ]
  return { words: ['create', '-o', options.join(','), 'out.qcow2', String(o.size)], makes: ['out.qcow2', 'out.raw'] }
}

/** Every one of them. */
export const lineItems = (seed: number): readonly Unnumbered[] => [
  { kind: 'help', recipe: 'help texts', files: {}, asks: help },
  { kind: 'wrong words', recipe: 'wrong words', files: { 'img.qcow2': text('no image') }, asks: wrong },
  ...strangers.map(([recipe, file]) => ({ kind: 'stranger', recipe, files: { 'img.qcow2': file }, asks: strange })),
  {
    kind: 'created',
    recipe: 'new images',
    files: {},
    asks: fc.sample(optionsOf, { seed, numRuns: 300 }).map(createAsk)
  }
]
