/** Unsafe rebase: the header names another backing file, and no guest data is read. */
import { empty, fromText } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { maxBackingFormat, maxBackingName } from '../../format/limits.js'
import type { Layer } from '../../image/guest/chain.js'
import { type CommandState, refuse } from '../engine/command-state.js'
import { withExtension, withoutTypes } from '../engine/extension-area.js'
import { changeBackingName } from '../engine/extensions.js'

/** A backing file: its name and format as the header has them, and its layers, from the top down. */
export interface NewBacking {
  readonly name: string
  readonly format: string
  readonly layers: readonly Layer[]
}

/** @see BACK-01, BACK-05, BACK-07 and EXT-06 */
function* mayRebase(w: CommandState, name: Uint8Array, format: Uint8Array): Plan<void> {
  if (name.length < 1 || name.length > maxBackingName)
    yield* refuse('BACK-01', `a name of ${name.length} bytes`, `1 to ${maxBackingName}`, { structure: 'header' })
  if (format.length < 1) yield* refuse('BACK-05', 'no backing format', 'the format of the backing file')
  if (format.length > maxBackingFormat)
    yield* refuse('EXT-06', `a format of ${format.length} bytes`, `at most ${maxBackingFormat}`, {
      structure: 'backing file format'
    })
  if (w.header.autoclearFeatures.rawExternalData)
    yield* refuse('BACK-07', 'a backing file and raw external data', 'one of them')
}

/**
 * Gives the image another backing file, or none; its clusters stay as they are. A crash may leave the image without a backing
 * file.
 *
 * @see CR-02 and CR-03
 */
export function* rebase(w: CommandState, backing: NewBacking | undefined): Plan<void> {
  const name = fromText(backing?.name ?? '')
  const format = fromText(backing?.format ?? '')
  if (backing !== undefined) yield* mayRebase(w, name, format)
  yield* changeBackingName(w, name, (list) =>
    backing === undefined
      ? withoutTypes(list, [extensionTypes.BackingFormat])
      : withExtension(list, { _tag: 'BackingFormat', data: format, padding: empty })
  )
  w.backing = backing?.layers ?? []
}
