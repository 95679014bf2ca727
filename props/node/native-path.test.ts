/** Paths on POSIX systems and on Windows. */
import { posix, win32 } from 'node:path'
import * as assert from 'uvu/assert'
import { fromFolderOf, isInside } from '../../src/node/images/native-path.js'
import { suite } from '../run/suite.js'

const test = suite('native paths')

test('a path lies in a folder by whole names, on Windows whatever their case', () => {
  for (const [folder, path, expected] of [
    ['/d', '/d', true],
    ['/d', '/d/e/b', true],
    ['/d', '/d/..b', true],
    ['/d', '/dd/b', false],
    ['/d', '/b', false],
    ['/d', '/', false],
    ['/d', '/D/b', false],
    ['/d', '/d\\..\\b', false]
  ] as const)
    assert.is(isInside(posix, folder, path), expected, `${path} in ${folder}`)
  for (const [folder, path, expected] of [
    ['C:\\d', 'C:\\d\\e\\b', true],
    ['C:\\d', 'c:\\D\\b', true],
    ['C:\\d', 'C:\\d\\..b', true],
    ['C:\\d', 'C:\\dd\\b', false],
    ['C:\\d', 'C:\\b', false],
    ['C:\\d', 'D:\\d\\b', false],
    ['\\\\host\\share\\d', '\\\\host\\share\\d\\b', true],
    ['\\\\host\\share\\d', '\\\\other\\share\\d\\b', false],
    ['C:\\d', '\\\\host\\share\\d\\b', false]
  ] as const)
    assert.is(isInside(win32, folder, path), expected, `${path} in ${folder}`)
})

test('a relative name in an image starts at the folder of the image', () => {
  for (const [image, name, expected] of [
    ['i', 'b', 'b'],
    ['./i', 'b', './b'],
    ['/i', 'b', '/b'],
    ['d/e/i', '../b', 'd/e/../b'],
    ['d/i', '/b', '/b'],
    ['d\\i', 'b', 'b'],
    ['https://host/d/i', 'b', 'https://host/d/b']
  ] as const)
    assert.is(fromFolderOf(posix, image, name), expected)
  for (const [image, name, expected] of [
    ['i', 'b', 'b'],
    ['C:\\d\\i', 'b', 'C:\\d\\b'],
    ['C:\\d/i', 'b', 'C:\\d/b'],
    ['d/e\\i', '..\\b', 'd/e\\..\\b'],
    ['\\\\host\\share\\i', 'b', '\\\\host\\share\\b'],
    ['C:\\d\\i', 'D:\\b', 'D:\\b'],
    ['C:\\d\\i', '/b', '/b']
  ] as const)
    assert.is(fromFolderOf(win32, image, name), expected)
})

test.run()
