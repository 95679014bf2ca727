/** The parties of a trial: each carries commands out on an image, and reports which of them it refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { because, type CommandError, get, task } from '../../src/node/command-error.js'
import { withImage } from '../../src/node/images/locked-image.js'
import type { Refused, Session } from '../../src/node/images/session.js'
import type { Command } from '../../src/transition/command.js'
import { isOfGuest, lineOf, wordsOf } from '../qemu-crash/record.js'
import { names, run } from './files.js'

/** Whether a command was carried out, and the clause by which it was not where the party knows one. */
export interface Answer {
  readonly done: boolean
  readonly clause?: ClauseId
}

/** What two parties do not agree about. */
export class Disagreement extends Error {}

/** Carries out commands on the image in a folder. Several are a guest's, and go to one process. */
export type Party = (folder: string, commands: readonly Command[]) => Promise<readonly Answer[]>

/** Whether a command goes to a process of its own. */
export const isAlone = (c: Command): boolean => !isOfGuest(c) && c._tag !== 'Flush'

/** Whether a command looks at no guest bytes, so that backing files are left alone. */
const leavesBacking = (c: Command | undefined): boolean =>
  c !== undefined && (c._tag.startsWith('Snapshot') || c._tag.startsWith('Bitmap'))

/** The answer of a session to a command, done in the way of the command line; fails where no clause is the reason. */
const answerOf = (session: Session, command: Command): E.Either<CommandError, Answer> => {
  const done = command._tag.startsWith('Bitmap')
    ? E.mapLeft(({ cause }: Refused) => cause)(session.all([command]))
    : command._tag === 'Flush'
      ? session.end()
      : session.command(command)
  if (E.isRight(done)) return E.right({ done: true })
  const error = because(command._tag)(done.left)
  return error.clause === undefined ? E.left(error) : E.right({ done: false, clause: error.clause })
}

/** This package, on the real file. */
export const ours: Party = async (folder, commands) => {
  const alone = leavesBacking(commands[0])
  const answered = withImage(join(folder, names.image), { alone }, function* (session) {
    const answers: Answer[] = []
    for (const command of commands) answers.push(yield* get(answerOf(session, command)))
    return answers
  })
  const answers = await task(() => answered)()()
  if (E.isLeft(answers)) throw new Disagreement(answers.left.message)
  return answers.right
}

/** The words of qemu-img for a command, with the image among them. */
export const imgWords = (c: Command): readonly string[] => {
  switch (c._tag) {
    case 'BitmapAdd':
      return ['bitmap', '--add', '-g', `${c.granularity}`, ...(c.enabled ? [] : ['--disable']), names.image, c.name]
    case 'BitmapRemove':
    case 'BitmapClear':
    case 'BitmapEnable':
    case 'BitmapDisable':
      return ['bitmap', `--${c._tag.slice(6).toLowerCase()}`, names.image, c.name]
    case 'BitmapMerge':
      return ['bitmap', '--merge', c.from, names.image, c.name]
    case 'Resize':
      return [...wordsOf(c).slice(0, -1), names.image, `${c.size}`]
    default:
      return [...wordsOf(c), names.image]
  }
}

const io = (folder: string, commands: readonly Command[]): readonly Answer[] => {
  const lines = commands.map((c, i) => {
    if ('bytes' in c) writeFileSync(join(folder, `bytes${i}`), c.bytes)
    return c._tag === 'Flush' ? 'flush' : lineOf(c, `bytes${i}`)
  })
  const args = lines.flatMap((line) => ['-c', line])
  const { out, error } = run(folder, 'qemu-io', ['-f', 'qcow2', '-t', 'unsafe', ...args, names.image])
  const said = out.split('\n').filter((line) => /^(wrote|discard) [0-9]|failed: /.test(line))
  if (said.length !== commands.filter(isOfGuest).length)
    throw new Disagreement(`qemu-io ${lines.join('; ')}: ${out}${error}`)
  let next = 0
  return commands.map((c) => ({ done: c._tag === 'Flush' || !(said[next++] ?? '').includes('failed: ') }))
}

/** QEMU: qemu-io for what a guest does, and qemu-img for the rest. */
export const qemu: Party = (folder, commands) => {
  const [only] = commands
  return Promise.resolve(
    only !== undefined && isAlone(only)
      ? [{ done: run(folder, 'qemu-img', imgWords(only)).code === 0 }]
      : io(folder, commands)
  )
}
