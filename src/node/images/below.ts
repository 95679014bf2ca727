/** What is opened below an image: as its options say, or else as the image itself names it, as far as that may be followed. */
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../bytes/octets.js'
import { lastExtension } from '../../format/extension-area.js'
import type { Metadata } from '../../image/metadata.js'
import { nameKind } from '../../image/name-kind.js'
import { type CommandError, either, type Failed, failure, get, inContext } from '../command-error.js'
import type { Place } from '../files/file.js'
import { isUrl } from '../files/source.js'
import { isSameOrigin } from '../files/url.js'
import { isJsonName } from '../text/dotted-options.js'
import { backingPlace, dataPlace, newBackingPath, optionPlace } from './follow.js'
import type { Format, ImageNode, NodeOptions } from './image-node.js'
import { imageNode, optionsOfJsonName } from './node-options.js'

/** Judges the files that options in an image name, which must lie in one of the folders. */
const judged = either(function* (
  node: NodeOptions,
  judge: (place: Place) => E.Either<CommandError, Place>
): Generator<Failed, NodeOptions> {
  const { file, dataFile, backing, ...own } = node
  return {
    ...own,
    ...(file === undefined ? {} : { file: yield* get(judge(file)) }),
    ...(dataFile === undefined ? {} : { dataFile: yield* get(judge(dataFile)) }),
    ...(backing === undefined ? {} : { backing: backing === 'none' ? backing : yield* get(judged(backing, judge)) })
  }
})

/** What an image says of its backing file, by a path or by options. @see BACK-04 */
const storedBacking = either(function* (
  image: Place,
  stored: Uint8Array,
  allow: readonly string[]
): Generator<Failed, NodeOptions & Pick<ImageNode, 'file'>> {
  if (nameKind(stored) !== 'json') {
    const place = yield* get(backingPlace(image.name, stored, allow))
    const isBeside = isUrl(place.name) && isSameOrigin(place.name, image.name)
    const { authorization } = image
    return { file: isBeside && authorization !== undefined ? { ...place, authorization } : place }
  }
  const name = label(stored)
  const inName = E.mapLeft((error: CommandError) => ({
    ...inContext(`Could not open backing file '${name}'`)(error),
    file: name
  }))
  const named = yield* get(inName(optionsOfJsonName(name)))
  const { file, ...other } = yield* get(judged(named, (place) => optionPlace(image.name, stored, place, allow)))
  return file === undefined ? yield* get(inName(failure('it names no file'))) : { ...other, file }
})

/** The format of a backing file, which is never guessed. @see BACK-05 */
const formatOf = (m: Metadata, name: string, driver: Format | undefined): E.Either<CommandError, Format> => {
  const stored = lastExtension(m.extensions, 'BackingFormat')
  const format = stored === undefined ? '' : label(stored.data)
  if (driver !== undefined && (format === '' || format === driver)) return E.right(driver)
  if (driver === undefined && (format === 'qcow2' || format === 'raw')) return E.right(format)
  const why =
    format === ''
      ? 'its format is not named, and is not guessed [BACK-05]'
      : driver === undefined
        ? `its format '${format}' is not known`
        : `its format is '${format}', and the driver in its name '${driver}'`
  return failure(`Could not open backing file '${name}': ${why}`, { file: name, clause: 'BACK-05' })
}

/** The backing file of an image; `undefined` for an image without one. */
export const backingNode = either(function* (
  m: Metadata,
  node: ImageNode,
  allow: readonly string[]
): Generator<Failed, ImageNode | undefined> {
  const { file: image, backing, secrets } = node
  if (backing === 'none') return undefined
  const { file, driver, ...own } = backing ?? {}
  const given: NodeOptions = secrets === undefined ? own : { ...own, secrets }
  if (file !== undefined) return { ...given, file, driver: driver ?? (yield* get(formatOf(m, file.name, undefined))) }
  if (m.backingName === undefined) {
    if (backing === undefined) return undefined
    const why =
      driver === undefined ? 'Must specify either driver or file' : 'A block device must be specified for "file"'
    return yield* get(
      failure(`Could not open '${image.name}': Could not open backing file: ${why}`, { file: image.name })
    )
  }
  const name = label(m.backingName)
  // Only options in a name say more of the format than the image does.
  const format = driver ?? (isJsonName(name) ? undefined : yield* get(formatOf(m, name, undefined)))
  const stored = yield* get(storedBacking(image, m.backingName, allow))
  return { ...stored, ...given, driver: format ?? (yield* get(formatOf(m, name, stored.driver))) }
})

/** The place of the external data file of an image; `undefined` for an image without one. @see DATA-02 */
export const dataFilePlace = (
  m: Metadata,
  { file: { name }, dataFile }: ImageNode,
  allow: readonly string[]
): E.Either<CommandError, Place | undefined> => {
  if (m.header.incompatibleFeatures.externalDataFile)
    return dataFile === undefined ? dataPlace(name, m, allow) : E.right(dataFile)
  if (dataFile === undefined) return E.right(undefined)
  const why = "'data-file' can only be set for images with an external data file"
  return failure(`Could not open '${name}': ${why}`, { file: name })
}

/** Fails for an image whose version has not what its options ask for. */
export const keepVersion = (
  { file: { name }, lazyRefcounts }: ImageNode,
  { header: { version } }: Pick<Metadata, 'header'>
): E.Either<CommandError, void> =>
  lazyRefcounts === true && version < 3
    ? failure(
        `Could not open '${name}': Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level`,
        { file: name }
      )
    : E.right(undefined)

/** A backing file that an image is to get, by its name in the image: a path from the folder of the image, or `json:{…}`. */
export const newBackingNode = (image: string, name: string, format: Format): E.Either<CommandError, ImageNode> =>
  isJsonName(name)
    ? imageNode({ words: name, format, byOptions: false })
    : E.map((path: string): ImageNode => ({ driver: format, file: { name: path } }))(newBackingPath(image, name))
