/** How a run draws the cases of its properties. The same seed draws the same cases on every machine. */

/** The seed of a run that asks for none. */
const fixedSeed = 20260921

/**
 * `runs` scales the number of cases; `path` is fast-check's path to one case. A `brief` run reports only whether anything
 * fails: it neither shrinks a counterexample nor goes on after it.
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

/** Reads QCOW2_SEED, an integer of 32 bits; QCOW2_RUNS, a positive factor; QCOW2_PATH; QCOW2_BRIEF, `yes` or empty. */
export const drawFromEnvironment = (): Draw => ({
  seed: number('QCOW2_SEED', fixedSeed, (value) => (value | 0) === value),
  runs: number('QCOW2_RUNS', 1, (value) => Number.isFinite(value) && value > 0),
  path: process.env['QCOW2_PATH'] === '' ? undefined : process.env['QCOW2_PATH'],
  brief: (process.env['QCOW2_BRIEF'] ?? '') !== ''
})
