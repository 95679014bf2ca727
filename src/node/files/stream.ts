/** Streams: names of standard input, standard output and pipes, which have no places to read or write at. */
import { fstatSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'

const isFifo = (name: string): boolean =>
  E.getOrElse(() => false)(
    E.tryCatch(
      () => statSync(name, { throwIfNoEntry: false })?.isFIFO() === true,
      () => undefined
    )
  )

/** Whether a name is `-`, or that of a standard stream that is no file. */
const isStandard = (name: string, path: string, fd: number): boolean =>
  name === '-' || (name === path && !fstatSync(fd).isFile())

export const isStandardInput = (name: string): boolean => isStandard(name, '/dev/stdin', 0)
export const isStandardOutput = (name: string): boolean => isStandard(name, '/dev/stdout', 1)

/** Whether an input is standard input, or a pipe. */
export const isStream = (name: string): boolean => isStandardInput(name) || isFifo(name)

/** Whether an output is standard output, or a pipe. */
export const isPipe = (name: string): boolean => isStandardOutput(name) || isFifo(name)
