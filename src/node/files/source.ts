/** Sources: images in files and on servers. */
import type * as E from 'fp-ts/lib/Either.js'
import { openFile } from './file.js'
import type { World } from './world.js'

/** An open image, backing file or data file. */
export interface Source {
  /** The path or the URL. */
  readonly name: string
  /** Bytes. */
  readonly length: number
  /** Bytes it takes on its disk, where that can be known. */
  readonly actualSize?: number
  /** Requests past the end get zeros. */
  readonly world: World
  readonly close: () => void
}

/** Whether a name is the URL of an image on a server. */
export const isUrl = (name: string): boolean => /^https?:\/\//i.test(name)

/** Opens a file, or an image on a server; the reason when it cannot be. */
export const openSource = async (name: string): Promise<E.Either<string, Source>> =>
  isUrl(name) ? (await import('./remote.js')).openRemote(name) : openFile(name)
