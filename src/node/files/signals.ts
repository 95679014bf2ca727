/** The signals that end a command, and the exit codes that name them. */
import { constants } from 'node:os'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A signal that ends a command. */
export type EndingSignal = (typeof signals)[number]

/** The exit code that names a signal, as in a shell: 128 and its number. */
export const exitCodeOf = (signal: EndingSignal): number => 128 + constants.signals[signal]

/** Lets a listener take each of these signals in place of its own effect. */
export const addSignalListener = (listener: (signal: EndingSignal) => void): void => {
  for (const signal of signals) process.on(signal, listener)
}

/** Takes the listener away again, after which signals have their own effect. */
export const removeSignalListener = (listener: (signal: EndingSignal) => void): void => {
  for (const signal of signals) process.off(signal, listener)
}
