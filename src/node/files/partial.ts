/**
 * Partial files: output that has no name yet, and scratch folders. A signal that ends the process removes them, after it has
 * stopped the programs that write them.
 */
import { rmSync } from 'node:fs'
import { addSignalListener, type EndingSignal, exitCodeOf, removeSignalListener } from './signals.js'

const paths = new Set<string>()

const stops = new Set<() => void>()

let end: ((exitCode: number) => void) | undefined

/** Lets signals remove the partial files, and then end the process. Without it signals have their own effect. */
export const endOnSignals = (exit: (exitCode: number) => void): void => {
  end = exit
}

const onSignal = (signal: EndingSignal): void => {
  for (const stop of stops) stop()
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  end?.(exitCodeOf(signal))
}

/** Declares a partial file, before it is created. */
export const addPartial = (path: string): void => {
  if (end !== undefined && paths.size === 0) addSignalListener(onSignal)
  paths.add(path)
}

/** Declares that a partial file is complete, or removed. */
export const dropPartial = (path: string): void => {
  if (paths.delete(path) && paths.size === 0) removeSignalListener(onSignal)
}

/** Declares what stops a running program that may write partial files. */
export const addStop = (stop: () => void): void => {
  stops.add(stop)
}

/** Declares that the program has ended. */
export const dropStop = (stop: () => void): void => {
  stops.delete(stop)
}

/** Longest time without a look at signals, in milliseconds. */
const longest = 50

let last = 0

/** Lets a signal be seen, where there is a partial file and the last time was long ago; else there is nothing to wait for. */
export const pause = (): Promise<void> | undefined => {
  if (paths.size === 0) return undefined
  const now = performance.now()
  if (now - last < longest) return undefined
  last = now
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
