/** Backing files that an image is to get: where they are, and how much of its disk lies over them. */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { fromText } from '../../bytes/octets.js'
import { chainSize } from '../../image/guest/chain.js'
import { nameKind } from '../../image/name-kind.js'
import { beside } from '../files/new-image.js'
import { openChain, type OpenChain } from './open.js'

/** The path of a backing file of this name, beside the image; the reason where the name is not that of a file. @see BACK-04 */
export const backingPath = (image: string, name: string): E.Either<string, string> => {
  const kind = nameKind(fromText(name))
  return kind === 'json' || kind === 'protocol'
    ? E.left(`Could not open '${name}': its name is not that of a file.`)
    : E.right(beside(image, name))
}

/** Bytes of the disk that a backing file presents. */
export const backingSize = async (image: string, name: string, format: string): Promise<E.Either<string, number>> => {
  if (format !== 'qcow2' && format !== 'raw') return E.left(`Unknown driver '${format}'`)
  const path = backingPath(image, name)
  if (E.isLeft(path)) return path
  const open = await openChain(path.right, { allow: [dirname(path.right)], format })
  return E.map(({ chain, close }: OpenChain) => {
    close()
    return chainSize(chain)
  })(open)
}
