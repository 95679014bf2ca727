/** Reports have colours on terminals alone: the words by which findings begin. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { suite } from '../run/suite.js'

const test = suite('colours')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-colours-'))
const image = (name: string): string => {
  const path = join(folder, `${name}.qcow2`)
  writeFileSync(path, load(name).image)
  return path
}
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** What a command prints on no terminal; `FORCE_COLOR` stands for one. */
const printed = (words: readonly string[], colours: Readonly<Record<string, string>>): string => {
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.includes('COLOR'))),
    ...colours
  }
  return spawnSync(process.execPath, [main, ...words], { env, encoding: 'utf8' }).stdout
}

const [red, yellow, end] = ['\u001b[31m', '\u001b[33m', '\u001b[39m']

test('the findings of check and info have colours on a terminal, and neither in a pipe nor in JSON', () => {
  for (const [words, styled] of [
    [['check', image('broken-l2-reserved-low')], `${red}ERROR${end} L2 entry reserved at byte 16384`],
    [['info', image('broken-incompatible-bit-5')], `${red}verdict: refused [FEAT-01]${end}`],
    [['info', image('broken-incompatible-bit-5')], `\n${yellow}    [FEAT-01]${end} byte 72: `]
  ] as const) {
    const [plain, coloured] = [printed(words, {}), printed(words, { FORCE_COLOR: '1' })]
    assert.ok(coloured.includes(styled), JSON.stringify(coloured))
    assert.is(stripVTControlCharacters(coloured), plain)
    assert.not.match(plain, '\u001b')
    const json = [...words, '--output=json']
    assert.is(printed(json, { FORCE_COLOR: '1' }), printed(json, {}))
  }
})

const title = 'NO_COLOR leaves them out on a terminal'
const onTerminal = (colours: Readonly<Record<string, string>>) => {
  const command = `'${process.execPath}' '${main}' check '${image('broken-l2-reserved-low')}'`
  return spawnSync('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...colours },
    encoding: 'utf8'
  })
}
if (onTerminal({}).status === null) test.skip(title, 'there is no program script')
else
  test(title, () => {
    assert.ok(onTerminal({}).stdout.includes(`${red}ERROR${end}`))
    assert.not.match(onTerminal({ NO_COLOR: '1' }).stdout, '\u001b')
  })

test.run()
