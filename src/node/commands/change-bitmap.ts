/** `qcow2 bitmap`: dirty bitmaps added, removed, cleared, enabled, disabled and merged. */
import * as E from 'fp-ts/lib/Either.js'
import { chainSize } from '../../image/guest/chain.js'
import { showFailure } from '../../bytes/run-async.js'
import { defaultGranularity } from '../../transition/bitmaps/bitmaps.js'
import type { AnyCommand } from '../../transition/command.js'
import { fail, ok } from '../files/output.js'
import { type Marked, markedIn, sizesDiffer } from '../images/copy-bitmaps.js'
import { withImage } from '../images/open-writing.js'
import { byteSize, decodeWith } from '../text/values.js'
import { openSource } from '../files/source.js'

/** One thing to do with a bitmap; a merge names the bitmap whose dirty granules are taken over. */
export type BitmapAction =
  | { readonly _tag: 'add' | 'remove' | 'clear' | 'enable' | 'disable' }
  | { readonly _tag: 'merge'; readonly from: string }

const tags = { remove: 'BitmapRemove', clear: 'BitmapClear', enable: 'BitmapEnable', disable: 'BitmapDisable' } as const

/** How to change it. */
export interface ChangeBitmapOptions {
  readonly granularity?: string
  /** The image whose bitmaps are merged, where that is another one. */
  readonly sourceFile?: string
}

/** @param marked the bitmaps of another image, which are merged in place of the image's own */
const commandOf = (action: BitmapAction, name: string, granularity: number, marked: readonly Marked[]): AnyCommand => {
  const ranges = marked.find((m) => action._tag === 'merge' && m.name === action.from)?.ranges
  if (action._tag === 'merge')
    return ranges === undefined
      ? { _tag: 'BitmapMerge', from: action.from, name }
      : { _tag: 'BitmapMark', name, ranges }
  return action._tag === 'add'
    ? { _tag: 'BitmapAdd', name, granularity, enabled: true }
    : { _tag: tags[action._tag], name }
}

/** The bitmaps of another image that are to be merged; none where the image's own are. */
const sourcesOf = async (
  actions: readonly BitmapAction[],
  file: string | undefined
): Promise<E.Either<string, readonly Marked[]>> => {
  if (file === undefined) return E.right([])
  const open = await openSource(file)
  if (E.isLeft(open)) return open
  try {
    const out: Marked[] = []
    for (const action of actions) {
      const marked = action._tag === 'merge' ? await markedIn(file, open.right.world, action.from) : undefined
      if (marked !== undefined && E.isLeft(marked)) return marked
      if (marked !== undefined) out.push(marked.right)
    }
    return E.right(out)
  } finally {
    open.right.close()
  }
}

/** The command. The actions are carried out in their order, all or none. */
export const changeBitmap = async (
  image: string,
  name: string,
  actions: readonly BitmapAction[],
  { granularity, sourceFile }: ChangeBitmapOptions
): Promise<number> => {
  if (actions.length === 0)
    return fail('Need at least one of --add, --remove, --clear, --enable, --disable, or --merge')
  if (granularity !== undefined && !actions.some(({ _tag }) => _tag === 'add'))
    return fail('granularity only supported with --add')
  const size = granularity === undefined ? undefined : decodeWith(byteSize('granularity'))(granularity)
  if (size !== undefined && E.isLeft(size)) return fail(size.left)
  if (sourceFile !== undefined && !actions.some(({ _tag }) => _tag === 'merge'))
    return fail('Merge bitmap source file only supported with --merge')
  const marked = await sourcesOf(actions, sourceFile)
  if (E.isLeft(marked)) return fail(marked.left)
  return withImage(image, { alone: true }, (session) => {
    const unit = size?.right ?? defaultGranularity(session.opened.g)
    const disk = chainSize(session.chain)
    const other = marked.right.find(({ size: bytes }) => bytes !== disk)
    if (other !== undefined) return fail(sizesDiffer(disk, other))
    const commands = actions.map((action) => commandOf(action, name, unit, marked.right))
    const done = session.all(commands)
    if (E.isRight(done)) return ok
    const { _tag } = actions[commands.findIndex((c) => c === done.left.command)] ?? { _tag: 'add' }
    return fail(`Operation ${_tag} on bitmap ${name} failed: ${showFailure(done.left.issues)}`)
  })
}
