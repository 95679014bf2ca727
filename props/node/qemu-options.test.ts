/** The options of qemu-img 11: each is an option here too, under every one of its names. */
import { spawnSync } from 'node:child_process'
import { Command as Parser } from 'commander'
import * as assert from 'uvu/assert'
import { commandNames, loadCommand } from '../../src/node/program.js'
import { qemus } from '../run/qemus.js'
import { suite } from '../run/suite.js'
import { qemuOptions } from './qemu-options.js'

const test = suite('options of qemu-img')

/** Those that are refused by name: a new image is not encrypted, and so needs no secret. */
const refused: readonly string[] = ['create --object =']

/** The names of the options of a command, each with `=` after it if it takes a value. */
const namesOf = async (command: string): Promise<ReadonlySet<string>> => {
  const parser = new Parser(command)
  const name = commandNames.find((each) => each === command)
  if (name === undefined) return new Set()
  ;(await loadCommand(name)).declare(
    parser,
    () => undefined,
    () => undefined
  )
  return new Set(
    parser.options.flatMap(({ short, long, required }) =>
      [short, long].flatMap((word) => (word === undefined ? [] : `${word}${required ? ' =' : ''}`))
    )
  )
}

test('every option of qemu-img but those is one here, with a value where it has one there', async () => {
  for (const [command, options] of Object.entries(qemuOptions)) {
    const names = await namesOf(command)
    for (const option of options) {
      const [listed = '', value = ''] = option.split(/(?= =$)/)
      for (const name of listed.split(', ')) {
        const named = `${command} ${name}${value}`
        assert.is(names.has(name + value), !refused.includes(named), named)
      }
    }
  }
})

/** The options in the help of a command, as the table has them. */
const helped = (help: string): readonly string[] =>
  [...help.matchAll(/^ {2}(-.*)$/gm)].flatMap(([, line = '']) => {
    const shown = line
      .replace(/ (image cache mode|\(was) .*/, '')
      .replace(/progres$/, 'progress')
      .replace(/--format$/, '--format FMT')
    const names = [...shown.matchAll(/(?<![\w-])--?[a-z][\w-]*/gi)].map(([name]) => name)
    if (names[0] === '-h') return []
    if (names.every((name) => name.startsWith('--'))) return names.map((name) => name + valueIn(shown))
    return [names.join(', ') + valueIn(shown)]
  })

const valueIn = (shown: string): string => (/ [A-Z]|[|]/.test(shown) ? ' =' : '')

const title = 'the table has what the help of qemu-img 11 has'
const newest = qemus().find(({ series }) => series === '11')
if (newest === undefined) test.skip(title, 'there is no qemu-img 11')
else
  test(title, () => {
    const [file, ...args] = newest.command('qemu-img')
    for (const [command, options] of Object.entries(qemuOptions)) {
      const { stdout } = spawnSync(file, [...args, command, '--help'], { encoding: 'utf8' })
      assert.equal(helped(stdout).toSorted(), options.toSorted(), command)
    }
  })

test.run()
