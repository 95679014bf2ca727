/** `qcow2 fuzz`: generated images, for fuzzers and against other readers. */
import { availableParallelism } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, either, failure, get, task, wait } from '../command-error.js'
import { type Cage, cageHere } from '../conform/cage.js'
import { readers } from '../conform/presets.js'
import { template } from '../conform/template.js'
import { onTerminal } from '../convert/progress.js'
import { ok, print } from '../files/output.js'
import { inScratch } from '../files/scratch.js'
import { campaign } from '../fuzz/campaign.js'
import { replayedImage } from '../fuzz/find.js'
import { writeDictionary } from '../fuzz/dictionary.js'
import { writeImages } from '../fuzz/folder.js'
import { mutate } from '../fuzz/mutator.js'
import { writeSeeds } from '../fuzz/seeds.js'
import { shardOption, wholeRun } from '../fuzz/shard.js'
import { agrees, type Comparison, kindOf, makeFolder, type Subject, trialTexts, tryImage } from '../fuzz/subject.js'
import { findText, merged, type Outcome, summaryText } from '../fuzz/summary.js'
import { quoted } from '../text/quoted.js'
import { decimalOption, integerOption } from '../text/values.js'
import { argument, choice, command, flag, option, optional, text, texts } from './command.js'

/** Exit code when a program differed, and when the run itself failed. */
const differed = 1
const notRun = 2

const mebibyte = 2 ** 20

/** Images that are written unless another number is given. */
const usualCount = 1000

interface Given {
  readonly reader?: string | undefined
  readonly against?: string | undefined
  readonly shell: boolean
  readonly time?: number | undefined
  readonly memory?: number | undefined
}

const subjectOf = either(function* (line: string, cage: Cage, { shell, time = 10, memory = 1024 }: Given) {
  const limits = { time, memory: memory * mebibyte, output: 64 * mebibyte }
  const full = readers[line] ?? line
  const subject: Subject = {
    command: full,
    template: yield* get(template(full, shell)),
    limits,
    cage
  }
  return subject
})

const comparisonOf = either(function* (reader: string, cage: Cage, given: Given) {
  const comparison: Comparison = {
    reader: yield* get(subjectOf(reader, cage, given)),
    ...(given.against === undefined ? {} : { against: yield* get(subjectOf(given.against, cage, given)) })
  }
  return comparison
})

/** The command that compares the same programs. */
const commandOf = (reader: string, { against, shell, time, memory }: Given): string =>
  [
    `qcow2 fuzz --reader ${quoted(reader)}`,
    ...(against === undefined ? [] : [`--against ${quoted(against)}`]),
    ...(shell ? ['--shell'] : []),
    ...(time === undefined ? [] : [`--time ${time}`]),
    ...(memory === undefined ? [] : [`--memory ${memory}`])
  ].join(' ')

/** Runs a program on the image of a file. The value is the exit code. */
const replay = task(async function* (comparison: Comparison, file: string) {
  const image = yield* get(replayedImage(file))
  const tried = (folder: string) =>
    task(async function* () {
      yield* get(makeFolder(folder))
      return yield* wait(tryImage(comparison, image, folder))
    })()
  const trial = yield* wait(inScratch(tried))
  const { found, expected } = trialTexts(trial)
  const said = trial.complaint === '' ? '' : `    it said: ${trial.complaint}\n`
  const isRight = agrees(trial)
  yield* get(print(isRight ? `agrees: ${found}\n` : `${kindOf(trial)}: found ${found}, expected ${expected}\n${said}`))
  return isRight ? ok : differed
})

/** Prints the summary of a campaign, after finds that were not printed yet. The value is the exit code. */
const report = either(function* ({ summary, finds }: Outcome, isJson: boolean) {
  for (const find of finds) yield* get(print(isJson ? `${JSON.stringify(find)}\n` : findText(find)))
  yield* get(print(isJson ? `${JSON.stringify(summary)}\n` : summaryText(summary)))
  return summary.images === summary.agree ? ok : differed
})

/** What the command may do, by the option that asks for it, and the other options that each takes. */
const modes = {
  out: ['count', 'seed', 'shard'],
  reader: [
    'against',
    'shell',
    'time',
    'memory',
    'count',
    'minutes',
    'seed',
    'shard',
    'jobs',
    'finds',
    'output',
    'replay'
  ],
  merge: ['output'],
  corpus: ['count', 'seed', 'dict'],
  mutate: []
} as const

type Mode = keyof typeof modes

const isMode = (name: string): name is Mode => Object.hasOwn(modes, name)

/** The mode that the given options ask for; every one of them belongs to it. */
const modeOf = (given: readonly string[]): E.Either<CommandError, Mode> => {
  const [mode, ...others] = given.filter(isMode)
  if (mode === undefined || others.length > 0)
    return failure('Give one of --out, --reader, --merge, --corpus and --mutate')
  const allowed: readonly string[] = [mode, ...modes[mode], ...(mode === 'merge' ? ['files'] : [])]
  const stray = given.find((name) => !allowed.includes(name))
  if (stray === undefined) return E.right(mode)
  return failure(stray === 'files' ? 'Only --merge takes files' : `--${stray} does not go with --${mode}`)
}

const number = (name: string) => optional(integerOption(name))

export const fuzz = command({
  args: { files: argument('[files...]', 'with --merge: files with what runs with --output=json printed', texts) },
  options: {
    out: option('--out <folder>', 'write images and an index of them', optional(text)),
    reader: option(
      '--reader <command>',
      `compare a program that reads: it writes the disk of {image} to {out}, or prints it; or ${Object.keys(readers).join(', ')}`,
      optional(text)
    ),
    against: option('--against <command>', 'compare it with another program', optional(text)),
    merge: flag('--merge', 'add up the files'),
    corpus: option(
      '--corpus <folder>',
      'write small images that differ, as seeds for AFL++ or libFuzzer',
      optional(text)
    ),
    dict: option('--dict <file>', 'write a dictionary for AFL++ or libFuzzer', optional(text)),
    mutate: flag('--mutate', 'mutate images on standard input, for mutator.c'),
    replay: option('--replay <file>', 'run the reader on a find, or on any image', optional(text)),
    shell: flag('--shell', 'run commands by /bin/sh'),
    count: option(
      '--count <n>',
      `images of all shards together (default ${usualCount} with --out and --corpus)`,
      number('count')
    ),
    minutes: option(
      '--minutes <n>',
      'after which a comparison ends (default 1, without --count)',
      optional(decimalOption('minutes'))
    ),
    seed: option('--seed <n>', 'what images are drawn from (default 1)', number('seed')),
    shard: option('--shard <k/n>', 'one of n parts of the run', optional(shardOption)),
    jobs: option('--jobs <n>', 'programs at a time', number('jobs')),
    time: option('--time <seconds>', 'that a program may take (default 10)', number('time')),
    memory: option('--memory <MiB>', 'that its processes may take (default 1024)', number('memory')),
    finds: option('--finds <folder>', 'in which finds are saved (default fuzz-finds)', optional(text)),
    output: choice('--output <format>', 'human or json', ['human', 'json'], undefined)
  },
  failureCode: notRun,
  async *run({ files }, options) {
    const given = Object.entries({ ...options, files: files.length > 0 }).flatMap(([name, value]) =>
      value === undefined || value === false ? [] : [name]
    )
    yield* get(modeOf(given))
    const { out: folder, reader, count, minutes, seed = 1, shard = wholeRun, jobs, finds = 'fuzz-finds' } = options
    const isJson = options.output === 'json'
    if (options.merge) return yield* get(report(yield* get(merged(files)), isJson))
    if (folder !== undefined) {
      const written = yield* wait(writeImages({ folder, count: count ?? usualCount, seed, shard }))
      yield* get(print(`${written} images written to ${folder}\n`))
      return ok
    }
    if (options.corpus !== undefined) {
      const written = yield* get(writeSeeds(options.corpus, count ?? usualCount, seed))
      if (options.dict !== undefined) yield* get(writeDictionary(options.dict))
      yield* get(print(`${written} seeds written to ${options.corpus}\n`))
      return ok
    }
    if (options.mutate) {
      yield* get(mutate())
      return ok
    }
    if (reader === undefined) return notRun
    const { cage, note } = cageHere()
    const comparison = yield* get(comparisonOf(reader, cage, options))
    if (options.replay !== undefined) return yield* wait(replay(comparison, options.replay))
    const show = onTerminal()
    const line = commandOf(reader, options)
    const asked = {
      comparison,
      command: line,
      notes: [note],
      seed,
      shard,
      count: count ?? Infinity,
      seconds: minutes === undefined ? (count === undefined ? 60 : Infinity) : 60 * minutes,
      jobs: Math.max(1, jobs ?? availableParallelism()),
      finds
    }
    const showFind = (find: Parameters<typeof findText>[0]) =>
      print(isJson ? `${JSON.stringify(find)}\n` : findText(find))
    const outcome = yield* wait(campaign(asked, showFind, (done) => show?.(`    (${done} images)\r`)))
    return yield* get(report({ ...outcome, finds: [] }, isJson))
  }
})
