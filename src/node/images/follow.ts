/** Names inside images that may be followed: plain files in the image's own folder, or in folders that are allowed. */
import { closeSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../../bytes/octets.js'
import { lastExtension, type Metadata } from '../../image/metadata.js'
import { nameKind, type NameKind, pathKind } from '../../image/name-kind.js'
import { openToRead, reason } from '../files/file.js'
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

/** A name that an image holds as a path from here: it counts from the folder of the image unless it stands alone. @see BACK-04 */
export const pathFrom = (image: string, name: string): string =>
  isAbsolute(name) || /^[^/]*:/.test(name) || !image.includes('/')
    ? name
    : `${dirname(image).replace(/\/$/, '')}/${name}`

/** The path of the backing file of an image, if it lies in one of the folders; the reason when it may not be opened. @see BACK-04 */
export const backingPath = (image: string, name: Uint8Array, allow: readonly string[]): E.Either<string, string> => {
  const kind = nameKind(name)
  const not = noFile[kind]
  if (not !== undefined) return E.left(not)
  if (isUrl(image) && kind !== 'absolute') return E.left(fromServer)
  const path = isUrl(image) ? resolve('/', label(name)) : pathFrom(image, label(name))
  const folders = [...(isUrl(image) ? [] : [dirname(image)]), ...allow].map((folder) => resolve(folder))
  return folders.some((folder) => inside(folder, resolve(path)))
    ? E.right(path)
    : E.left(`it lies outside the image's folder; --allow ${dirname(resolve(path))} lets it be opened`)
}

/** The path of the data file of an image, which lies in its folder; the reason when there is none to be opened. @see DATA-02 and DATA-09 */
export const dataPath = (image: string, m: Metadata): E.Either<string, string> => {
  const stored = lastExtension(m.extensions, 'DataFile')
  if (stored === undefined || stored.data.length === 0)
    return E.left("'data-file' is required for this image [DATA-02]")
  const name = label(stored.data)
  if (isUrl(image)) return E.left(`the data file '${name}' is not opened: ${fromServer}`)
  if (pathKind(stored.data) !== 'plain') return E.left(`the data file '${name}' does not lie in the image's folder`)
  const path = join(dirname(image), name)
  return E.tryCatch(
    () => {
      closeSync(openToRead(path).fd)
      return path
    },
    (error) => `Could not open '${name}': ${reason(error)}`
  )
}
