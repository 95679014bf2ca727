/** The external data file of an image: found beside it by its plain name, never by any other. */
import { closeSync, openSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../bytes/octets.js'
import { lastExtension, type Metadata } from '../image/metadata.js'
import { reason } from './file.js'

/** The path of the data file of an image; the reason when there is none that may be opened. @see DATA-02 and DATA-09 */
export const dataFileOf = (image: string, m: Metadata): E.Either<string, string> => {
  const stored = lastExtension(m.extensions, 'DataFile')
  if (stored === undefined || stored.data.length === 0)
    return E.left("'data-file' is required for this image [DATA-02]")
  const name = label(stored.data)
  const path = join(dirname(image), name)
  if (name !== basename(name)) return E.left(`the data file '${name}' does not lie beside the image`)
  return E.tryCatch(
    () => {
      closeSync(openSync(path, 'r'))
      return path
    },
    (error) => `Could not open '${name}': ${reason(error)}`
  )
}
