/** `qcow2 crash`: runs a program on an image, and explores what a crash may leave of its writes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as t from 'io-ts'
import { textOfLines } from '../../bytes/octets.js'
import { type Expected, exploreRecorded, type Share, type Tally, type Violation } from '../../crash/explore.js'
import { storeOf } from '../../store/files.js'
import { toBytes } from '../../store/store.js'
import { because, either, type Failed, failure, get, system, using, wait } from '../command-error.js'
import { kindsOf, reportJson, reportLines } from '../crash/report.js'
import { traced, type Watched, watchedIn } from '../crash/trace.js'
import { jsonText, ok, print } from '../files/output.js'
import { nodeAt } from '../images/image-node.js'
import { openImage } from '../images/open.js'
import { integerOption, where } from '../text/values.js'
import { argument, choice, command, option, optional, orElse, text } from './command.js'
import { allow, output } from './options.js'

/** Exit code when a promise is broken, and when nothing could be explored. */
const broken = 1
const notRun = 2

const models = ['P0', 'P1', 'P2', 'P3'] as const

const expectations: readonly Expected[] = ['old', 'old-or-new', 'any']

const positive = (name: string) =>
  where(integerOption(name), (n) => n > 0, `Parameter '${name}' expects a number above 0`)

const shareForm = /^([0-9]{1,6})\/([0-9]{1,6})$/

/** Share k of n, from 1 on. */
const shareOf = either(function* (form: string | undefined): Generator<Failed, Share> {
  if (form === undefined) return { part: 0, of: 1 }
  const [, k, n] = shareForm.exec(form) ?? []
  const share = { part: Number(k) - 1, of: Number(n) }
  return share.part >= 0 && share.part < share.of
    ? share
    : yield* get(failure(`'${form}' is not a shard: k/n with k from 1 to n`))
})

/** Writes the files of a state into a folder. */
const save = (folder: string, { files }: Watched, state: Violation) =>
  system('write', folder, () => {
    mkdirSync(folder, { recursive: true })
    for (const { path, file } of files) writeFileSync(join(folder, basename(path)), toBytes(storeOf(state.files, file)))
  })

export const crash = command({
  args: {
    image: argument('<image>', 'the image that the program writes; its backing and data files are watched too', text),
    words: argument(
      '<command...>',
      'after --: the program and its arguments, which does to the image what it does',
      t.readonlyArray(text)
    )
  },
  options: {
    expect: choice(
      '--expect <what>',
      'of the guest disk: old, old-or-new (default) or any',
      expectations,
      'old-or-new'
    ),
    states: option(
      '--states <n>',
      'most states of an epoch under a model, all if there are fewer (default 1024)',
      orElse(positive('states'), 1024)
    ),
    seed: option(
      '--seed <n>',
      'of the states that are drawn where there are more (default 1)',
      orElse(integerOption('seed'), 1)
    ),
    shard: option('--shard <k/n>', 'explore every n-th epoch', optional(text)),
    save: option('--save <folder>', 'write the files of the smallest state that breaks a promise', optional(text)),
    time: option('--time <seconds>', 'that the program may take (default 60)', orElse(positive('time'), 60)),
    allow,
    output
  },
  failureCode: notRun,
  async *run(
    { image, words: [program, ...args] },
    { expect, states, seed, shard, save: folder, time, allow: folders, output: form }
  ) {
    if (program === undefined) return yield* get(failure('No program is given'))
    const share = yield* get(shareOf(shard))
    const watched = yield* using(openImage(nodeAt(image), { allow: folders }), function* (open) {
      return yield* get(watchedIn(open))
    })
    const { before, recorded, end } = yield* wait(traced(watched, [program, ...args], time))
    const subject = { before, recorded, backing: watched.backing, expected: expect }
    const bounds = { most: states, seed, share }
    const tallies: Tally[] = []
    for (const model of models) {
      const tally = exploreRecorded(subject, model, bounds)
      if (tally._tag === 'Left')
        return yield* get(failure(because(`Could not read '${image}'`, image)(tally.left).message))
      tallies.push(tally.right)
    }
    const explored = { words: [program, ...args], end, recorded, expected: expect, bounds, tallies }
    yield* get(print(form === 'json' ? jsonText(reportJson(explored)) : textOfLines(reportLines(explored))))
    const [first] = kindsOf(tallies)
    if (first === undefined) return ok
    if (folder !== undefined) yield* get(save(folder, watched, first.smallest))
    return broken
  }
})
