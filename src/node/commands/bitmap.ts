/** `qcow2 bitmap`: dirty bitmaps added, removed, cleared, enabled, disabled and merged. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { label } from '../../bytes/octets.js'
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
const action = t.union([
  t.type({ _tag: t.keyof(tags) }),
  t.type({ _tag: t.literal('merge'), from: t.string }),
  t.type({ _tag: t.literal('removeAll') })
])

type Action = t.TypeOf<typeof action>

/** One that concerns the bitmap of the command line. */
type SingleAction = Exclude<Action, { readonly _tag: 'removeAll' }>

/** The options that are actions, in the order in which they are given. */
const actions = new Parameter<readonly Action[]>(t.readonlyArray(action), (parser) => {
  const given: Action[] = []
  for (const _tag of ['add', 'remove', 'clear', 'enable', 'disable'] as const)
    parser.option(`--${_tag}`, `${_tag} the bitmap`).on(`option:${_tag}`, () => given.push({ _tag }))
  parser
    .option('--remove-all', 'remove all bitmaps of the image')
    .on('option:remove-all', () => given.push({ _tag: 'removeAll' }))
    .option('--merge <name>', 'mark what another bitmap marks')
    .on('option:merge', (from: string) => given.push({ _tag: 'merge', from }))
  return () => given
})

/** The action that a command carries out. */
interface Done {
  readonly action: Action
  readonly command: AnyCommand
}

/** The commands that carry out actions in their order, on an image that has bitmaps with these names. */
const commandsOf = (
  given: readonly Action[],
  names: readonly string[],
  commandOf: (a: SingleAction) => AnyCommand
): readonly Done[] => {
  const present = new Set(names)
  return given.flatMap((a): readonly Done[] => {
    if (a._tag === 'removeAll') {
      const all = [...present].map((name): AnyCommand => ({ _tag: 'BitmapRemove', name }))
      present.clear()
      return all.map((command) => ({ action: a, command }))
    }
    const command = commandOf(a)
    if (command._tag === 'BitmapAdd') present.add(command.name)
    if (command._tag === 'BitmapRemove') present.delete(command.name)
    return [{ action: a, command }]
  })
}

/** @param marked the bitmaps of another image, which are merged in place of the image's own */
const commandOf = (a: SingleAction, name: string, granularity: number, marked: readonly Marked[]): AnyCommand => {
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
  args: {
    image: image('<image>', 'the image'),
    name: argument('[name]', 'the bitmap, which --remove-all alone does not need', optional(text))
  },
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
      [
        given.length === 0,
        'Need at least one of --add, --remove, --remove-all, --clear, --enable, --disable, or --merge'
      ],
      [name === undefined && given.some(({ _tag }) => _tag !== 'removeAll'), 'Expecting filename and bitmap name'],
      [granularity !== undefined && !isGiven('add'), 'granularity only supported with --add'],
      [
        granularity !== undefined && !Number.isInteger(Math.log2(granularity)),
        `Operation add on bitmap '${name ?? ''}' failed: Granularity must be a power of 2 and at least 512`
      ],
      [sourceFile !== undefined && !isGiven('merge'), 'Merge bitmap source file only supported with --merge']
    ])
    yield* get(kept)
    const marked = yield* sourcesOf(given, sourceFile, reading)
    yield* withImage(named, { alone: true, allow: folders }, function* (session) {
      yield* get(keepSizes(file, chainSize(session.chain), marked))
      const unit = granularity ?? defaultGranularity(session.opened.g)
      const names = session.opened.metadata.bitmaps.map((each) => label(each.name))
      const all = commandsOf(given, names, (a) => commandOf(a, name ?? '', unit, marked))
      const done = session.all(all.map(({ command }) => command))
      if (E.isRight(done)) return
      const { command: refused, cause } = done.left
      const { _tag } = all.find(({ command }) => command === refused)?.action ?? { _tag: 'add' }
      const what = _tag === 'removeAll' ? 'remove-all' : `${_tag} on bitmap '${name ?? ''}'`
      yield* get(E.left(because(`Operation ${what} failed`, file)(cause)))
    })
  }
})
