/** `qcow2 conform`: runs another program over the conformance vectors. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { actOnEach, type CommandError, failure, get, wait } from '../command-error.js'
import { cageHere } from '../conform/cage.js'
import { conformance, writerConformance } from '../conform/conformance.js'
import { checkers, readers, writers } from '../conform/presets.js'
import { failures, reportJson, reportJunit, reportText, type Run } from '../conform/report.js'
import { loadVectors, writeFiles } from '../conform/suite.js'
import { template } from '../conform/template.js'
import type { Vector } from '../conform/vector.js'
import { type Commands, linesOf, templatesOf, writeTrial } from '../conform/writer/perform.js'
import { type Trial, trialsOf } from '../conform/writer/trial.js'
import { onTerminal } from '../convert/progress.js'
import { jsonText, ok, print } from '../files/output.js'
import { quoted } from '../text/quoted.js'
import { integerOption } from '../text/values.js'
import { choice, command, flag, option, optional, orElse, repeated, text } from './command.js'

/** Exit code when a vector failed, and when the run itself did. */
const failed = 1
const notRun = 2

const mebibyte = 2 ** 20

const known = (presets: Readonly<Record<string, unknown>>): string => Object.keys(presets).join(', ')

/** The vectors, or trials, that are asked for, by id or clause; all without. */
const chosen = <A extends Vector>(all: readonly A[], only: readonly string[]): readonly A[] =>
  only.length === 0
    ? all
    : all.filter(({ id, clauses }) => only.includes(id) || clauses.some((clause) => only.includes(clause)))

const extract = (vectors: readonly Vector[], trials: readonly Trial[], folder: string): E.Either<CommandError, void> =>
  E.chain(() => print(`${vectors.length + trials.length} written to ${folder}\n`))(
    E.chain(() => actOnEach(trials, (trial) => writeTrial(trial, join(folder, trial.id))))(
      actOnEach(vectors, (vector) => writeFiles(vector, join(folder, vector.id)))
    )
  )

/** The report; `again` is the command that does a vector or a trial once more, in its folder. */
const reportOf = (run: Run, output: 'human' | 'json' | 'junit', again: (id: string) => string): string => {
  if (output === 'json') return jsonText(reportJson(run))
  if (output === 'junit') return reportJunit(run)
  return reportText(run, (id) => `qcow2 conform --extract . --only ${id} && cd ${id} && ${again(id)}`)
}

/** The report, and the exit code: 2 if the program could not be started. */
const finish = function* (run: Run, output: 'human' | 'json' | 'junit', again: (id: string) => string) {
  const missing = run.tried.find(({ found }) => found._tag === 'Broke' && found.why.startsWith('could not be started'))
  if (missing?.found._tag === 'Broke') yield* get(failure(`'${run.command}' ${missing.found.why}`))
  yield* get(print(reportOf(run, output, again)))
  return failures(run).length === 0 ? ok : failed
}

/** The commands of a writer: a preset, or a command for writes and others for what else it can do. */
const commandsOf = (write: string, others: Omit<Commands, 'Write'>): E.Either<CommandError, Commands> => {
  const preset = writers[write]
  const given = Object.values(others).some((line) => line !== undefined)
  if (preset === undefined) return E.right({ Write: write, ...others })
  return given ? failure(`--writer ${write} has its own commands: give no others beside it`) : E.right(preset)
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
    writer: option(
      '--writer <command>',
      `a program that writes the file {data} to the disk of {image} at byte {offset}, {length} bytes; or ${known(writers)}`,
      optional(text)
    ),
    zero: option('--zero <command>', 'with --writer: zeros {length} bytes at {offset}', optional(text)),
    discard: option('--discard <command>', 'with --writer: discards {length} bytes at {offset}', optional(text)),
    flush: option('--flush <command>', 'with --writer: makes what was written durable', optional(text)),
    snapshot: option('--snapshot <command>', 'with --writer: takes the internal snapshot {name}', optional(text)),
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
  failureCode: notRun,
  async *run(_, { reader, checker, writer, shell, only, extract: folder, time, memory, jobs, output, ...others }) {
    const all = (yield* get(loadVectors())).vectors
    const vectors = chosen(all, only)
    const named = only.length === 0 && writer === undefined ? [] : chosen(trialsOf(all), only)
    if (vectors.length + named.length === 0) yield* get(failure(`There is no vector ${only.join(', ')}`))
    if (folder !== undefined) {
      const byId = only.length === 0 ? named : named.filter(({ id }) => only.includes(id))
      yield* get(extract(vectors, byId, folder))
      return ok
    }
    const roles = [reader, checker, writer].filter((given) => given !== undefined)
    if (roles.length !== 1) return yield* get(failure('Give a program by --reader, by --checker or by --writer'))
    const { zero: Zero, discard: Discard, flush: Flush, snapshot: Snapshot } = others
    if (writer === undefined && [Zero, Discard, Flush, Snapshot].some((line) => line !== undefined))
      yield* get(failure('--zero, --discard, --flush and --snapshot are for --writer'))
    const { cage, note } = cageHere()
    const limits = { time, memory: memory * mebibyte, output: 64 * mebibyte }
    const show = onTerminal()
    const showDone = (done: number, of: number): void => show?.(`    (${done}/${of} vectors)\r`)
    if (writer !== undefined) {
      const commands = yield* get(commandsOf(writer, { Zero, Discard, Flush, Snapshot }))
      const templates = yield* get(templatesOf(commands, shell))
      const around = { templates, limits, cage }
      const { tried, leftOut } = yield* wait(writerConformance(around, named, Math.max(1, jobs), showDone))
      const run: Run = { command: commands.Write ?? writer, role: 'writer', tried, leftOut, notes: [note] }
      return yield* finish(run, output, (id) => {
        const trial = named.find((one) => one.id === id)
        const lines = trial === undefined ? [] : linesOf(trial, templates)
        return lines.map((line) => line.map(quoted).join(' ')).join(' && ')
      })
    }
    const role = reader === undefined ? 'checker' : 'reader'
    const [given = ''] = roles
    const line = (role === 'reader' ? readers : checkers)[given] ?? given
    const subject = { template: yield* get(template(line, shell)), role, limits, cage } as const
    const { tried, leftOut } = yield* wait(conformance(subject, vectors, Math.max(1, jobs), showDone))
    const run: Run = { command: line, role, tried, leftOut, notes: [note] }
    return yield* finish(run, output, () => line.replaceAll('{image}', 'img.qcow2').replaceAll('{out}', 'out.raw'))
  }
})
