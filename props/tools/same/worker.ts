/**
 * Asks one commit about the items of a file, in one process:
 * `node worker.js PROBE ITEMS RESULTS FROM`, with descriptors 1 and 2 appending to out and err beside RESULTS.
 *
 * FROM is the first line of ITEMS that is still to be asked. Before every question its label is written to `now` beside
 * RESULTS, so that the parent that stops this process knows the question. QCOW2_SAME_ALL asks every question about every image,
 * QCOW2_SAME_TEXT keeps the texts, QCOW2_SAME_OLDER applies the renames, QCOW2_SAME_OUTCOMES leaves out the reasons.
 */
import { appendFileSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { isObject } from '../../../src/bytes/json.js'
import { stopClocks, Terminal } from '../../run/terminal.js'
import { answerOf, digestOf } from './capture.js'
import { Folder } from './folder.js'
import { type Answer, type Item, itemOf, type Probe, type Result } from './protocol.js'
import { clauses } from '../../../spec/index.js'
import { erasures, type Rename, renamed, renames } from './renames.js'
import { answersOf } from './script-answers.js'
import { asksOf } from './views.js'

const [probePath = '', itemsPath = '', resultsPath = '', from = '0'] = process.argv.slice(2)
const isOn = (name: string): boolean => (process.env[name] ?? '') !== ''
const [all, keeps, older, bare] = ['ALL', 'TEXT', 'OLDER', 'OUTCOMES'].map((name) => isOn(`QCOW2_SAME_${name}`))
const parent = process.ppid
const beside = dirname(resultsPath)

const isProbe = (u: unknown): u is Probe =>
  isObject(u) && typeof u['loadCommand'] === 'function' && typeof u['runScript'] === 'function'

const loadProbe = async (): Promise<Probe> => {
  const loaded: unknown = await import(pathToFileURL(probePath).href)
  const probe: unknown = typeof loaded === 'object' && loaded !== null && 'probe' in loaded ? loaded.probe : undefined
  if (!isProbe(probe)) throw new Error(`${probePath} exports no probe`)
  return probe
}

/** The texts of clauses as the older commit has them, and as they are now: `explain` prints them. */
const clauseRenames = async (): Promise<readonly Rename[]> => {
  const loaded: unknown = await import(new URL('../../../spec/index.js', pathToFileURL(probePath)).href)
  const before = isObject(loaded) ? loaded['clauses'] : undefined
  return Object.entries(clauses).flatMap(([id, { says }]) => {
    const old: unknown = isObject(before) ? before[id] : undefined
    return isObject(old) && typeof old['says'] === 'string' && old['says'] !== says
      ? [{ scope: /^explain/, from: old['says'], to: says }]
      : []
  })
}

const nowFile = openSync(join(beside, 'now'), 'w')
/** Notes what comes next: a line of 200 bytes. */
const note = (label: string): void => {
  writeSync(nowFile, label.replaceAll('\n', ' ').slice(0, 199).padEnd(199) + '\n', 0)
}

async function* imageAnswers(terminal: Terminal, item: Exclude<Item, { kind: 'script' }>): AsyncGenerator<Answer> {
  const folder = new Folder(item.files)
  for (const ask of item.asks ?? asksOf(item.id, folder.image, all === true)) {
    note(ask.words.join(' '))
    yield await answerOf(terminal, ask)
    if (ask.makes.length > 0 && item.asks === undefined) folder.restore()
  }
}

const rows = older === true ? [...renames, ...(await clauseRenames())] : []

/** Lines that say why something is wrong or refused, or where; and the counts of flaws and notes, which are no faults. */
const reasons =
  /\b[A-Z]+[0-9]?-[0-9]{2}\b|^ *"(message|found|expected|phase|field|structure|source|at|size)": |^qcow2: /

/** Lines of the lists of findings in the JSON of a check, which may be in another order, and under other clauses. */
const findingLine = /^ {8}|^ {4}("findings|[\]}])/

const withoutReasons = (label: string, text: string): string =>
  text
    .split('\n')
    .filter((line) => !reasons.test(line) && !(label.startsWith('check') && findingLine.test(line)))
    .join('\n')

const resultOf = async (item: Item, probe: Probe, terminal: () => Promise<Terminal>): Promise<Result> => {
  const answers: Result['answers'][number][] = []
  const began = process.cpuUsage()
  const take = ({ label, code, text, writes }: Answer): void => {
    const now = older === true ? renamed(label, text, rows) : text
    const compared = bare === true ? withoutReasons(label, now) : renamed(label, now, erasures)
    answers.push([label, code, digestOf(compared), writes, keeps === true ? compared : ''])
  }
  if ('script' in item) for (const answer of answersOf(probe.runScript(item.script), note)) take(answer)
  else for await (const answer of imageAnswers(await terminal(), item)) take(answer)
  const { user, system } = process.cpuUsage(began)
  return { id: item.id, answers, took: Math.round((user + system) / 1000) }
}

const work = async (): Promise<void> => {
  const probe = await loadProbe()
  const printed = { out: { fd: 1, path: join(beside, 'out') }, error: { fd: 2, path: join(beside, 'err') } }
  let opened: Terminal | undefined
  const terminal = async (): Promise<Terminal> => {
    opened ??= new Terminal(await probe.loadCommand(), printed.out, printed.error)
    return opened
  }
  mkdirSync(join(beside, 'cwd'), { recursive: true })
  process.chdir(join(beside, 'cwd'))
  stopClocks()
  let line = 0
  for await (const text of createInterface({ input: createReadStream(itemsPath) })) {
    if (line++ < Number(from)) continue
    // It does not outlive the comparison.
    if (process.ppid !== parent) process.exit(1)
    const item = itemOf(text)
    note('the files of the item')
    appendFileSync(resultsPath, `${JSON.stringify(await resultOf(item, probe, terminal))}\n`)
  }
}

process.channel?.unref()
await work()
