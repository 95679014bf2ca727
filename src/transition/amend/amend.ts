/** Amend: properties of an image that can change after its creation. */
import { empty, equal, fromText } from '../../bytes/octets.js'
import { failOn, type Plan } from '../../bytes/plan.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { lastExtension } from '../../format/extension-area.js'
import { type CreateOptions, version2Issues } from '../create/options.js'
import type { CommandState } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'
import { withExtension, withoutTypes } from '../engine/extension-area.js'
import { changeExtensions } from '../engine/extensions.js'
import { endRound } from '../engine/finish.js'
import { changeRefcountOrder } from './refcount-width.js'
import { downgrade, upgrade } from './version.js'

/** The properties that an image is to have; those that are absent stay. The size has a command of its own. @see AM-01 */
export interface AmendOptions extends Partial<Omit<CreateOptions, 'size' | 'dataFile'>> {
  /** The name of the external data file, empty for none; and whether it is the raw disk, which can only become false. */
  readonly dataFile?: { readonly name?: string; readonly raw?: boolean }
}

/** Options of new images only. @see AM-01 */
const creationOnly = ['clusterBits', 'extendedL2', 'compressionType'] as const

function* mayAmend(w: CommandState, o: AmendOptions): Plan<void> {
  for (const option of creationOnly)
    if (o[option] !== undefined) yield* refuse('AM-01', `another ${option}`, 'an option that can be amended')
  const { backingName = empty, extensions } = w.image.metadata
  const format = lastExtension(extensions, 'BackingFormat')?.data ?? empty
  if (o.backing !== undefined)
    if (!equal(fromText(o.backing.name), backingName) || !equal(fromText(o.backing.format), format))
      yield* refuse('AM-01', 'another backing file', 'the present one, or a rebase')
}

/** Amends the external data file. An image without one is not raw either. @see DATA-02 and DATA-07 */
function* amendDataFile(w: CommandState, { name, raw }: NonNullable<AmendOptions['dataFile']>): Plan<void> {
  if (!w.g.externalDataFile)
    return name === undefined && raw !== true
      ? undefined
      : yield* refuse('AM-01', 'an image without an external data file', 'one with it')
  const { autoclearFeatures } = w.header
  if (raw === true && !autoclearFeatures.rawExternalData)
    return yield* refuse('DATA-07', 'an external data file that is not raw', 'one that has been raw since its creation')
  if (raw === false)
    yield* w.changeHeader('expose', { autoclearFeatures: { ...autoclearFeatures, rawExternalData: false } })
  yield* endRound(w)
  if (name === '') yield* changeExtensions(w, (list) => withoutTypes(list, [extensionTypes.DataFile]))
  else if (name !== undefined)
    yield* changeExtensions(w, (list) =>
      withExtension(list, { _tag: 'DataFile', data: fromText(name), padding: empty })
    )
}

/** @see INT-01 and OPEN-24 */
function* setLazyRefcounts(w: CommandState, lazyRefcounts: boolean): Plan<void> {
  if (w.g.version === 2) return yield* failOn(version2Issues({ lazyRefcounts }))
  yield* w.changeHeader('expose', { compatibleFeatures: { ...w.header.compatibleFeatures, lazyRefcounts } })
}

/**
 * Gives an image other properties, in QEMU's order. What a crash may leave of each is said where it is changed.
 *
 * @see AM-01
 */
export function* amend(w: CommandState, o: AmendOptions): Plan<void> {
  yield* mayAmend(w, o)
  if (o.version === 3 && w.g.version === 2) yield* upgrade(w)
  if (o.refcountOrder !== undefined) yield* changeRefcountOrder(w, o.refcountOrder)
  if (o.dataFile !== undefined) yield* amendDataFile(w, o.dataFile)
  if (o.lazyRefcounts !== undefined) yield* setLazyRefcounts(w, o.lazyRefcounts)
  if (o.version === 2 && w.g.version === 3) yield* downgrade(w)
}
