/** `qcow2 bitmap`: dirty bitmaps added, removed, cleared, enabled, disabled and merged. */
import * as E from 'fp-ts/lib/Either.js'
import { showFailure } from '../bytes/run-async.js'
import { defaultGranularity } from '../transition/bitmaps.js'
import type { Command } from '../transition/command.js'
import { fail, ok } from './command.js'
import { withImage } from './open-writing.js'
import { sizeOf } from './size.js'

/** One thing to do with a bitmap; a merge names the bitmap whose dirty granules are taken over. */
export type BitmapAction =
  | { readonly _tag: 'add' | 'remove' | 'clear' | 'enable' | 'disable' }
  | { readonly _tag: 'merge'; readonly from: string }

const tags = { remove: 'BitmapRemove', clear: 'BitmapClear', enable: 'BitmapEnable', disable: 'BitmapDisable' } as const

const commandOf = (action: BitmapAction, name: string, granularity: number): Command => {
  if (action._tag === 'merge') return { _tag: 'BitmapMerge', from: action.from, name }
  return action._tag === 'add'
    ? { _tag: 'BitmapAdd', name, granularity, enabled: true }
    : { _tag: tags[action._tag], name }
}

/** The command. The actions are carried out in their order, all or none. */
export const changeBitmap = async (
  image: string,
  name: string,
  actions: readonly BitmapAction[],
  granularity: string | undefined
): Promise<number> => {
  if (actions.length === 0)
    return fail('Need at least one of --add, --remove, --clear, --enable, --disable, or --merge')
  if (granularity !== undefined && !actions.some(({ _tag }) => _tag === 'add'))
    return fail('granularity only supported with --add')
  const size = granularity === undefined ? undefined : sizeOf(granularity)
  if (size !== undefined && E.isLeft(size)) return fail(`'${granularity ?? ''}' is not a granularity`)
  return withImage(image, { alone: true }, (session) => {
    const unit = size?.right ?? defaultGranularity(session.opened.g)
    const commands = actions.map((action) => commandOf(action, name, unit))
    const done = session.all(commands)
    if (E.isRight(done)) return ok
    const { _tag } = actions[commands.findIndex((c) => c === done.left.command)] ?? { _tag: 'add' }
    return fail(`Operation ${_tag} on bitmap ${name} failed: ${showFailure(done.left.issues)}`)
  })
}
