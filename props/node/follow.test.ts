/** Which names inside an image are followed, and to which file: the path without links decides. */
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as assert from 'uvu/assert'
import { fromText } from '../../src/bytes/octets.js'
import type { CommandError } from '../../src/node/command-error.js'
import { openFile, type Place } from '../../src/node/files/file.js'
import { openDiskFile } from '../../src/node/files/disk-file.js'
import { backingPlace } from '../../src/node/images/follow.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('names that are followed')

const root = realpathSync(mkdtempSync(join(tmpdir(), 'qcow2-follow-')))
const at = (path: string): string => join(root, path)

test.before(() => {
  for (const folder of ['d/e', 'd/..b', 'd/a/a', 'dd', 'e/f', 'new']) mkdirSync(at(folder), { recursive: true })
  for (const file of ['d/b', 'd/e/b', 'd/nbd:b', 'd/a/b', 'd/..b/b', 'dd/b', 'e/b', 'e/f/b'])
    writeFileSync(at(file), 'b')
  symlinkSync('b', at('d/inner'))
  symlinkSync('../e/b', at('d/outer'))
  symlinkSync('../e', at('d/away'))
  symlinkSync('d', at('link'))
  symlinkSync('../dd/nothing', at('d/dangling'))
})
test.after(() => {
  rmSync(root, { recursive: true })
})

const placeOf = (image: string, name: string | readonly number[], ...allow: readonly string[]) =>
  backingPlace(image, typeof name === 'string' ? fromText(name) : Uint8Array.from(name), allow)

/** Where a backing file name leads, or the reason why it leads nowhere; paths from the folder of all. */
const led = (image: string, name: string | readonly number[], ...allow: readonly string[]): string =>
  E.match(
    ({ message }: CommandError) =>
      message.replace(/^Could not open backing file '[^']*': /, '').replaceAll(`${root}/`, '@'),
    ({ resolved = '' }: Place) => relative(root, resolved)
  )(placeOf(image, name, ...allow))

test('a file in the folder of the image is followed, by whatever path leads there', () => {
  const image = at('d/i.qcow2')
  assert.is(led(image, 'b'), 'd/b')
  assert.is(led(image, 'e/b'), 'd/e/b')
  assert.is(led(image, './nbd:b'), 'd/nbd:b')
  assert.is(led(image, '..b/b'), 'd/..b/b')
  assert.is(led(image, at('d/e/../b')), 'd/b')
  assert.is(led(image, '../d/b'), 'd/b')
  assert.is(led(image, '../link/b'), 'd/b')
  assert.is(led(image, 'inner'), 'd/b')
  assert.is(led(at('link/i.qcow2'), 'b'), 'd/b')
  assert.is(led(at('link/i.qcow2'), at('d/b')), 'd/b')
})

test('a file elsewhere is followed where its folder is allowed, and the reason names the folder', () => {
  const image = at('d/i.qcow2')
  const outside = "it lies outside the image's folder; --allow @e lets it be opened"
  assert.is(led(image, '../e/b'), outside)
  assert.is(led(image, at('e/b')), outside)
  assert.is(led(image, at('e/b'), at('e/f')), outside)
  assert.is(led(image, at('e/missing')), outside)
  assert.is(led(image, at('e/b'), at('d'), at('e')), 'e/b')
  assert.is(led(image, at('dd/b')), "it lies outside the image's folder; --allow @dd lets it be opened")
})

test('a link of a file or of a folder is followed where the file that it leads to may be', () => {
  const image = at('d/i.qcow2')
  const outside = "it leads to '@e/b', outside the image's folder; --allow @e lets it be opened"
  assert.is(led(image, 'outer'), outside)
  assert.is(led(image, 'away/b'), outside)
  assert.is(led(image, at('link/away/b')), outside)
  assert.is(led(image, 'outer', at('e')), 'e/b')
  assert.is(led(image, 'outer', at('d/away')), 'e/b')
  // `..` of a linked folder is the folder around its target.
  assert.is(
    led(image, 'away/../dd/b'),
    "it leads to '@dd/b', outside the image's folder; --allow @dd lets it be opened"
  )
  assert.match(led(image, 'dangling'), 'no such file or directory')
})

test('a file that takes the place of the one that was judged is not opened', async () => {
  const [file, folder, away] = ['new/swapped', 'new/folder', 'new/was'].map(at)
  const open = async (place: Place): Promise<readonly E.Either<CommandError, { readonly close: () => void }>[]> => {
    const opened: E.Either<CommandError, { readonly close: () => void }>[] = []
    const tasks: readonly TaskEither<CommandError, { readonly close: () => void }>[] = [
      openFile(place, 'image'),
      openDiskFile(place)
    ]
    for (const task of tasks) {
      const each = await task()
      if (E.isRight(each)) each.right.close()
      opened.push(each)
    }
    return opened
  }
  const judged = (name: string): Place => {
    const place = placeOf(at('new/i.qcow2'), name)
    assert.ok(E.isRight(place))
    return place.right
  }
  const refuses = async (place: Place): Promise<void> => {
    for (const opened of await open(place))
      assert.is(
        E.isLeft(opened) && opened.left.message,
        `Could not open '${place.name}': another file has taken its place`
      )
  }
  writeFileSync(file ?? '', '')
  const place = judged('swapped')
  assert.ok((await open(place)).every(E.isRight))
  rmSync(file ?? '')
  symlinkSync('../e/b', file ?? '')
  await refuses(place)
  mkdirSync(folder ?? '')
  writeFileSync(join(folder ?? '', 'b'), '')
  const below = judged('folder/b')
  renameSync(folder ?? '', away ?? '')
  symlinkSync('../e', folder ?? '')
  await refuses(below)
})

test('a name that names no file is not followed, whatever is allowed', () => {
  const image = at('d/i.qcow2')
  for (const name of ['nbd://host/d', `file:${at('d/b')}`, 'json:{"file.filename":"b"}'])
    assert.match(led(image, name, '/'), /its name is not that of a file$/)
  for (const name of ['b\0', [0xff], [0x62, 0xc3]]) assert.is(led(image, name, '/'), 'its name is not text')
  assert.is(led(image, '', '/'), 'it has no name')
})

test('an image on a server names local files of allowed folders by their whole path', () => {
  const image = 'https://host/d/i.qcow2'
  assert.is(led(image, at('e/b'), at('e')), 'e/b')
  assert.is(led(image, at('e/b')), "it lies outside the image's folder; --allow @e lets it be opened")
})

test('a relative name in an image on a server is a file in its folder there, and no other', () => {
  const image = 'https://host/d/i.qcow2'
  const urlOf = (name: string, ...allow: readonly string[]): string | undefined => {
    const place = placeOf(image, name, ...allow)
    return E.isRight(place) ? place.right.name : undefined
  }
  assert.is(urlOf('b'), 'https://host/d/b')
  assert.is(urlOf('e/../../d/é b'), 'https://host/d/%C3%A9%20b')
  assert.is(urlOf('https://host/d/b'), 'https://host/d/b')
  assert.is(urlOf('https://me:secret@host/d/b'), 'https://host/d/b')
  assert.is(urlOf('https://me:secret@host/d/http://a@b'), 'https://host/d/http://a@b')
  const elsewhere = ['../b', '../dd/b', 'http://host/d/b', 'https://host:444/d/b', 'https://host.org/d/b', 'https:/b']
  for (const name of [
    ...elsewhere,
    '..%2fb',
    'e%5c..%5cb',
    '..\\b',
    '%2e%2e/b',
    'b?c',
    'b#c',
    'nbd:b',
    'file:b',
    'https://'
  ])
    assert.is(urlOf(name, '/', process.cwd(), 'https://host/c', 'no URL'), undefined, name)
  assert.is(urlOf('../b', 'https://host/'), 'https://host/b')
  assert.is(urlOf('../e/b', 'https://host/e'), 'https://host/e/b')
  assert.is(urlOf('../ee/b', 'https://host/e'), undefined)
})

test('whatever the name, a file that is followed lies in the folder', () => {
  const name = fc.array(fc.constantFrom('a', 'b', '..', '.', '/', '/', '\\', ':', '\0', 'away', 'outer'), {
    maxLength: 9
  })
  let followed = 0
  holds(
    fc.property(name, (parts) => {
      const place = placeOf(at('d/a/i.qcow2'), parts.join(''))
      if (E.isLeft(place)) return
      followed++
      assert.ok(`${place.right.resolved ?? ''}/`.startsWith(at('d/a/')), place.right.resolved)
    }),
    { runs: 3000 }
  )
  assert.ok(followed > 0)
})

test.run()
