/** Playing a script: its commands in an empty folder, and what they print compared with what they must print. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type Printed, words as byteWords } from './bytes.js'
import { controlled, fits, type Script, type Step, stepsFor } from './document.js'
import type { Actor } from './party.js'

/** Why a script came out otherwise: at which of its steps, and what was printed there. */
export interface Otherwise {
  readonly step: number
  readonly command: string
  readonly expected: readonly string[]
  readonly got: string
}

/** The words of a command line; quotes keep blanks. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^ '"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? '')
  )

/** The lines of qemu-io that say how long it took. */
const timing = /^\d.* ops; .*\n/gm

/** The programs that a party has, beside the words of bytes.ts and `trace`. */
const programs = ['qemu-img', 'qemu-io', 'qcow2']

/** What is printed for a word that cannot be carried out: there is none such, no such file, or a place past 2^53. */
const failed = (why: string): Printed => ({ code: 1, text: why })

const carriedOut = async (actor: Actor, line: string): Promise<Printed> => {
  const [first = '', ...rest] = wordsOf(line)
  const own = byteWords[first]
  if (own !== undefined) return E.getOrElse(failed)(E.tryCatch(() => own(...rest), String))
  if (first === 'trace') {
    const counting = rest[0] === '--words'
    const [program = '', ...words] = counting ? rest.slice(1) : rest
    return actor.trace([program, ...words], counting)
  }
  return programs.includes(first) ? actor.run([first, ...rest]) : failed(`${first}: no such word`)
}

const differs = ({ expected }: Step, { code, text }: Printed): boolean => {
  if (expected.length === 0) return code !== 0
  return !fits(expected, code === 0 ? text : `${text}exit ${code}\n`)
}

/** Runs the steps in a folder of their own, up to the first that comes out otherwise. */
const playSteps = async (steps: readonly Step[], actor: Actor): Promise<Otherwise | undefined> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-witness-'))
  const home = process.cwd()
  process.chdir(folder)
  try {
    for (const [index, step] of steps.entries()) {
      const printed = await carriedOut(actor, step.command)
      const text = printed.text.replace(timing, '').replace(/[^\n]$/, '$&\n')
      if (differs(step, { code: printed.code, text })) {
        const exit = printed.code === 0 ? '' : `exit ${printed.code}\n`
        return { step: index, command: step.command, expected: step.expected, got: text + exit }
      }
    }
    return undefined
  } finally {
    process.chdir(home)
    rmSync(folder, { recursive: true })
  }
}

/** How a script came out for a party. */
export type Outcome =
  | { readonly _tag: 'Held' }
  /** It came out otherwise than the document says. */
  | { readonly _tag: 'Broken'; readonly why: Otherwise }
  /** Under its control it held, or could not be played. */
  | { readonly _tag: 'Toothless'; readonly why: string }

const playControl = async (script: Script, actor: Actor): Promise<string | undefined> => {
  const steps = controlled(stepsFor(script, actor.party), script.control)
  if (E.isLeft(steps)) return steps.left
  const otherwise = await playSteps(steps.right.steps, actor)
  if (otherwise === undefined) return 'it holds under its control too'
  return steps.right.written.has(otherwise.step)
    ? `the control itself fails: ${otherwise.command}: ${otherwise.got}`
    : undefined
}

/** Plays a script for a party and then, if it has one, its control. */
export const play = async (script: Script, actor: Actor): Promise<Outcome> => {
  const why = await playSteps(stepsFor(script, actor.party), actor)
  if (why !== undefined) return { _tag: 'Broken', why }
  const toothless = script.control.length === 0 ? undefined : await playControl(script, actor)
  return toothless === undefined ? { _tag: 'Held' } : { _tag: 'Toothless', why: toothless }
}
