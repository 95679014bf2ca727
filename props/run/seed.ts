/** What a run of the proofs draws from. The same seed draws the same cases, on every machine. */

/** The seed of a run that asks for none. */
const fixedSeed = 20260921

/**
 * How cases are drawn: `runs` scales how many, `path` leads straight to one of them. A `brief` run only tells whether
 * anything fails: a counterexample is not shrunk, and what comes behind it is skipped.
 */
export interface Draw {
  readonly seed: number
  readonly runs: number
  readonly path: string | undefined
  readonly brief: boolean
}

const number = (name: string, fallback: number, legal: (value: number) => boolean): number => {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!legal(value)) throw new Error(`${name} is not usable: ${text}`)
  return value
}

/** As the environment asks for: QCOW2_SEED, an integer of 32 bits; QCOW2_RUNS, a positive factor; QCOW2_PATH; QCOW2_BRIEF, not empty. */
export const drawFromEnvironment = (): Draw => ({
  seed: number('QCOW2_SEED', fixedSeed, (value) => (value | 0) === value),
  runs: number('QCOW2_RUNS', 1, (value) => Number.isFinite(value) && value > 0),
  path: process.env['QCOW2_PATH'] === '' ? undefined : process.env['QCOW2_PATH'],
  brief: (process.env['QCOW2_BRIEF'] ?? '') !== ''
})
