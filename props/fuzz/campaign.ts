/** Campaigns: mutated inputs through targets, and images that reach new edges are kept. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../../src/fuzz/random.js'
import { Coverage } from './edges.js'
import { execute, type Input, kindOf, type Target, targetNames } from './execution.js'
import { Kept, nameOf, seeds } from './kept.js'
import { asksForMuch, longest, mutated, parentOf } from '../../src/fuzz/mutation.js'
import { shrunk } from './shrink.js'
import { type OfTarget, print, type Summary } from './summary.js'

/** What a campaign is asked for. */
export interface Campaign {
  readonly executions: number
  readonly seed: number
  readonly shard: number
  readonly targets: readonly Target[]
  /** The folder of the corpus; finds are written into a folder in it. */
  readonly corpus: string
  /** The name of the mutant that runs, for the command that replays a find; absent for the program as it is. */
  readonly mutant?: string
}

/** Inputs that are made of one image before another one is picked: taking it apart costs as much as a few executions. */
const batch = 48

/** Of so many inputs with a table near the limit of its size one is executed: it costs as much as a thousand others. */
const seldom = 64

/** Passes of edges from which on an input is not kept: those made of it would cost as much. */
const mostWork = 100_000

/** Kinds of finds after which a campaign ends early. */
const mostKinds = 20

/** Milliseconds from one line of progress to the next. */
const pause = 10_000

/** The file that holds the running input, for a campaign that is broken off. */
export const runningIn = (corpus: string, shard: number): string => join(corpus, `running-${shard}`)

const isCostly = (target: Target): boolean => target === 'dump' || target === 'repair'

/** Writes an image in which something was found. Returns the command that replays it. */
export const report = ({ target, draw, image }: Input, corpus: string, mutant?: string): string => {
  const folder = join(corpus, 'finds')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${target}-${nameOf(image)}.qcow2`)
  writeFileSync(path, image)
  const option = mutant === undefined ? '' : ` --mutant ${JSON.stringify(mutant)}`
  return `npm run fuzz --${option} --target ${target} --draw ${draw} --replay ${path}`
}

const nothing: OfTarget = { executions: 0, seconds: 0, finds: 0 }

/** The middle one of some lengths. */
const median = (lengths: readonly number[]): number => lengths.toSorted((a, b) => a - b)[lengths.length >> 1] ?? 0

/** Runs a campaign to its end; prints progress and finds. */
export const campaign = (asked: Campaign): Summary => {
  const random = new Random(Math.imul(asked.seed, 0x9e37_79b1) + asked.shard)
  const kept = new Kept(asked.corpus, seeds())
  const coverage = new Coverage()
  const finds = new Map<string, number>()
  const of = new Map<Target, OfTarget>()
  /** The length of every 16th image. */
  const lengths: number[] = []
  const record = Buffer.alloc(64 + longest)
  const running = openSync(runningIn(asked.corpus, asked.shard), 'w')
  const began = performance.now()
  const cpu = process.cpuUsage()
  let executions = 0
  let printed = began

  const summary = (): Summary => {
    const { user, system } = process.cpuUsage(cpu)
    return {
      summary: true,
      executions,
      seconds: Math.round((performance.now() - began) / 10) / 100,
      cpu_seconds: Math.round((user + system) / 1e4) / 100,
      per_cpu_second: Math.round((executions * 1e6) / (user + system)),
      edges: coverage.passed,
      corpus: kept.size,
      median_bytes: median(lengths),
      finds: Object.fromEntries(finds),
      targets: Object.fromEntries(
        [...of].map(([name, sum]) => [name, { ...sum, seconds: Math.round(sum.seconds * 100) / 100 }])
      )
    }
  }

  const found = (input: Input, line: string): void => {
    const kind = kindOf(input.target, line)
    const before = finds.get(kind) ?? 0
    finds.set(kind, before + 1)
    if (before > 0) return
    const smaller = shrunk(input, line)
    coverage.reached()
    const { length } = smaller.image
    print({
      find: execute(smaller) ?? line,
      target: input.target,
      bytes: length,
      replay: report(smaller, asked.corpus, asked.mutant)
    })
  }

  const one = (input: Input): void => {
    const { target, draw, image } = input
    record.write(`${target} ${draw} ${image.length}\n`.padEnd(64), 'latin1')
    record.set(image, 64)
    writeSync(running, record, 0, 64 + image.length, 0)
    const before = performance.now()
    const find = execute(input)
    const sum = of.get(target) ?? nothing
    of.set(target, {
      executions: sum.executions + 1,
      seconds: sum.seconds + (performance.now() - before) / 1000,
      finds: sum.finds + Number(find !== undefined)
    })
    if (executions++ % 16 === 0) lengths.push(image.length)
    if (coverage.reached() && find === undefined && coverage.work < mostWork) kept.add(image)
    if (find !== undefined) found(input, find)
  }

  while (executions < asked.executions && finds.size < mostKinds) {
    const parent = parentOf(kept.pick(random))
    coverage.reached()
    for (let i = 0; i < batch && executions < asked.executions; i++) {
      const image = mutated(parent, random, kept.any(random))
      if (asksForMuch(image) && random.below(seldom) > 0) continue
      one({ target: asked.targets[random.below(asked.targets.length)] ?? 'header', draw: random.below(2 ** 32), image })
    }
    if (performance.now() - printed < pause) continue
    printed = performance.now()
    const { targets: _, summary: _line, ...progress } = summary()
    print({ ...progress, finds: finds.size })
  }
  ftruncateSync(running)
  closeSync(running)
  return summary()
}

/** All targets, those that cost ten times as much as others a quarter as often; or the one that is named. */
export const targetsOf = (name: Target | undefined): readonly Target[] =>
  name === undefined ? targetNames.flatMap((each) => (isCostly(each) ? [each] : [each, each, each, each])) : [name]
