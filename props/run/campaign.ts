/** Long runs that can be divided: shards of one, and reports that add up to that of the whole run. */
import { readFileSync } from 'node:fs'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { type Shard, shardOption } from '../../src/node/fuzz/shard.js'

/** What a run found: the shortest case of a kind, and how often the kind was found. */
const Find = t.type({ kind: t.string, count: t.number, size: t.number, lines: t.readonlyArray(t.string) })
export type Find = t.TypeOf<typeof Find>

/** Figures by row and column. */
const Counts = t.readonly(t.record(t.string, t.readonly(t.record(t.string, t.number))))
export type Counts = t.TypeOf<typeof Counts>

/** The report of a run or of a shard. Shards of one run have the same `run`: the command without its shard. */
const Report = t.type({ run: t.string, counts: Counts, finds: t.readonlyArray(Find) })
export type Report = t.TypeOf<typeof Report>

/** What a run counts and finds. */
export type Outcome = Pick<Report, 'counts' | 'finds'>

type Values = Readonly<Record<string, string | undefined>>

/** A long run. */
export interface Campaign {
  /** Its command, as `npm run` has it. */
  readonly name: string
  /** Its own options and their defaults: text, and undefined without a default. */
  readonly options: Values
  readonly run: (shard: Shard, values: Values) => Promise<Outcome>
  readonly text: (outcome: Outcome, values: Values) => readonly string[]
  /** Whether a find ends the run with exit code 1. */
  readonly fails: boolean
}

const rows = <A>(a: Readonly<Record<string, A>>, b: Readonly<Record<string, A>>, plus: (a: A, b: A) => A) => {
  const both = (key: string): A | undefined => {
    const [one, other] = [a[key], b[key]]
    return one === undefined ? other : other === undefined ? one : plus(one, other)
  }
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => {
      const sum = both(key)
      return sum === undefined ? [] : [[key, sum] as const]
    })
  )
}

/** The sum of figures. */
export const added = (a: Counts, b: Counts): Counts => rows(a, b, (x, y) => rows(x, y, (n, m) => n + m))

/** The finds by kind, the most frequent first, each with its shortest case. */
const distinct = (finds: readonly Find[]): readonly Find[] => {
  const kinds = new Map<string, Find>()
  for (const find of finds) {
    const known = kinds.get(find.kind)
    const shorter = known === undefined || find.size < known.size ? find : known
    kinds.set(find.kind, { ...shorter, count: find.count + (known?.count ?? 0) })
  }
  return [...kinds.values()].toSorted((a, b) => (a.count === b.count ? (a.kind < b.kind ? -1 : 1) : b.count - a.count))
}

/** The report of a whole run, from those of its shards. */
export const merged = (reports: readonly Report[]): Report => {
  const [first, ...rest] = reports
  if (first === undefined) throw new Error('--merge takes the files that reports were written to')
  const other = rest.find(({ run }) => run !== first.run)
  if (other !== undefined) throw new Error(`these are no shards of one run: '${first.run}' and '${other.run}'`)
  return {
    run: first.run,
    counts: reports.map(({ counts }) => counts).reduce(added),
    finds: distinct(reports.flatMap(({ finds }) => finds))
  }
}

const reportsIn = (path: string): readonly Report[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const decoded = Report.decode(E.toUnion(E.tryCatch((): unknown => JSON.parse(line), String)))
      if (E.isRight(decoded)) return decoded.right
      throw new Error(`${path}: no report of a run: ${PathReporter.report(decoded)[0] ?? ''}`)
    })

/** The shard of `k/n`; throws what is wrong with it. */
export const shardOf = (text: string): Shard => {
  const decoded = shardOption.decode(text)
  if (E.isRight(decoded)) return decoded.right
  throw new Error(decoded.left[0]?.message ?? text)
}

/** Those of a list that are a shard's: every n-th. */
export const ownOf = <A>(list: readonly A[], { shard, shards }: Shard): readonly A[] =>
  list.filter((_, i) => i % shards === shard - 1)

/** A whole number from `least` on; throws where the text is none. */
export const wholeNumber = (name: string, text: string | undefined, least: number): number => {
  const n = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || n < least || n >= 2 ** 32)
    throw new Error(`--${name} ${text ?? ''}: a whole number from ${least} on`)
  return n
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const optionsOf = ({ options }: Campaign): ParseArgsConfig['options'] => ({
  ...Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      { type: 'string' as const, ...(value === undefined ? {} : { default: value }) }
    ])
  ),
  shard: { type: 'string', default: '1/1' },
  output: { type: 'string', default: 'human' },
  merge: { type: 'boolean', default: false }
})

const performed = async (campaign: Campaign, args: readonly string[]): Promise<number> => {
  const parsed = parseArgs({ args: [...args], options: optionsOf(campaign), allowPositionals: true })
  const values: Readonly<Record<string, unknown>> = parsed.values
  const isMerge = values['merge'] === true
  const {
    shard,
    output,
    merge: _,
    ...own
  }: Values = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
  if (isMerge !== parsed.positionals.length > 0) throw new Error('--merge takes the files that reports were written to')
  if (output !== 'human' && output !== 'json') throw new Error(`--output ${output ?? ''}: human or json`)
  const run = [campaign.name, ...Object.entries(own).map(([name, value]) => `--${name} ${value}`)].join(' ')
  const report = isMerge
    ? merged(parsed.positionals.flatMap(reportsIn))
    : merged([{ run, ...(await campaign.run(shardOf(shard ?? ''), own)) }])
  if (output === 'json') print(JSON.stringify(report))
  else for (const line of [...campaign.text(report, own), ...report.finds.flatMap(findLines)]) print(line)
  return campaign.fails && report.finds.length > 0 ? 1 : 0
}

const findLines = ({ kind, count, lines }: Find): readonly string[] => [
  '',
  `${kind}, scripts with it: ${count}; the shortest:`,
  ...lines
]

/**
 * Runs a campaign by its command line. Besides its own options it takes `--shard k/n`, `--output json`, a report on one line, and
 * `--merge FILE...`, which prints the report of the whole run. Exit code 2 if the run itself failed.
 */
export const commandLine = async (campaign: Campaign, args: readonly string[]): Promise<number> => {
  try {
    return await performed(campaign, args)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return 2
  }
}
