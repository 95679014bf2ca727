/** The command: carries out a command line, prints errors, and sets the exit code. */
import * as E from 'fp-ts/lib/Either.js'
import { textOfLines } from '../bytes/octets.js'
import { type CommandError, commandError, reason } from './command-error.js'
import { warningName } from './files/libc.js'
import { writeText } from './files/output.js'
import { endOnSignals } from './files/partial.js'
import { withoutCredentials } from './files/url.js'
import { execute } from './program.js'

/** Prints an error, in one line, without the passwords of URLs. */
const report = ({ message }: CommandError): void => {
  writeText(2, textOfLines([`qcow2: ${withoutCredentials(message)}`]))
}

/** Reports an error, unless it only ends a command whose output nobody reads; its exit code. */
const failed = (error: CommandError): number => {
  if (error.exitCode !== 0) report(error)
  return error.exitCode
}

/** Carries out a command line, without the name of the program, and sets the exit code of the process. */
export const run = async (words: readonly string[]): Promise<void> => {
  const done = await execute(words, report)().catch((error: unknown) => E.left(commandError(reason(error))))
  process.exitCode = E.getOrElse(failed)(done)
}

process.removeAllListeners('warning')
process.on('warning', ({ name, message }) => {
  if (name === warningName) report(commandError(`note: ${message}`))
})

endOnSignals((code) => process.exit(code))

// As in QEMU it has no effect. Without a listener Node opens a port for its debugger.
process.on('SIGUSR1', () => undefined)

void run(process.argv.slice(2))
