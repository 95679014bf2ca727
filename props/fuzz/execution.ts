/** Executions: one input through one target, and what is found. */
import { Random } from '../../src/fuzz/random.js'
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

/** Most processor time of one execution, in seconds, and most memory that it adds to the most that the process had, in MiB. */
const mostTime = 5
const mostMemory = 512
/** Milliseconds under which neither is measured. */
const isShort = 20

const frameOf = (stack: string | undefined): string =>
  /\/dist\/((?:src|spec|props)\/\S+\.js)/.exec(stack ?? '')?.[1] ?? 'an unknown file'

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

/** The most memory that the process had when it was last measured, in KiB. */
let highest = process.resourceUsage().maxRSS

/** What only a long execution is asked: whether it takes too much memory, or too much time even when nothing else runs. */
const excessOf = (input: Input, elapsed: number): string | undefined => {
  const { maxRSS } = process.resourceUsage()
  const more = maxRSS - highest
  highest = maxRSS
  if (more > mostMemory * 1024) return `more than ${mostMemory} MiB`
  if (elapsed <= mostTime * 1000) return undefined
  const before = process.cpuUsage()
  thrownBy(input)
  const { user, system } = process.cpuUsage(before)
  return user + system > mostTime * 1e6 ? `more than ${mostTime} s` : undefined
}

/** What an execution finds, as one line. */
export const execute = (input: Input): string | undefined => {
  const before = performance.now()
  const find = thrownBy(input)
  const elapsed = performance.now() - before
  return find === undefined && elapsed > isShort ? excessOf(input, elapsed) : find
}

/** What finds of one kind have in common: the target, and the line without its numbers. */
export const kindOf = (target: Target, line: string): string => `${target}: ${line.replaceAll(/\d+/g, 'N')}`
