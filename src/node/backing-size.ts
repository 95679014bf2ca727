/** How much of a new disk lies over its backing file. */
import { dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { chainSize } from '../image/chain.js'
import { beside } from './new-image.js'
import { openChain, type OpenChain } from './open.js'

/** Bytes of the disk that a backing file presents. */
export const backingSize = async (image: string, name: string, format: string): Promise<E.Either<string, number>> => {
  if (format !== 'qcow2' && format !== 'raw') return E.left(`Unknown driver '${format}'`)
  const path = beside(image, name)
  const open = await openChain(path, { allow: [dirname(path)], format })
  return E.map(({ chain, close }: OpenChain) => {
    close()
    return chainSize(chain)
  })(open)
}
