/** A name is plain exactly where every system takes it for a file below the folder it starts in. */
import { posix, win32 } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromText } from '../../src/bytes/octets.js'
import { type NameKind, nameKind, pathKind } from '../../src/image/name-kind.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('names inside images')

const examples: readonly (readonly [name: string, backing: NameKind, path: NameKind])[] = [
  ['', 'empty', 'empty'],
  ['base.qcow2', 'plain', 'plain'],
  ['a/b/base.qcow2', 'plain', 'plain'],
  ['./nbd:base', 'plain', 'plain'],
  ['..base', 'plain', 'plain'],
  ['a/../base.qcow2', 'plain', 'plain'],
  ['a/./..//b', 'plain', 'plain'],
  ['größe.qcow2', 'plain', 'plain'],
  ['..', 'escaping', 'escaping'],
  ['../base.qcow2', 'escaping', 'escaping'],
  ['a/../../base.qcow2', 'escaping', 'escaping'],
  ['a/../../a/base.qcow2', 'escaping', 'escaping'],
  ['..\\base.qcow2', 'escaping', 'escaping'],
  ['a\\..\\..\\base.qcow2', 'escaping', 'escaping'],
  ['/etc/shadow', 'absolute', 'absolute'],
  ['//server/share', 'absolute', 'absolute'],
  ['\\\\server\\share', 'absolute', 'absolute'],
  ['\\\\.\\PhysicalDrive0', 'absolute', 'absolute'],
  ['C:\\base.qcow2', 'absolute', 'absolute'],
  ['c:/base.qcow2', 'absolute', 'absolute'],
  ['c:base.qcow2', 'protocol', 'absolute'],
  ['file:base.qcow2', 'protocol', 'plain'],
  ['file:/etc/shadow', 'protocol', 'plain'],
  ['file:/../../shadow', 'protocol', 'escaping'],
  ['nbd://server:10809/disk', 'protocol', 'plain'],
  ['https://server/disk', 'protocol', 'plain'],
  ['fat:rw:/tmp', 'protocol', 'plain'],
  [':base', 'protocol', 'plain'],
  ['json:{"driver":"file","filename":"/etc/shadow"}', 'json', 'plain'],
  ['json:', 'json', 'plain'],
  ['JSON:{}', 'protocol', 'plain'],
  [' json:{}', 'protocol', 'plain'],
  ['base\0.qcow2', 'unreadable', 'unreadable'],
  ['\0', 'unreadable', 'unreadable'],
  ['json:{\0}', 'unreadable', 'unreadable']
]

for (const [name, backing, path] of examples)
  test(`${JSON.stringify(name)} is ${backing} for a backing file, ${path} for a data file`, () => {
    assert.is(nameKind(fromText(name)), backing)
    assert.is(pathKind(fromText(name)), path)
  })

const pieces = ['a', 'b.c', '..', '.', '/', '\\', ':', 'C:', 'json:', 'file:', '...', ' ', '\0', 'ö']
const anyName = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom('a', '..', '.', 'b', ''), { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/')),
  fc.string({ unit: 'binary', maxLength: 12 })
)

/** Whether a path, taken from this folder, stays in it. */
const stays = (system: typeof posix, folder: string, name: string): boolean => {
  const way = system.relative(folder, system.resolve(folder, name))
  return way !== '..' && !way.startsWith(`..${system.sep}`) && !system.isAbsolute(way)
}

test('a plain name stays in any folder on any system, and one that leaves it is not plain', () => {
  holds(
    fc.property(anyName, (name) => {
      const kind = pathKind(fromText(name))
      const everywhere = stays(posix, '/x/y', name) && stays(win32, 'q:\\x\\y', name)
      if (kind === 'plain') assert.ok(everywhere)
      if (kind === 'escaping') assert.not.ok(stays(win32, 'q:\\x\\y', name))
      if (posix.isAbsolute(name) || win32.isAbsolute(name)) assert.ok(kind === 'absolute' || kind === 'unreadable')
      if (!everywhere) assert.ok(['absolute', 'escaping', 'unreadable'].includes(kind))
    }),
    { runs: 3000 }
  )
})

test('a backing file name that is plain has no colon before its first slash, and is plain as a path', () => {
  holds(
    fc.property(anyName, (name) => {
      const [backing, path] = [nameKind(fromText(name)), pathKind(fromText(name))]
      if (backing === 'plain') assert.not.match(name, /^[^/]*:/)
      assert.ok(backing === path || backing === 'json' || backing === 'protocol')
    }),
    { runs: 3000 }
  )
})

test('a name that is not UTF-8 text without NUL is unreadable', () => {
  for (const bytes of [[0xff], [0x61, 0xc3], [0x2f, 0xfe], [0xed, 0xa0, 0x80]]) {
    assert.is(nameKind(Uint8Array.from(bytes)), 'unreadable')
    assert.is(pathKind(Uint8Array.from(bytes)), 'unreadable')
  }
})

test.run()
