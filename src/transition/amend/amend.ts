/** Amend: properties of an image that can change after its creation. */
import { empty, equal, fromText } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { lastExtension } from '../../image/metadata.js'
import type { CreateOptions } from '../create/options.js'
import { changeExtensions, withExtension, withoutTypes } from '../engine/extensions.js'
import { endRound } from '../engine/finish.js'
import { refuse, type Work } from '../engine/work.js'
import { changeRefcountOrder } from './refcount-width.js'
import { downgrade, upgrade } from './version.js'

/** What an image is to be. The size is changed by a command of its own. @see AM-01 */
export interface AmendOptions extends Partial<Omit<CreateOptions, 'size' | 'dataFile'>> {
  /** The name of the external data file, none if it is empty; and whether it is the raw disk, which can only end. */
  readonly dataFile?: { readonly name?: string; readonly raw?: boolean }
}

/** Options that only a new image takes. @see AM-01 */
const creationOnly = ['clusterBits', 'extendedL2', 'compressionType'] as const

function* mayAmend(w: Work, o: AmendOptions): Plan<void> {
  for (const option of creationOnly)
    if (o[option] !== undefined) yield* refuse('AM-01', `another ${option}`, 'an option that can be amended')
  const { backingName = empty, extensions } = w.opened.metadata
  const format = lastExtension(extensions, 'BackingFormat')?.data ?? empty
  if (o.backing !== undefined)
    if (!equal(fromText(o.backing.name), backingName) || !equal(fromText(o.backing.format), format))
      yield* refuse('AM-01', 'another backing file', 'the present one, or a rebase')
}

/** That there is no raw disk beside an image is said of any image without a data file. @see DATA-02 and DATA-07 */
function* amendDataFile(w: Work, { name, raw }: NonNullable<AmendOptions['dataFile']>): Plan<void> {
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
function* setLazyRefcounts(w: Work, lazyRefcounts: boolean): Plan<void> {
  if (w.g.version === 2)
    return lazyRefcounts ? yield* refuse('OPEN-24', 'lazy refcounts in version 2', 'version 3') : undefined
  yield* w.changeHeader('expose', { compatibleFeatures: { ...w.header.compatibleFeatures, lazyRefcounts } })
}

/**
 * Gives an image other properties, in QEMU's order. What each of them costs in a crash is said where it is changed.
 *
 * @see AM-01
 */
export function* amend(w: Work, o: AmendOptions): Plan<void> {
  yield* mayAmend(w, o)
  if (o.version === 3 && w.g.version === 2) yield* upgrade(w)
  if (o.refcountOrder !== undefined) yield* changeRefcountOrder(w, o.refcountOrder)
  if (o.dataFile !== undefined) yield* amendDataFile(w, o.dataFile)
  if (o.lazyRefcounts !== undefined) yield* setLazyRefcounts(w, o.lazyRefcounts)
  if (o.version === 2 && w.g.version === 3) yield* downgrade(w)
}
