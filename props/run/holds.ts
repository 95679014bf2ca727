/** Checks fast-check properties with the seed of this run, and records how to replay a counterexample. */
import fc from 'fast-check'
import { drawFromEnvironment } from './seed.js'
import { checked, propertiesSoFar, reason } from './suite.js'

/** Cases of a property that asks for no number. */
const usualRuns = 100

interface Runs<T> {
  /** Cases that are drawn, scaled by the factor of this run. */
  readonly runs?: number
  /** Cases that come first. */
  readonly examples?: T[]
}

const parametersOf = <T>({ runs = usualRuns, examples = [] }: Runs<T>): fc.Parameters<T> => {
  const draw = drawFromEnvironment()
  // A path leads into the cases of one property: the first of its test.
  const path = propertiesSoFar() === 0 && draw.path !== undefined ? { path: draw.path } : {}
  return { seed: draw.seed, numRuns: Math.ceil(runs * draw.runs), endOnFailure: draw.brief, examples, ...path }
}

/** Adds the cases to the running test; throws with the shrunk counterexample. */
const judge = <T>(found: fc.RunDetails<T>): void => {
  if (!found.failed) {
    checked(found.numRuns)
    return
  }
  const draw = drawFromEnvironment()
  const first = propertiesSoFar() === 0
  const replay = [`--seed ${draw.seed}`, `--runs ${draw.runs}`, `--path ${found.counterexamplePath ?? ''}`]
  checked(found.numRuns, replay.slice(0, first && found.counterexamplePath !== null ? 3 : 2).join(' '))
  const shrunk = `(case ${found.numRuns}, shrunk ${found.numShrinks} times)`
  throw new Error(
    found.counterexample === null
      ? `too few cases: ${found.numSkips} were filtered out, ${found.numRuns} ran`
      : `does not hold for ${fc.stringify(found.counterexample)} ${shrunk}\n${reason(found.errorInstance)}`
  )
}

/** Fails unless the property holds. */
export const holds = <T>(property: fc.IProperty<T>, runs: Runs<T> = {}): void => {
  judge(fc.check(property, parametersOf(runs)))
}

/** The same for an asynchronous property. */
export const holdsInTime = async <T>(property: fc.IAsyncProperty<T>, runs: Runs<T> = {}): Promise<void> => {
  judge(await fc.check(property, parametersOf(runs)))
}
