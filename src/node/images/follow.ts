/**
 * Names inside images that may be followed: to files in the image's own folder, or in folders that are allowed. The path
 * that a name resolves to decides, through all links; nothing else is opened later under that name.
 */
import paths, { dirname, isAbsolute, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { fromText, label } from '../../bytes/octets.js'
import { lastExtension } from '../../format/extension-area.js'
import { type Metadata } from '../../image/metadata.js'
import { nameKind, type NameKind, pathKind } from '../../image/name-kind.js'
import { type CommandError, failure, inContext } from '../command-error.js'
import { type Place, resolvedPath } from '../files/file.js'
import { beside } from '../files/new-image.js'
import { isUrl } from '../files/source.js'
import { publicUrl } from '../files/url.js'
import { fromFolderOf, isInside } from './native-path.js'

/** Why a name is that of no file. */
const noFile: Readonly<Partial<Record<NameKind, string>>> = {
  empty: 'it has no name',
  unreadable: 'its name is not text',
  json: 'its name is not that of a file'
}

/** Why a name is that of no file: its kind, or a protocol before a colon, which is a drive on Windows. @see BACK-04 */
const notFile = (name: string, kind: NameKind): string | undefined => {
  const protocol = /^[^/:]*:/.exec(name)?.[0]
  const isDrive = kind === 'absolute' && process.platform === 'win32'
  return protocol === undefined || kind === 'json' || isDrive
    ? noFile[kind]
    : `'${protocol}' names a protocol, './${name}' would be a path: its name is not that of a file`
}

/** A name in an image as a path from the working directory: relative names start at the folder of the image. @see BACK-04 */
export const pathFrom = (image: string, name: string): string =>
  /^[^/]*:/.test(name) ? name : fromFolderOf(paths, image, name)

/** A failure with this reason. */
type Refuse = (why: string) => E.Either<CommandError, never>

/** The place of the file at a path, if it lies in one of the folders. */
const placeIn = (folders: readonly string[], path: string, refused: Refuse): E.Either<CommandError, Place> => {
  const resolved = resolvedPath(path)
  const real = E.isRight(resolved) ? (folder: string) => E.getOrElse(() => folder)(resolvedPath(folder)) : resolve
  const at = E.getOrElse(() => resolve(path))(resolved)
  if (folders.some((folder) => isInside(paths, real(folder), at)))
    return E.map((resolved: string): Place => ({ name: path, resolved }))(resolved)
  const leads = at === resolve(path) ? 'it lies' : `it leads to '${at}',`
  return refused(`${leads} outside the image's folder; --allow ${dirname(at)} lets it be opened`)
}

const ofBacking =
  (name: string): Refuse =>
  (why) =>
    failure(`Could not open backing file '${name}': ${why}`, { file: name })

/** The folder of a file on a server, as a URL. */
const folderOf = (url: string): URL => new URL('.', url)

/** Whether a file on a server lies in a folder there, however the server reads its path. */
const isBelow = (folder: URL, { origin, pathname }: URL): boolean => {
  const path = folder.pathname.replace(/\/?$/, '/')
  return origin === folder.origin && pathname.startsWith(path) && !/%2f|%5c/i.test(pathname.slice(path.length))
}

/** The place of a file on a server, if it lies in the folder of the image there, or in one that is allowed. */
const placeOnServer = (
  image: string,
  name: string,
  allow: readonly string[],
  refused: Refuse
): E.Either<CommandError, Place> => {
  const base = isUrl(image) ? image : undefined
  if (/[?#]/.test(name) || !URL.canParse(name, base)) return refused('its name is not that of a file on a server')
  const url = publicUrl(new URL(name, base))
  if (!isUrl(url.href)) return refused('its name is not that of a file on a server')
  const allowed = allow.filter((folder) => isUrl(folder) && URL.canParse(folder)).map((folder) => new URL(folder))
  const folders = base === undefined ? allowed : [folderOf(base), ...allowed]
  return folders.some((folder) => isBelow(folder, url))
    ? E.right({ name: url.href })
    : refused(
        `it lies at '${url.href}', outside the image's folder; --allow ${folderOf(url.href).href} lets it be opened`
      )
}

/** The place of the backing file of an image, if it lies in one of the folders. @see BACK-04 */
export const backingPlace = (
  image: string,
  stored: Uint8Array,
  allow: readonly string[]
): E.Either<CommandError, Place> => {
  const name = label(stored)
  const refused = ofBacking(name)
  const kind = nameKind(stored)
  const isRelative = kind !== 'absolute' && noFile[kind] === undefined
  if (isUrl(name) || (isUrl(image) && isRelative)) return placeOnServer(image, name, allow, refused)
  const not = notFile(name, kind)
  if (not !== undefined) return refused(not)
  return isUrl(image)
    ? placeIn(allow, resolve('/', name), refused)
    : placeIn([dirname(image), ...allow], pathFrom(image, name), refused)
}

/**
 * A place that options in a backing file name give, if the file lies in one of the folders. A relative name starts at the
 * working directory. @see BACK-04
 */
export const optionPlace = (
  image: string,
  stored: Uint8Array,
  place: Place,
  allow: readonly string[]
): E.Either<CommandError, Place> => {
  const refused = ofBacking(label(stored))
  if (isUrl(place.name)) return refused('only the command line names a server')
  if (isUrl(image) && !isAbsolute(place.name)) return refused('the image is on a server, and the name is relative')
  const found = placeIn(isUrl(image) ? allow : [dirname(image), ...allow], place.name, refused)
  return E.map((judged: Place): Place => ({ ...place, ...judged }))(found)
}

/** The path of a backing file that an image is to get, beside the image, where its name is that of a file. @see BACK-04 */
export const newBackingPath = (image: string, name: string): E.Either<CommandError, string> => {
  const not = notFile(name, nameKind(fromText(name)))
  return not === undefined ? E.right(beside(image, name)) : failure(`Could not open '${name}': ${not}`, { file: name })
}

/** The place of the data file of an image, if it lies in one of the folders. @see DATA-02 and DATA-09 */
export const dataPlace = (image: string, m: Metadata, allow: readonly string[]): E.Either<CommandError, Place> => {
  const refused = (why: string, more = {}) => failure(`Could not open '${image}': ${why}`, { file: image, ...more })
  const stored = lastExtension(m.extensions, 'DataFile')
  if (stored === undefined || stored.data.length === 0)
    return refused("'data-file' is required for this image [DATA-02]", { clause: 'DATA-02' })
  const name = label(stored.data)
  const ofData: Refuse = (why) => refused(`the data file '${name}' is not opened: ${why}`)
  if (pathKind(stored.data) === 'unreadable') return ofData('its name is not text')
  if (isUrl(image)) return placeOnServer(image, name, allow, ofData)
  const place = placeIn([dirname(image), ...allow], fromFolderOf(paths, image, name), ofData)
  return E.mapLeft((error: CommandError) =>
    error.file === image ? error : inContext(`Could not open '${image}'`)(error)
  )(place)
}
