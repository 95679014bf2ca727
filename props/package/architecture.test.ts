/** The imports of every source file keep to the table of rooms. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Import, importsOf, sourceOf } from '../run/imports.js'
import { suite } from '../run/suite.js'
import { circles, lies, offence, offences, packageOf, root } from './offence.js'
import { below, roomOf, rooms, roomsTable } from './rooms.js'

const test = suite('architecture')

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

/** Each TypeScript file with its imports. */
const imports: ReadonlyMap<string, readonly Import[]> = new Map(
  files
    .filter((path) => /\.(c?ts|tsx)$/.test(path))
    .map((path) => [path.replace(/x$/, ''), importsOf(path, readFileSync(join(root, path), 'utf8'))])
)

test('every file imports from its own room and from rooms that it depends on', () => {
  assert.ok(imports.has('props/package/architecture.test.ts'))
  const found = [...imports].flatMap(([path, all]) =>
    all.flatMap((each) => offence(path, each) ?? []).map((why) => `${path}: ${why}`)
  )
  assert.equal(found, [])
})

test('a room depends only on rooms above it in the table, and on none without need', () => {
  rooms.forEach(({ name, uses }, i) => {
    const above = rooms.slice(0, i).map((room) => room.name)
    assert.equal(
      uses.filter((use) => !above.includes(use)),
      [],
      name
    )
  })
  for (const room of rooms.filter(({ name, effects }) => effects !== true || lies(name, 'src'))) {
    const imported = [...imports]
      .filter(([path]) => roomOf(path) === room)
      .flatMap(([path, all]) => all.flatMap(({ from }) => roomOf(sourceOf(path, from))?.name ?? []))
    for (const use of room.uses) {
      const rest = below({ uses: room.uses.filter((other) => other !== use) })
      assert.ok(
        imported.some((other) => !rest.has(other) && (other === use || below({ uses: [use] }).has(other))),
        `${room.name} need not depend on ${use}`
      )
    }
  }
})

test("README's table of folders is the table of rooms", () => {
  const cells = (line: string): readonly string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n')
  const start = lines.findIndex((line) => String(cells(line)) === String(roomsTable[0]))
  if (start >= 0) {
    const table = lines.slice(start, start + roomsTable.length + 1).map(cells)
    assert.equal(table.toSpliced(1, 1), roomsTable)
  }
})

test('no file imports itself through others', () => {
  const importedBy = new Map(
    [...imports]
      .filter(([path]) => lies(path, 'src') || roomOf(path)?.effects !== true)
      .map(([path, all]) => [path, all.flatMap(({ from }) => (from.startsWith('.') ? [sourceOf(path, from)] : []))])
  )
  assert.equal(circles(importedBy), [])
  const round = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['b']]
  ])
  assert.equal(circles(round), [['b', 'c']])
})

test('the top level holds only the four folders and the files of the package', () => {
  assert.equal(strangers(files), [])
  assert.equal(strangers(['src/a.ts', '.ci/run', 'README.md', 'docs/a.md', 'docs/b.md', 'a.js']), ['docs', 'a.js'])
})

/** Every module that is loaded with one of ours: ours by their paths, others by their names. */
const loadedWith = (entry: string): ReadonlySet<string> => {
  const seen = new Set<string>()
  const load = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { from, typeOnly, lazy } of imports.get(path) ?? []) {
      if (typeOnly || lazy) continue
      if (from.startsWith('.')) load(sourceOf(path, from))
      else seen.add(packageOf(from))
    }
  }
  load(entry)
  return seen
}

test('the entries for browsers load neither Node nor a package that is only for Node', () => {
  for (const entry of ['src/index.ts', 'src/format/index.ts', 'src/image/index.ts']) {
    const loaded = [...loadedWith(entry)]
    assert.ok(loaded.includes('src/bytes/struct.ts'), entry)
    const others = loaded.filter((name) => roomOf(name) === undefined || roomOf(name)?.effects === true)
    assert.equal(
      others.filter((name) => !['fp-ts', 'io-ts', 'fflate', 'fzstd'].includes(name)),
      [],
      entry
    )
  }
})

test('the command line loads no command before it is called, and no command the reader of remote files', () => {
  assert.equal(
    [...loadedWith('src/node/main.ts')].filter((path) => lies(path, 'src/image')),
    []
  )
  for (const path of files.filter((each) => lies(each, 'src/node') && each !== 'src/node/files/remote.ts'))
    assert.not.ok(loadedWith(path).has('src/node/files/remote.ts'), path)
})

test('every file of the commands is loaded by the command line or by a command', () => {
  const loaded = new Set(
    [...imports]
      .filter(([path]) => lies(path, 'src/node'))
      .flatMap(([path, all]) => all.map(({ from }) => (from.startsWith('.') ? sourceOf(path, from) : from)))
  )
  assert.ok(loaded.has('src/node/commands/info.ts'))
  assert.equal(
    files.filter((path) => lies(path, 'src/node/commands') && !loaded.has(path)),
    []
  )
})

/** Code that prints errors or ends the process; the display of progress on a terminal is the one exception. */
const ofMainAlone = /process\.stderr|console\.|\bwrite\w*\(2\b|process\.exit(Code)?\b/
const progress = 'src/node/convert/progress.ts'

test('nothing in the shell but main prints errors or sets the exit code', () => {
  const found = files
    .filter((path) => lies(path, 'src/node') && ofMainAlone.test(readFileSync(join(root, path), 'utf8')))
    .filter((path) => path !== progress)
  assert.equal(found, ['src/node/main.ts'])
  for (const code of ['process.exitCode = 1', 'process.exit(1)', 'console.error(why)', 'writeSync(2, why)'])
    assert.ok(ofMainAlone.test(code), code)
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
  ['src/image/info.ts', "import { a } from '../transition/a.js'", 'src/image may not import src/transition/a.ts'],
  ['src/transition/a.ts', "import { apply } from '../store/a.js'", 'src/transition may not import src/store/a.ts'],
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
  test(`${path} may not have ${source}`, () => {
    assert.equal(offences(path, source), [why])
  })

test('every import that the table allows is accepted', () => {
  const allowed: readonly (readonly [path: string, source: string])[] = [
    ['spec/reference/read.ts', "import { clauses } from '../clauses/index.js'"],
    ['src/bytes/a.ts', "import { clauses } from '../../spec/clauses/index.js'; import * as t from 'io-ts'"],
    ['src/store/a.ts', "import type { Disk } from '../../spec/disk.js'"],
    ['src/transition/a.ts', "import { readMetadata } from '../image/metadata.js'; import { a } from './guest/a.js'"],
    ['src/index.ts', "export * from './format/index.js'; export type { Disk } from '../spec/disk.js'"],
    [
      'src/node/main.ts',
      "import { Command } from 'commander'; import { check } from '../image/index.js'; import 'node:fs'"
    ],
    ['props/arbitrary/a.ts', "import fc from 'fast-check'; import { header } from '../../src/format/header.js'"],
    [
      'props/a.test.ts',
      "import { run } from '../corpus/run.js'; import { a } from '../src/node/a.js'; import 'node:fs'"
    ],
    ['corpus/make.ts', "import * as E from 'fp-ts/lib/Either.js'; import { cook } from './cook.js'"]
  ]
  for (const [path, source] of allowed) assert.equal(offences(path, source), [])
})

test.run()
