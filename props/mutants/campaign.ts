/** Runs a list of mutants: types first, in batches, then trials, in as many copies of the build as there are jobs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyBuild } from './copy.js'
import { ran } from './coverage.js'
import { equivalent } from './equivalent.js'
import type { GeneratedMutant } from './generated.js'
import { judge, type Verdict } from './judge.js'
import { apply, compile } from './mutate.js'
import type { Edit } from './operators.js'
import { type Probe, type Probes, probesIn } from './probes.js'
import type { MutantRecord } from './score.js'
import { runTrial } from './trial.js'
import { typeMessages } from './type-check.js'

export interface Campaign {
  readonly root: string
  readonly mutants: readonly GeneratedMutant[]
  readonly jobs: number
  /** CPU time for the trials of one mutant, in seconds. */
  readonly budget: number
  /** Whether no further mutant is tried. */
  readonly isOver: () => boolean
  readonly onRecord: (record: MutantRecord) => void
}

/** Mutants that are compiled in one program. */
const batchSize = 64

interface Build {
  readonly root: string
  readonly copy: string
  readonly probes: Probes
  readonly budget: number
}

/**
 * The built code of a source with an edit, and the first offset at which it differs from that without; undefined where the
 * edit changes nothing but types.
 */
export const builtWith = (
  source: string,
  edit: Edit
): { readonly code: string; readonly offset: number } | undefined => {
  const [built, code] = [compile(source), compile(apply(source, [edit]))]
  if (code === built) return undefined
  let offset = 0
  while (offset < code.length && code[offset] === built[offset]) offset++
  return { code, offset }
}

/** Tries a mutant in a copy; undefined if it changes nothing but types. */
const tryIn = async (mutant: GeneratedMutant, { root, copy, probes, budget }: Build): Promise<Verdict | undefined> => {
  const { file, edit } = mutant
  const mutated = builtWith(readFileSync(join(root, 'src', file), 'utf8'), edit)
  if (mutated === undefined) return undefined
  const path = join(copy, 'dist/src', file.replace(/\.ts$/, '.js'))
  const built = readFileSync(path, 'utf8')
  const reached = ({ coverage }: Probe): boolean => ran(coverage[file] ?? [], mutated.offset)
  return judge(file, reached, {
    budget,
    probes: { ...probes, probe: (test) => probes.probe(test, copy) },
    trial: async (paths, settings) => {
      // The copy has the fault during trials alone: between them test files are probed without it.
      writeFileSync(path, mutated.code)
      const result = await runTrial(copy, paths, settings)
      writeFileSync(path, built)
      return result
    }
  })
}

/** The mutants that have types, as a list that is filled batch by batch when it runs empty. */
const typed = (
  { root, mutants, isOver }: Pick<Campaign, 'root' | 'mutants' | 'isOver'>,
  reject: (mutant: GeneratedMutant) => void
): (() => GeneratedMutant | undefined) => {
  const waiting = [...mutants]
  const ready: GeneratedMutant[] = []
  return () => {
    while (ready.length === 0 && waiting.length > 0 && !isOver()) {
      const batch = waiting.splice(0, batchSize)
      const messages = typeMessages(
        batch.map(({ file, edit }) => ({ file, text: apply(readFileSync(join(root, 'src', file), 'utf8'), [edit]) }))
      )
      batch.forEach((mutant, i) => {
        if ((messages[i] ?? []).length > 0) reject(mutant)
        else ready.push(mutant)
      })
    }
    return isOver() ? undefined : ready.shift()
  }
}

/** Tries mutants, and returns how many were not tried when the time was over. */
export const campaign = async (plan: Campaign): Promise<number> => {
  const { root, mutants, jobs, budget, isOver, onRecord } = plan
  const work = mkdtempSync(join(tmpdir(), 'qcow2-spec-mutate-'))
  const probes = probesIn(root, join(root, 'dist/.mutate'))
  let recorded = 0
  const record = (
    { key, file, line, operator }: GeneratedMutant,
    verdict: Pick<MutantRecord, 'outcome' | 'cpu' | 'by' | 'leftOut'>
  ): void => {
    recorded += 1
    onRecord({ key, file, line, operator, ...verdict })
  }
  const typesOnly = { outcome: 'types', cpu: 0 } as const
  const isEquivalent = ({ key }: GeneratedMutant): boolean => equivalent[key] !== undefined
  for (const mutant of mutants.filter(isEquivalent)) record(mutant, { outcome: 'equivalent', cpu: 0 })
  const candidates = mutants.filter((mutant) => !isEquivalent(mutant))
  const next = typed({ root, mutants: candidates, isOver }, (mutant) => record(mutant, typesOnly))
  const job = async (name: string): Promise<void> => {
    const copy = join(work, name)
    copyBuild(copy)
    for (let mutant = next(); mutant !== undefined; mutant = next()) {
      const verdict = await tryIn(mutant, { root, copy, probes, budget })
      record(mutant, verdict ?? typesOnly)
    }
  }
  process.on('exit', () => rmSync(work, { recursive: true, force: true }))
  await Promise.all(Array.from({ length: jobs }, (_, i) => job(String(i))))
  return mutants.length - recorded
}
