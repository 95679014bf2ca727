/** The fastest decoders for what a chain holds; they are loaded only where it may hold compressed clusters. */
import * as E from 'fp-ts/lib/Either.js'
import type { Decoder, Decompressor } from '../../compression/decompress.js'
import type { Chain } from '../../image/guest/chain.js'

const none: Decoder = () => E.left('a cluster of a raw file')

/** Where every layer is raw, decoders that are never asked. */
export const decodersOf = async (chain: Chain): Promise<Decompressor> => {
  const types = chain.flatMap((layer) => (layer._tag === 'Image' ? [layer.disk.compressionType] : []))
  if (types.length === 0) return { deflate: none, zstd: none }
  const { native } = await import('../compression/decompress.js')
  if (!types.includes(1)) return native
  const { zstd } = await import('../compression/zstd.js')
  return { ...native, zstd: (await zstd).decode }
}
