/** Which way the rooms depend on each other, read from the imports of every source file. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { type Import, importsOf, sourceOf } from '../run/imports.js'
import { suite } from '../run/suite.js'

const test = suite('architecture')
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The rooms of a folder, each with the rooms of the same folder that it may import. */
const inside = (
  folder: string,
  rooms: Readonly<Record<string, readonly string[]>>,
  below: readonly string[]
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(rooms).map(([room, lower]) => [
      `${folder}/${room}`,
      [...below, ...lower.map((name) => `${folder}/${name}`)]
    ])
  )

const sources = (...names: readonly string[]): readonly string[] => names.map((name) => `${name}.ts`)

/** What the rooms of src/image share. */
const imageShared = sources('metadata', 'bitmap-tables', 'cluster-set', 'gaps', 'neighbours')
const belowImage = ['spec', 'src/bytes', 'src/format', 'src/compression']
const belowTransition = [...belowImage, 'src/image', 'src/store']

/** The pure rooms of src, and what each may import from besides itself. A room inside a room stands before it. */
const pureRooms: Readonly<Record<string, readonly string[]>> = {
  'src/bytes': ['spec'],
  'src/format': ['spec', 'src/bytes'],
  'src/compression': ['spec', 'src/bytes'],
  ...inside('src/image', { guest: imageShared, check: imageShared, dump: imageShared }, belowImage),
  'src/image': belowImage,
  'src/store': ['spec', 'src/bytes'],
  ...inside(
    'src/transition',
    {
      engine: [],
      guest: ['engine'],
      snapshots: ['engine'],
      bitmaps: ['engine'],
      resize: ['engine', 'guest', 'bitmaps'],
      create: ['engine', 'resize'],
      amend: ['engine', 'guest', 'bitmaps', 'create'],
      repair: ['engine', 'snapshots']
    },
    belowTransition
  ),
  'src/transition': belowTransition
}
/** What the folders of the shell import of each other. */
const failing = 'src/node/command-error.ts'
const aroundImages = [failing, 'src/node/files', 'src/node/compression']
const aroundCommands = ['src/node/text', 'src/node/images', ...aroundImages]
const shellRooms = {
  [failing]: [],
  'src/node/text': [failing],
  'src/node/files': [failing],
  'src/node/compression': [failing],
  'src/node/images': aroundImages,
  'src/node/convert': aroundCommands,
  'src/node/io': aroundCommands,
  'src/node/commands': aroundCommands
}
const rooms: Readonly<Record<string, readonly string[]>> = {
  spec: [],
  ...pureRooms,
  ...Object.fromEntries(
    Object.entries(shellRooms).map(([room, lower]) => [room, ['spec', ...Object.keys(pureRooms), ...lower]])
  ),
  'src/index.ts': ['spec', ...Object.keys(pureRooms)],
  'src/node': ['spec', 'src'],
  'props/arbitrary': ['spec', 'src/index.ts', ...Object.keys(pureRooms)]
}
/** Folders outside of the order: they may import anything, and nothing above imports them. */
const outside = ['props', 'corpus']

const topLevel = [
  'src',
  'spec',
  'props',
  'corpus',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE'
]

const lies = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)
const isOf = (folders: readonly string[], path: string): boolean => folders.some((folder) => lies(path, folder))

const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const dependencies =
  typeof manifest === 'object' && manifest !== null && 'dependencies' in manifest
    ? Object.keys(manifest.dependencies ?? {})
    : []
const packageOf = (from: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from

/** What is wrong with one import, if anything. */
const offence = (path: string, { from, typeOnly }: Import): string | undefined => {
  const room = Object.keys(rooms).find((name) => lies(path, name))
  if (room === undefined && !isOf(outside, path)) return 'lies in no room'
  const ours = isOf(['src', 'spec'], path)
  if (!from.startsWith('.')) {
    if (/^(fp|io)-ts\//.test(from) && !/^(fp|io)-ts\/lib\/.+\.js$/.test(from))
      return `${from} does not load in plain node`
    const builtin = from.startsWith('node:') || builtinModules.includes(from)
    if (builtin) return room === undefined || lies(room, 'src/node') ? undefined : `${from} is not for a pure folder`
    return ours && !dependencies.includes(packageOf(from)) ? `${from} is not a declared dependency` : undefined
  }
  if (room === undefined) return undefined
  const target = sourceOf(path, from)
  if (!isOf([room, ...(rooms[room] ?? [])], target)) return `${room} may not import ${target}`
  const valueOfSpec = lies(path, 'src') && lies(target, 'spec') && !typeOnly
  return valueOfSpec && !lies(target, 'spec/clauses') ? `from ${target}, src may import types only` : undefined
}

/** The circles among files: each as the files on it, in the order in which they import each other. */
const circles = (importedBy: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] => {
  const found: (readonly string[])[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push(way.slice(way.indexOf(path)))
    if (done.has(path)) return
    done.add(path)
    for (const next of importedBy.get(path) ?? []) visit(next, [...way, path])
  }
  for (const path of importedBy.keys()) visit(path, [])
  return found
}

const offences = (path: string, text: string): readonly string[] =>
  importsOf(path, text).flatMap((each) => offence(path, each) ?? [])

const strangers = (paths: readonly string[]): readonly string[] =>
  [...new Set(paths.map((path) => path.split('/', 1).join()))].filter(
    (top) => !top.startsWith('.') && !topLevel.includes(top)
  )

/** Every file that is tracked, or neither tracked nor ignored. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8'
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)))

test('every import keeps to the direction of the rooms', () => {
  const sources = files.filter((path) => path.endsWith('.ts'))
  assert.ok(sources.includes('props/package/architecture.test.ts'))
  const found = sources.flatMap((path) =>
    offences(path, readFileSync(join(root, path), 'utf8')).map((each) => `${path}: ${each}`)
  )
  assert.equal(found, [])
})

test('no file imports itself by way of others', () => {
  const imported = (path: string): readonly string[] =>
    importsOf(path, readFileSync(join(root, path), 'utf8'))
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from }) => sourceOf(path, from))
  const ours = files.filter((path) => path.endsWith('.ts') && isOf(['src', 'spec'], path) && !lies(path, 'src/node'))
  assert.equal(circles(new Map(ours.map((path) => [path, imported(path)]))), [])
  const round = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['b']]
  ])
  assert.equal(circles(round), [['b', 'c']])
})

test('the top level holds nothing but the four folders and the files of the package', () => {
  assert.equal(strangers(files), [])
  assert.equal(strangers(['src/a.ts', '.ci/run', 'README.md', 'docs/a.md', 'docs/b.md', 'a.js']), ['docs', 'a.js'])
})

/** Every module that is loaded with one of ours: ours by their paths, others by their names. */
const loadedWith = (entry: string): ReadonlySet<string> => {
  const seen = new Set<string>()
  const load = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { from, typeOnly, lazy } of importsOf(path, readFileSync(join(root, path), 'utf8'))) {
      if (typeOnly || lazy) continue
      if (from.startsWith('.')) load(sourceOf(path, from))
      else seen.add(packageOf(from))
    }
  }
  load(entry)
  return seen
}

test('the entries for browsers load nothing of Node, and no package but those made for browsers too', () => {
  for (const entry of ['src/index.ts', 'src/format/index.ts', 'src/image/index.ts']) {
    const loaded = [...loadedWith(entry)]
    assert.ok(loaded.includes('src/bytes/struct.ts'), entry)
    const others = loaded.filter((name) => !isOf(['spec', ...Object.keys(pureRooms), 'src/index.ts'], name))
    assert.equal(
      others.filter((name) => !['fp-ts', 'io-ts', 'fflate', 'fzstd'].includes(name)),
      [],
      entry
    )
  }
})

test('the command line starts without any command, and every command without what reads from servers', () => {
  assert.equal(
    [...loadedWith('src/node/main.ts')].filter((path) => lies(path, 'src/image')),
    []
  )
  for (const path of files.filter((each) => lies(each, 'src/node') && each !== 'src/node/files/remote.ts'))
    assert.not.ok(loadedWith(path).has('src/node/files/remote.ts'), path)
})

const against: readonly (readonly [path: string, source: string, why: string])[] = [
  ['spec/disk.ts', "import { u64 } from '../src/bytes/leaf.js'", 'spec may not import src/bytes/leaf.ts'],
  ['spec/disk.ts', "import type { Leaf } from '../src/bytes/leaf.js'", 'spec may not import src/bytes/leaf.ts'],
  ['spec/disk.ts', "import { holds } from '../props/check.js'", 'spec may not import props/check.ts'],
  ['src/bytes/a.ts', "import { header } from '../format/header.js'", 'src/bytes may not import src/format/header.ts'],
  ['src/bytes/a.ts', "export * from '../format/header.js'", 'src/bytes may not import src/format/header.ts'],
  ['src/bytes/a.ts', "type A = import('../format/header.js').A", 'src/bytes may not import src/format/header.ts'],
  ['src/bytes/a.ts', "const f = () => import('../node/a.js')", 'src/bytes may not import src/node/a.ts'],
  ['src/format/a.ts', "import { open } from '../image/open.js'", 'src/format may not import src/image/open.ts'],
  [
    'src/format/a.ts',
    "import { inflate } from '../compression/a.js'",
    'src/format may not import src/compression/a.ts'
  ],
  ['src/compression/a.ts', "import { l2 } from '../format/l2.js'", 'src/compression may not import src/format/l2.ts'],
  ['src/image/a.ts', "import { store } from '../store/a.js'", 'src/image may not import src/store/a.ts'],
  ['src/image/a.ts', "import { write } from '../transition/a.js'", 'src/image may not import src/transition/a.ts'],
  ['src/image/check/a.ts', "import { a } from '../guest/a.js'", 'src/image/check may not import src/image/guest/a.ts'],
  ['src/image/gaps.ts', "import { a } from '../transition/a.js'", 'src/image may not import src/transition/a.ts'],
  [
    'src/transition/engine/a.ts',
    "import { a } from '../guest/a.js'",
    'src/transition/engine may not import src/transition/guest/a.ts'
  ],
  ['src/store/a.ts', "import { open } from '../image/open.js'", 'src/store may not import src/image/open.ts'],
  ['src/transition/a.ts', "import { file } from '../node/file.js'", 'src/transition may not import src/node/file.ts'],
  ['src/transition/a.ts', "import { all } from '../index.js'", 'src/transition may not import src/index.ts'],
  ['src/index.ts', "export * from './node/main.js'", 'src/index.ts may not import src/node/main.ts'],
  ['src/node/a.ts', "import { holds } from '../../props/check.js'", 'src/node may not import props/check.ts'],
  ['src/node/a.ts', "import { make } from '../../corpus/make.js'", 'src/node may not import corpus/make.ts'],
  ['src/node/a.ts', "import { read } from '../../spec/disk.js'", 'from spec/disk.ts, src may import types only'],
  ['props/arbitrary/a.ts', "import { a } from '../../src/node/a.js'", 'props/arbitrary may not import src/node/a.ts'],
  ['props/arbitrary/a.ts', "import { a } from '../check.js'", 'props/arbitrary may not import props/check.ts'],
  ['src/other/a.ts', "import * as E from 'fp-ts/lib/Either.js'", 'lies in no room'],
  ['src/node/a.ts', "import * as E from 'fp-ts/Either'", 'fp-ts/Either does not load in plain node'],
  ['props/a.ts', "import * as E from 'fp-ts/lib/Either'", 'fp-ts/lib/Either does not load in plain node'],
  [
    'props/a.ts',
    "import { PathReporter } from 'io-ts/PathReporter.js'",
    'io-ts/PathReporter.js does not load in plain node'
  ],
  ['src/bytes/a.ts', "import { readFileSync } from 'node:fs'", 'node:fs is not for a pure folder'],
  ['spec/disk.ts', "import 'fs'", 'fs is not for a pure folder'],
  ['props/arbitrary/a.ts', "import { inspect } from 'node:util'", 'node:util is not for a pure folder'],
  ['src/node/a.ts', "import fc from 'fast-check'", 'fast-check is not a declared dependency'],
  ['spec/disk.ts', "import { a } from '@some/thing/deep.js'", '@some/thing/deep.js is not a declared dependency'],
  ['src/node/images/a.ts', "import '../io/b.js'", 'src/node/images may not import src/node/io/b.ts'],
  ['src/node/a.ts', 'const f = (name: string) => import(name)', '(computed) is not a declared dependency']
]

for (const [path, source, why] of against)
  test(`${path} is refused: ${source}`, () => {
    assert.equal(offences(path, source), [why])
  })

test('what the rooms allow is not refused', () => {
  const allowed: readonly (readonly [path: string, source: string])[] = [
    ['spec/reference/read.ts', "import { clauses } from '../clauses/index.js'"],
    ['src/bytes/a.ts', "import { clauses } from '../../spec/clauses/index.js'; import * as t from 'io-ts'"],
    ['src/store/a.ts', "import type { Disk } from '../../spec/disk.js'"],
    ['src/transition/a.ts', "import { open } from '../image/open.js'; import { apply } from '../store/apply.js'"],
    ['src/index.ts', "export * from './format/index.js'; export type { Disk } from '../spec/disk.js'"],
    ['src/node/main.ts', "import { Command } from 'commander'; import { all } from '../index.js'; import 'node:fs'"],
    ['props/arbitrary/a.ts', "import fc from 'fast-check'; import { header } from '../../src/format/header.js'"],
    [
      'props/a.test.ts',
      "import { run } from '../corpus/run.js'; import { a } from '../src/node/a.js'; import 'node:fs'"
    ],
    ['corpus/make.ts', "import * as E from 'fp-ts/lib/Either.js'; import { read } from '../spec/reference/read.js'"]
  ]
  for (const [path, source] of allowed) assert.equal(offences(path, source), [])
})

test.run()
