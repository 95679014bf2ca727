/** Checks a property with the seed of this run, and tells how to replay what it finds. */
import fc from 'fast-check'
import { drawFromEnvironment } from './seed.js'
import { checked, propertiesSoFar, reason } from './suite.js'

/** How many cases a property runs when it does not say. */
const usualRuns = 100

/** Fails unless the property holds for `runs` drawn cases, scaled by the factor of this run. */
export const holds = <T>(property: fc.IProperty<T>, { runs = usualRuns }: { readonly runs?: number } = {}): void => {
  const draw = drawFromEnvironment()
  // A path leads into the cases of one property: the first of its test.
  const first = propertiesSoFar() === 0
  const path = first && draw.path !== undefined ? { path: draw.path } : {}
  const options = { seed: draw.seed, numRuns: Math.ceil(runs * draw.runs), endOnFailure: draw.brief, ...path }
  const found = fc.check(property, options)
  if (!found.failed) {
    checked(found.numRuns)
    return
  }
  const replay = [`--seed ${draw.seed}`, `--runs ${draw.runs}`, `--path ${found.counterexamplePath ?? ''}`]
  checked(found.numRuns, replay.slice(0, first && found.counterexamplePath !== null ? 3 : 2).join(' '))
  const shrunk = `(case ${found.numRuns}, shrunk ${found.numShrinks} times)`
  throw new Error(
    found.counterexample === null
      ? `too few cases: ${found.numSkips} were filtered out, ${found.numRuns} ran`
      : `does not hold for ${fc.stringify(found.counterexample)} ${shrunk}\n${reason(found.errorInstance)}`
  )
}
