/** Which names inside an image are followed, and to which path. */
import { resolve } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { fromText } from '../../src/bytes/octets.js'
import type { CommandError } from '../../src/node/command-error.js'
import { backingPath } from '../../src/node/images/follow.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('names that are followed')

/** Where the path of a backing file name leads, or the reason why it leads nowhere. */
const led = (image: string, name: string | readonly number[], ...allow: readonly string[]): string =>
  E.match(
    ({ message }: CommandError) => message.replace(/^Could not open backing file '[^']*': /, ''),
    (path: string) => resolve(path)
  )(backingPath(image, typeof name === 'string' ? fromText(name) : Uint8Array.from(name), allow))

test('a file in the folder of the image is followed, by whatever path leads there', () => {
  assert.is(led('/d/i.qcow2', 'b'), '/d/b')
  assert.is(led('/d/i.qcow2', 'e/b'), '/d/e/b')
  assert.is(led('/d/i.qcow2', './nbd:b'), '/d/nbd:b')
  assert.is(led('/d/i.qcow2', '..b'), '/d/..b')
  assert.is(led('/d/i.qcow2', '/d/e/../b'), '/d/b')
  assert.is(led('/d/i.qcow2', '../d/b'), '/d/b')
  assert.is(led('i.qcow2', 'b'), resolve('b'))
})

test('a file elsewhere is followed where its folder is allowed, and the reason names the folder', () => {
  const outside = "it lies outside the image's folder; --allow /e lets it be opened"
  assert.is(led('/d/i.qcow2', '../e/b'), outside)
  assert.is(led('/d/i.qcow2', '/e/b'), outside)
  assert.is(led('/d/i.qcow2', '/e/b', '/e/f'), outside)
  assert.is(led('/d/i.qcow2', '/e/b', '/f', '/e'), '/e/b')
  assert.is(led('/d/i.qcow2', '/dd/b'), "it lies outside the image's folder; --allow /dd lets it be opened")
})

test('a name that names no file is not followed, whatever is allowed', () => {
  for (const name of ['nbd://host/d', 'file:/d/b', 'json:{"file.filename":"b"}'])
    assert.is(led('/d/i.qcow2', name, '/'), 'its name is not that of a file')
  for (const name of ['b\0', [0xff], [0x62, 0xc3]]) assert.is(led('/d/i.qcow2', name, '/'), 'its name is not text')
  assert.is(led('/d/i.qcow2', '', '/'), 'it has no name')
})

test('an image on a server names files of allowed folders by their whole path, and no other', () => {
  const image = 'https://host/d/i.qcow2'
  assert.is(led(image, '/e/b', '/e'), '/e/b')
  assert.is(led(image, '/e/b'), "it lies outside the image's folder; --allow /e lets it be opened")
  for (const name of ['b', 'd/b', '../b', 'e/b'])
    assert.is(led(image, name, '/', process.cwd()), 'the image is on a server, and names no other file')
})

test('whatever the name, a path that is followed lies in the folder', () => {
  const name = fc.array(fc.constantFrom('a', '..', '.', '/', '\\', ':', '\0', 'json:'), { maxLength: 9 })
  holds(
    fc.property(name, (parts) => {
      const path = backingPath('/d/e/i.qcow2', fromText(parts.join('')), [])
      if (E.isRight(path)) assert.ok(path.right === '/d/e' || path.right.startsWith('/d/e/'), path.right)
    }),
    { runs: 3000 }
  )
})

test.run()
