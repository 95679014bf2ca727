/** Options: each that a command takes is in its help, and changes an outcome or is in the list of those that cannot. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command as Parser } from 'commander'
import * as assert from 'uvu/assert'
import { lockImage } from '../../src/node/images/locked-image.js'
import { type CommandName, commandNames, loadCommand } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { ignored, lines, timed } from './option-lines.js'
import { makeScene, serve } from './option-scene.js'
import { valueOf } from './outcome.js'

const test = suite('options')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-effects-'))
const [scene, own] = [join(folder, 'scene'), join(folder, 'own')]
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** A process that carries out command lines, each in its folder, and prints their outcomes. */
const helper = `
import { readFileSync } from 'node:fs'
import { execute } from ${JSON.stringify(new URL('../../src/node/program.js', import.meta.url).href)}
process.on('warning', () => undefined)
for (const { cwd, words } of JSON.parse(readFileSync(process.argv[1], 'utf8'))) {
  process.chdir(cwd)
  const report = ({ message }) => console.log(message)
  const done = await execute(words, report)()
  console.log(done._tag === 'Left' ? 'failed: ' + done.left.message : done.right, '\\0')
}`

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
  const list = join(folder, 'jobs.json')
  writeFileSync(list, JSON.stringify(jobs))
  const args = ['--input-type=module', '-e', helper, list]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  await once(child, 'close')
  const printed = Buffer.concat(pieces).toString('latin1').split('\0\n')
  assert.is(printed.length, all.length + 1)
  return jobs.map(({ cwd }, i) => {
    const outcome = `${(printed[i] ?? '').replaceAll(cwd, '')}\n${digest(cwd)}`
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
    for (const { flags, short, long, hidden } of options) {
      const of = `${name} ${flags}`
      declared.add(flags)
      if (hidden) assert.ok(flags in ignored, of)
      else
        assert.ok(
          timed.includes(flags) ||
            shown.some((each) => [short, long].some((word) => word !== undefined && each.split(/[ =]/)[0] === word)),
          of
        )
    }
  }
  assert.equal(
    [...Object.keys(ignored), ...timed].filter((flags) => !declared.has(flags)),
    []
  )
})

test('the help of a command lists every option, the ignored ones too', async () => {
  for (const name of commandNames) {
    const parser = await parserOf(name)
    let help = ''
    parser.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    for (const { flags } of parser.options) assert.ok(help.includes(flags), `${name} ${flags}`)
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
