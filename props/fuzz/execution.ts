/** Executions: one input through one target, and what is found. */
import { Random } from '../tools/same/random.js'
import { checking, dumping, header, mapping, metadata, reading } from './reading.js'
import { Find, type Scene, sceneOf } from './scene.js'
import { repairing, transition } from './writing.js'

const targets = {
  header,
  metadata,
  check: checking,
  map: mapping,
  dump: dumping,
  read: reading,
  transition,
  repair: repairing
} satisfies Readonly<Record<string, (scene: Scene) => void>>

export type Target = keyof typeof targets

export const isTarget = (name: string): name is Target => Object.hasOwn(targets, name)

export const targetNames: readonly Target[] = Object.keys(targets).filter(isTarget)

/** What a target is given: an image, and the seed of everything else that it draws. */
export interface Input {
  readonly target: Target
  readonly draw: number
  readonly image: Uint8Array
}

/** Most processor time of one execution, in seconds, and most memory that it adds to the most that the process had before, in MiB. */
const mostTime = 5
const mostMemory = 512

const frameOf = (stack: string | undefined): string =>
  /\/dist\/((?:src|spec|props)\/\S+\.js)/.exec(stack ?? '')?.[1] ?? 'an unknown file'

/** The outcome of an execution: what it finds, as one line, and its processor time in microseconds. */
export interface Outcome {
  readonly find?: string
  readonly time: number
}

const thrownBy = ({ target, draw, image }: Input): string | undefined => {
  try {
    targets[target](sceneOf(image, new Random(draw)))
    return undefined
  } catch (thrown) {
    if (thrown instanceof Find) return thrown.message
    return thrown instanceof Error
      ? `${thrown.message}, thrown in ${frameOf(thrown.stack)}`
      : `thrown: ${String(thrown)}`
  }
}

export const execute = (input: Input): Outcome => {
  const before = process.resourceUsage()
  const find = thrownBy(input)
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const time = userCPUTime + systemCPUTime - before.userCPUTime - before.systemCPUTime
  if (find !== undefined) return { time, find }
  if (time > mostTime * 1e6) return { time, find: `more than ${mostTime} s` }
  return maxRSS - before.maxRSS > mostMemory * 1024 ? { time, find: `more than ${mostMemory} MiB` } : { time }
}

/** What finds of one kind have in common: the target, and the line without its numbers. */
export const kindOf = (target: Target, line: string): string => `${target}: ${line.replaceAll(/\d+/g, 'N')}`
