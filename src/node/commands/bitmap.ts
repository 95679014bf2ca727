/** `qcow2 bitmap`: dirty bitmaps added, removed, cleared, enabled, disabled and merged. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { chainSize } from '../../image/guest/chain.js'
import { defaultGranularity } from '../../transition/bitmaps/bitmaps.js'
import type { AnyCommand } from '../../transition/command.js'
import { because, type Failed, get, keepRules, using, wait } from '../command-error.js'
import { openSource } from '../files/file.js'
import type { RemoteOptions } from '../files/source.js'
import { keepSizes, type Marked, markedIn } from '../images/copy-bitmaps.js'
import { withImage } from '../images/locked-image.js'
import { byteSize } from '../text/values.js'
import { argument, choice, command, option, optional, Parameter, text } from './command.js'
import { allow, image, remote } from './options.js'

const tags = {
  add: 'BitmapAdd',
  remove: 'BitmapRemove',
  clear: 'BitmapClear',
  enable: 'BitmapEnable',
  disable: 'BitmapDisable'
} as const

/** One thing that is done with a bitmap; a merge names the bitmap whose dirty granules are added. */
const action = t.union([t.type({ _tag: t.keyof(tags) }), t.type({ _tag: t.literal('merge'), from: t.string })])

type Action = t.TypeOf<typeof action>

/** The options that are actions, in the order in which they are given. */
const actions = new Parameter<readonly Action[]>(t.readonlyArray(action), (parser) => {
  const given: Action[] = []
  for (const _tag of ['add', 'remove', 'clear', 'enable', 'disable'] as const)
    parser.option(`--${_tag}`, `${_tag} the bitmap`).on(`option:${_tag}`, () => given.push({ _tag }))
  parser
    .option('--merge <name>', 'mark what another bitmap marks')
    .on('option:merge', (from: string) => given.push({ _tag: 'merge', from }))
  return () => given
})

/** @param marked the bitmaps of another image, which are merged in place of the image's own */
const commandOf = (a: Action, name: string, granularity: number, marked: readonly Marked[]): AnyCommand => {
  if (a._tag === 'add') return { _tag: 'BitmapAdd', name, granularity, enabled: true }
  if (a._tag !== 'merge') return { _tag: tags[a._tag], name }
  const ranges = marked.find((m) => m.name === a.from)?.ranges
  return ranges === undefined ? { _tag: 'BitmapMerge', from: a.from, name } : { _tag: 'BitmapMark', name, ranges }
}

/** The bitmaps of another image that are to be merged; none where the image's own are. */
const sourcesOf = async function* (
  given: readonly Action[],
  file: string | undefined,
  remote: RemoteOptions
): AsyncGenerator<Failed, readonly Marked[]> {
  const out: Marked[] = []
  if (file === undefined) return out
  yield* using(openSource(file, 'image', remote), async function* (source) {
    for (const a of given) if (a._tag === 'merge') out.push(yield* wait(markedIn(source, a.from)))
  })
  return out
}

export const bitmap = command({
  args: { image: image('<image>', 'the image'), name: argument('<name>', 'the bitmap', text) },
  options: {
    actions,
    allow,
    remote,
    granularity: option(
      '-g, --granularity <bytes>',
      'with --add: guest bytes of a granule',
      optional(byteSize('granularity'))
    ),
    sourceFile: option(
      '-b, --source-file <image>',
      'with --merge: the image that has the bitmaps to merge',
      optional(text)
    ),
    sourceFormat: choice('-F, --source-format <format>', 'its format, which must be qcow2', ['qcow2'], 'qcow2')
  },
  async *run({ image: named, name }, { actions: given, allow: folders, remote: reading, granularity, sourceFile }) {
    const { name: file } = named.file
    const isGiven = (tag: Action['_tag']): boolean => given.some(({ _tag }) => _tag === tag)
    const kept = keepRules([
      [given.length === 0, 'Need at least one of --add, --remove, --clear, --enable, --disable, or --merge'],
      [granularity !== undefined && !isGiven('add'), 'granularity only supported with --add'],
      [
        granularity !== undefined && !Number.isInteger(Math.log2(granularity)),
        `Operation add on bitmap '${name}' failed: Granularity must be a power of 2 and at least 512`
      ],
      [sourceFile !== undefined && !isGiven('merge'), 'Merge bitmap source file only supported with --merge']
    ])
    yield* get(kept)
    const marked = yield* sourcesOf(given, sourceFile, reading)
    yield* withImage(named, { alone: true, allow: folders }, function* (session) {
      yield* get(keepSizes(file, chainSize(session.chain), marked))
      const unit = granularity ?? defaultGranularity(session.opened.g)
      const commands = given.map((a) => commandOf(a, name, unit, marked))
      const done = session.all(commands)
      if (E.isRight(done)) return
      const { command: refused, cause } = done.left
      const { _tag } = given[commands.findIndex((c) => c === refused)] ?? { _tag: 'add' }
      yield* get(E.left(because(`Operation ${_tag} on bitmap '${name}' failed`, file)(cause)))
    })
  }
})
