/** `qcow2 conform`: runs another program over the conformance vectors. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { actOnEach, type CommandError, failure, get, wait } from '../command-error.js'
import { cageHere } from '../conform/cage.js'
import { conformance } from '../conform/conformance.js'
import { checkers, readers } from '../conform/presets.js'
import { failures, reportJson, reportJunit, reportText, type Run } from '../conform/report.js'
import { loadVectors, writeFiles } from '../conform/suite.js'
import { template } from '../conform/template.js'
import type { Vector } from '../conform/vector.js'
import { onTerminal } from '../convert/progress.js'
import { jsonText, ok, print } from '../files/output.js'
import { integerOption } from '../text/values.js'
import { choice, command, flag, option, optional, orElse, repeated, text } from './command.js'

/** Exit code when a vector failed, and when the run itself did. */
const failed = 1
const notRun = 2

const mebibyte = 2 ** 20

const known = (presets: Readonly<Record<string, string>>): string => Object.keys(presets).join(', ')

/** The vectors that are asked for, by id or clause; all without. */
const chosen = (all: readonly Vector[], only: readonly string[]): readonly Vector[] =>
  only.length === 0
    ? all
    : all.filter(({ id, clauses }) => only.includes(id) || clauses.some((clause) => only.includes(clause)))

const extract = (vectors: readonly Vector[], folder: string): E.Either<CommandError, void> =>
  E.chain(() => print(`${vectors.length} written to ${folder}\n`))(
    actOnEach(vectors, (vector) => writeFiles(vector, join(folder, vector.id)))
  )

const reportOf = (run: Run, output: 'human' | 'json' | 'junit'): string => {
  if (output === 'json') return jsonText(reportJson(run))
  if (output === 'junit') return reportJunit(run)
  const line = run.command.replaceAll('{image}', 'img.qcow2').replaceAll('{out}', 'out.raw')
  return reportText(run, (id) => `qcow2 conform --extract . --only ${id} && cd ${id} && ${line}`)
}

export const conform = command({
  args: {},
  options: {
    reader: option(
      '--reader <command>',
      `a program that reads: it writes the disk of {image} to {out}, or prints it; or ${known(readers)}`,
      optional(text)
    ),
    checker: option(
      '--checker <command>',
      `a program that checks {image}: exit code 0 if it is clean; or ${known(checkers)}`,
      optional(text)
    ),
    shell: flag('--shell', 'run the command by /bin/sh'),
    only: repeated('--only <id>', 'a vector, or a clause that vectors name'),
    extract: option(
      '--extract <folder>',
      'write the files of the vectors below a folder, and run nothing',
      optional(text)
    ),
    time: option('--time <seconds>', 'that a run may take (default 10)', orElse(integerOption('time'), 10)),
    memory: option(
      '--memory <MiB>',
      'that its processes may take (default 1024)',
      orElse(integerOption('memory'), 1024)
    ),
    jobs: option('--jobs <n>', 'programs at a time', orElse(integerOption('jobs'), availableParallelism())),
    output: choice('--output <format>', 'human, json or junit', ['human', 'json', 'junit'], 'human')
  },
  async *run(_, { reader, checker, shell, only, extract: folder, time, memory, jobs, output }) {
    const vectors = chosen((yield* get(loadVectors())).vectors, only)
    if (vectors.length === 0) yield* get(failure(`There is no vector ${only.join(', ')}`, { exitCode: notRun }))
    if (folder !== undefined) {
      yield* get(extract(vectors, folder))
      return ok
    }
    const given = reader ?? checker
    if (given === undefined || (reader !== undefined && checker !== undefined))
      return yield* get(failure('Give a program by --reader or by --checker', { exitCode: notRun }))
    const role = reader === undefined ? 'checker' : 'reader'
    const line = (role === 'reader' ? readers : checkers)[given] ?? given
    const { cage, note } = cageHere()
    const subject = {
      command: line,
      template: yield* get(template(line, shell)),
      role,
      limits: { time, memory: memory * mebibyte, output: 64 * mebibyte },
      cage
    } as const
    const show = onTerminal()
    const showDone = (done: number, of: number): void => show?.(`    (${done}/${of} vectors)\r`)
    const { tried, leftOut } = yield* wait(conformance(subject, vectors, Math.max(1, jobs), showDone))
    const missing = tried.find(({ found }) => found._tag === 'Broke' && found.why.startsWith('could not be started'))
    if (missing?.found._tag === 'Broke') yield* get(failure(`'${line}' ${missing.found.why}`, { exitCode: notRun }))
    const run: Run = { command: line, role, tried, leftOut, notes: [note] }
    yield* get(print(reportOf(run, output)))
    return failures(run).length === 0 ? ok : failed
  }
})
