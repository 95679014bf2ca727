/** Unsafe rebase: the header names another backing file, and no guest data is read. */
import { empty, fromText } from '../../bytes/octets.js'
import { failOn, type Plan } from '../../bytes/plan.js'
import { type Extension, extension } from '../../format/extension.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { header } from '../../format/header.js'
import type { Layer } from '../../image/guest/chain.js'
import type { CommandState } from '../engine/command-state.js'
import { mayHave, refuse } from '../engine/refuse.js'
import { withExtension, withoutTypes } from '../engine/extension-area.js'
import { changeBackingName } from '../engine/extensions.js'

/** A backing file: its name and format as the header has them, and its layers, from the top down. */
export interface NewBacking {
  readonly name: string
  readonly format: string
  readonly layers: readonly Layer[]
}

/** Refuses a backing file that the header and its extensions cannot name. @see BACK-01, BACK-05, BACK-07 and EXT-06 */
function* mayRebase(
  w: CommandState,
  name: Uint8Array,
  format: Extension & { readonly _tag: 'BackingFormat' }
): Plan<void> {
  if (name.length === 0) yield* refuse('BACK-01', 'an empty name', 'the name of the backing file')
  if (format.data.length === 0) yield* refuse('BACK-05', 'no backing format', 'the format of the backing file')
  yield* failOn(extension.judge(format))
  yield* mayHave(w.header, { backingFileOffset: BigInt(header.sizeOf(w.header)), backingFileSize: name.length })
}

/**
 * Gives the image another backing file, or none; its clusters stay as they are. A crash may leave the image without a backing
 * file.
 *
 * @see CR-02 and CR-03
 */
export function* rebase(w: CommandState, backing: NewBacking | undefined): Plan<void> {
  const name = fromText(backing?.name ?? '')
  const format = { _tag: 'BackingFormat' as const, data: fromText(backing?.format ?? ''), padding: empty }
  if (backing !== undefined) yield* mayRebase(w, name, format)
  yield* changeBackingName(w, name, (list) =>
    backing === undefined ? withoutTypes(list, [extensionTypes.BackingFormat]) : withExtension(list, format)
  )
  w.backing = backing?.layers ?? []
}
