/** Options: each that a command takes is in its help, and changes an outcome or is in the list of those that cannot. */
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command as Parser } from 'commander'
import * as assert from 'uvu/assert'
import { Alias } from '../../src/node/commands/command.js'
import { lockImage } from '../../src/node/images/locked-image.js'
import { type CommandName, commandNames, loadCommand } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { ignored, lines, served, timed } from './option-lines.js'
import { makeScene, serve } from './option-scene.js'
import { valueOf } from './outcome.js'
import { runLines } from './run-lines.js'
import { canTrace } from './strace.js'

const test = suite('options')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-effects-'))
const [scene, own] = [join(folder, 'scene'), join(folder, 'own')]
test.after(() => {
  rmSync(folder, { recursive: true })
})

const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** The names of the files in a folder, each with a hash of its bytes. */
const digest = (cwd: string): string =>
  readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(cwd, name)).isFile())
    .toSorted()
    .map((name) => `${name} ${hashOf(join(cwd, name))}`)
    .join('\n')

/** What each line prints and how it ends, with the files after it; each is run in its own copy of the scene. */
const outcomes = async (all: readonly string[]): Promise<readonly string[]> => {
  const jobs = all.map((line, i) => {
    const cwd = join(folder, `${i}`)
    cpSync(scene, cwd, { recursive: true })
    return { cwd, words: wordsOf(line) }
  })
  const printed = await runLines(jobs)
  return jobs.map(({ cwd }, i) => {
    const outcome = `${JSON.stringify(printed[i]).replaceAll(cwd, '')}\n${digest(cwd)}`
    rmSync(cwd, { recursive: true })
    return outcome
  })
}

/** What a command declares, hidden options too. */
const parserOf = async (name: CommandName): Promise<Parser> => {
  const parser = new Parser(name)
  ;(await loadCommand(name)).declare(
    parser,
    () => undefined,
    () => undefined
  )
  return parser
}

test('every option that a command takes changes an outcome, or is listed as ignored', async () => {
  const declared = new Set<string>()
  for (const name of commandNames) {
    const { options } = await parserOf(name)
    const shown = (lines[name] ?? []).flatMap((line) => /\[([^\]|]*)/.exec(line)?.[1] ?? [])
    for (const each of options) {
      if (each instanceof Alias) continue
      const { flags, short, long, hidden } = each
      const of = `${name} ${flags}`
      declared.add(flags)
      if (hidden) assert.ok(flags in ignored, of)
      else
        assert.ok(
          timed.includes(flags) ||
            served[name]?.includes(flags) === true ||
            (name === 'crash' && !canTrace) ||
            shown.some((each) => [short, long].some((word) => word !== undefined && each.split(/[ =]/)[0] === word)),
          of
        )
    }
  }
  assert.equal(
    [...Object.keys(ignored), ...timed, ...Object.values(served).flat()].filter((flags) => !declared.has(flags)),
    []
  )
})

test('the help of a command lists every option, the ignored ones too', async () => {
  for (const name of commandNames) {
    const parser = await parserOf(name)
    let help = ''
    parser.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    const shown = help.split(/[\s,;]+/)
    for (const { flags, short, long } of parser.options)
      for (const word of [short, long]) assert.ok(word === undefined || shown.includes(word), `${name} ${flags}`)
  }
})

test('a line has another outcome without its option', async () => {
  await makeScene(scene, own)
  const { server, base } = await serve(readFileSync(join(scene, 'a.qcow2')))
  const busy = await valueOf(lockImage(join(own, 'busy.qcow2')))
  const names: readonly (readonly [name: string, value: string])[] = [
    ['KEYED', `${base}/keyed`],
    ['SLOW', `${base}/slow`],
    ['AWAY', `${base}/away`],
    ['BUSY', join(own, 'busy.qcow2')],
    ['OVER', 'outside.qcow2'],
    ['FOLDER', own]
  ]
  const all = Object.values(lines).flat()
  const filled = all.map((line) => names.reduce((text, [name, value]) => text.replaceAll(name, value), line))
  const both = [
    ...filled.map((line) => line.replace(/\[([^\]|]*)(?:\|[^\]]*)?\]/, '$1')),
    ...filled.map((line) => line.replace(/\[[^\]|]*(?:\|([^\]]*))?\]/, '$1'))
  ]
  const found = await outcomes(both).finally(() => {
    busy.close()
    server.close()
  })
  assert.equal(
    all.filter((_, i) => found[i] === found[i + all.length]),
    []
  )
})

test.run()
