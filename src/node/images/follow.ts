/** Names inside images that may be followed: plain files in the image's own folder, or in folders that are allowed. */
import { lastExtension } from '../../format/extension-area.js'
import { closeSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { fromText, label } from '../../bytes/octets.js'
import { type Metadata } from '../../image/metadata.js'
import { nameKind, type NameKind, pathKind } from '../../image/name-kind.js'
import { type CommandError, failure, inContext } from '../command-error.js'
import { type OpenFile, openRegular } from '../files/file.js'
import { beside } from '../files/new-image.js'
import { isUrl } from '../files/source.js'

const inside = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** Why a name is that of no file. */
const noFile: Readonly<Partial<Record<NameKind, string>>> = {
  empty: 'it has no name',
  unreadable: 'its name is not text',
  json: 'its name is not that of a file',
  protocol: 'its name is not that of a file'
}

const fromServer = 'the image is on a server, and names no other file'

/** A name in an image as a path from the working directory: relative names start at the folder of the image. @see BACK-04 */
export const pathFrom = (image: string, name: string): string =>
  isAbsolute(name) || /^[^/]*:/.test(name) || !image.includes('/')
    ? name
    : `${dirname(image).replace(/\/$/, '')}/${name}`

/** The path of the backing file of an image, if it lies in one of the folders. @see BACK-04 */
export const backingPath = (
  image: string,
  stored: Uint8Array,
  allow: readonly string[]
): E.Either<CommandError, string> => {
  const name = label(stored)
  const refused = (why: string) => failure(`Could not open backing file '${name}': ${why}`, { file: name })
  const kind = nameKind(stored)
  const not = noFile[kind]
  if (not !== undefined) return refused(not)
  if (isUrl(image) && kind !== 'absolute') return refused(fromServer)
  const path = isUrl(image) ? resolve('/', name) : pathFrom(image, name)
  const folders = [...(isUrl(image) ? [] : [dirname(image)]), ...allow].map((folder) => resolve(folder))
  return folders.some((folder) => inside(folder, resolve(path)))
    ? E.right(path)
    : refused(`it lies outside the image's folder; --allow ${dirname(resolve(path))} lets it be opened`)
}

/** The path of a backing file that an image is to get, beside the image, where its name is that of a file. @see BACK-04 */
export const newBackingPath = (image: string, name: string): E.Either<CommandError, string> => {
  const kind = nameKind(fromText(name))
  return kind === 'json' || kind === 'protocol'
    ? failure(`Could not open '${name}': its name is not that of a file.`, { file: name })
    : E.right(beside(image, name))
}

/** The path of the data file of an image, which lies in its folder and can be opened. @see DATA-02 and DATA-09 */
export const dataPath = (image: string, m: Metadata): E.Either<CommandError, string> => {
  const refused = (why: string, more = {}) => failure(`Could not open '${image}': ${why}`, { file: image, ...more })
  const stored = lastExtension(m.extensions, 'DataFile')
  if (stored === undefined || stored.data.length === 0)
    return refused("'data-file' is required for this image [DATA-02]", { clause: 'DATA-02' })
  const name = label(stored.data)
  if (isUrl(image)) return refused(`the data file '${name}' is not opened: ${fromServer}`)
  if (pathKind(stored.data) !== 'plain') return refused(`the data file '${name}' does not lie in the image's folder`)
  const path = join(dirname(image), name)
  return E.bimap(inContext(`Could not open '${image}'`), ({ fd }: OpenFile) => {
    closeSync(fd)
    return path
  })(openRegular(path))
}
