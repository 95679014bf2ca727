/** The man page has every command and every option, and the build writes it where package.json names it. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command as Parser } from 'commander'
import * as t from 'io-ts'
import * as assert from 'uvu/assert'
import { commandNames, loadCommand } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { manPage } from '../tools/pages/man.js'

const test = suite('man page')

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, root)), 'utf8')

/** The page as a reader sees it: without fonts and escapes. */
const shown = (page: string): string =>
  page
    .replaceAll(/\\f[BIR]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\&', '')
    .replaceAll('\\e', '\\')

test('it has every command, with every argument and every name of every option', async () => {
  const sections = shown(await manPage()).split(/^\.S[SH] /m)
  for (const name of commandNames) {
    const section = sections.find((each) => each.startsWith(`${name}\n`)) ?? ''
    assert.ok(section !== '', name)
    const parser = new Parser(name)
    ;(await loadCommand(name)).declare(
      parser,
      () => undefined,
      () => undefined
    )
    const words = new Set(section.split(/[\s,;]+|\.\s/))
    for (const { short, long } of parser.options)
      for (const option of [short, long])
        assert.ok(option === undefined || words.has(option), `${name} ${option ?? ''}`)
    for (const argument of parser.registeredArguments) assert.ok(section.includes(argument.name()), name)
  }
})

test('no line of it is a request that it does not mean, and every escape is one of those used', async () => {
  for (const line of (await manPage()).split('\n')) {
    if (line.startsWith('.')) assert.match(line, /^\.(TH|SH|SS|TP|PP)( |$)/)
    assert.ok(!line.startsWith("'"), line)
    assert.equal(line.match(/\\(?!f[BIR]|-|&|e)/g), null, line)
  }
})

test('the build has written it where package.json names it', async () => {
  const manifest: unknown = JSON.parse(read('package.json'))
  assert.ok(t.type({ man: t.string }).is(manifest))
  assert.is(read(manifest.man), await manPage(), 'run npm run build')
})

test.run()
