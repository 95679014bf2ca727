/** Judges a mutant: which tests try it, in which order, and what comes of it. */
import type { Probe, Probes } from './probes.js'
import type { Settings, TrialResult } from './trial.js'

/** How a mutant ended: a test failed, a process ran into its limit, all tests passed, or none reaches the changed code. */
export type Outcome = 'killed' | 'stopped' | 'survived' | 'unreached'

export interface Verdict {
  readonly outcome: Outcome
  /** The first test that failed. */
  readonly by?: string
  /** CPU time of the trials, in seconds. */
  readonly cpu: number
  /** Test files that reach the change and were too slow for the budget. */
  readonly leftOut: number
}

export interface Court {
  readonly probes: Pick<Probes, 'candidates' | 'knownCpu'> & {
    readonly probe: (path: string) => Promise<Probe>
  }
  /** Runs test files over the mutant. */
  readonly trial: (paths: readonly string[], settings: Settings) => Promise<TrialResult>
  /** CPU time for the trials of one mutant, in seconds. */
  readonly budget: number
}

interface Witness {
  readonly path: string
  readonly probe: Probe
}

interface Stage {
  readonly runs: number
  readonly withQemu: boolean
  readonly asks: (probe: Probe) => boolean
  /** What a test file takes at most, in multiples of its CPU time with a tenth of the cases. */
  readonly times: number
}

/** The first stage has a tenth of the cases; a mutant that survives it meets all of them, and QEMU last. */
const stages: readonly Stage[] = [
  { runs: 0.1, withQemu: false, asks: () => true, times: 1 },
  { runs: 1, withQemu: false, asks: ({ cases }) => cases > 0, times: 10 },
  { runs: 1, withQemu: true, asks: ({ needsQemu }) => needsQemu, times: 10 }
]

/** Test files that are run in one process: one at first, as most mutants are found by the nearest. */
const groupsOf = (paths: readonly string[]): readonly (readonly string[])[] => {
  const groups: (readonly string[])[] = []
  for (let [at, size] = [0, 1]; at < paths.length; at += size, size *= 2) groups.push(paths.slice(at, at + size))
  return groups
}

/**
 * How many folders the paths of a source below src and of a test file do not have in common: the tests mirror the rooms of
 * src. A test file with the name of the source is nearest.
 */
const apart = (file: string, test: string): number => {
  const [folders, others] = [
    file.split('/'),
    test
      .replace(/\.test\.ts$/, '.ts')
      .split('/')
      .slice(1)
  ]
  const differs = folders.findIndex((folder, i) => folder !== others[i])
  return differs === -1 ? 0 : folders.length + others.length - 2 * differs
}

/** The limit of a process whose test files should take this much CPU time: only what hangs runs into it. */
const cpuLimit = (expected: number): number => 10 + 3 * expected

/** Judges a mutant of a source below src; `reached` says whether a test file runs the changed code. */
export const judge = async (file: string, reached: (probe: Probe) => boolean, court: Court): Promise<Verdict> => {
  const { probes, budget } = court
  const distances = probes.candidates(file)
  const order = (path: string): number =>
    (distances.get(path) ?? 0) + Math.log2(1 + (probes.knownCpu(path) ?? 0)) + 10 * apart(file, path)
  const paths = [...distances.keys()].sort((a, b) => order(a) - order(b))
  const witnesses: Witness[] = []
  const leftOut = new Set<string>()
  let cpu = 0

  /** Runs the fastest test files first, as many as the budget allows. */
  const run = async (group: readonly Witness[], { runs, withQemu, times }: Stage): Promise<Verdict | undefined> => {
    const chosen: string[] = []
    let expected = 0
    for (const { path, probe } of [...group].sort((a, b) => a.probe.cpu - b.probe.cpu))
      if (cpu + expected + probe.cpu * times > budget) leftOut.add(path)
      else {
        chosen.push(path)
        expected += probe.cpu * times
      }
    if (chosen.length === 0) return undefined
    const limit = cpuLimit(expected)
    const { accounts, failed, stopped } = await court.trial(chosen, { runs, withQemu, cpuLimit: limit })
    cpu += stopped ? limit : accounts.reduce((sum, each) => sum + each.cpu, 0)
    const [by] = failed
    return by === undefined ? undefined : { outcome: stopped ? 'stopped' : 'killed', by, cpu, leftOut: leftOut.size }
  }

  const [first, ...later] = stages
  for (const group of groupsOf(paths)) {
    const reaching: Witness[] = []
    for (const path of group) {
      const probe = await probes.probe(path)
      if (probe.failed.length === 0 && reached(probe)) reaching.push({ path, probe })
    }
    witnesses.push(...reaching)
    const verdict = first === undefined ? undefined : await run(reaching, first)
    if (verdict !== undefined) return verdict
  }
  if (witnesses.length === 0) return { outcome: 'unreached', cpu, leftOut: 0 }
  for (const stage of later) {
    const verdict = await run(
      witnesses.filter(({ probe }) => stage.asks(probe)),
      stage
    )
    if (verdict !== undefined) return verdict
  }
  return { outcome: 'survived', cpu, leftOut: leftOut.size }
}
