/** Blocks: pieces of the file that the page keeps, with the span that each byte belongs to. */
import type { Span } from '../spans.js'

/** Bytes of a block. */
export const blockSize = 4096
/** Most blocks that are kept. */
const most = 64

export interface Block {
  readonly at: number
  readonly bytes: Uint8Array
  readonly spans: readonly Span[]
  /** For each byte the number of its span, from 1 on; 0 for none. */
  readonly owner: Uint16Array
  /** What was known of the image when it was made. */
  readonly generation: number
}

/** A block from the answer of the worker: of spans that overlap, the last one shows. */
export const blockOf = (at: number, bytes: Uint8Array, spans: readonly Span[], generation: number): Block => {
  const owner = new Uint16Array(bytes.length)
  spans.forEach((span, i) => owner.fill(i + 1, Math.max(0, span.at - at), Math.max(0, span.at + span.size - at)))
  return { at, bytes, spans, owner, generation }
}

export type Blocks = ReadonlyMap<number, Block>

/** The blocks of one of the images that the page opens one after the other. */
export interface BlockStore {
  readonly image: number
  readonly blocks: Blocks
}

export const noBlocks: Blocks = new Map<number, Block>()

/** The same blocks and one more, or that one alone of another image; the oldest goes when there are too many. */
export const withBlock = (
  store: BlockStore,
  { image, block }: { readonly image: number; readonly block: Block }
): BlockStore => {
  const before = store.image === image ? [...store.blocks] : []
  const kept = before.filter(([at]) => at !== block.at).slice(-(most - 1))
  return { image, blocks: new Map([...kept, [block.at, block]]) }
}

/** The block that holds byte `at`. */
export const blockAt = (blocks: Blocks, at: number): Block | undefined => blocks.get(at - (at % blockSize))

/** The span that byte `at` belongs to. */
export const spanAt = (blocks: Blocks, at: number): Span | undefined => {
  const block = blockAt(blocks, at)
  return block?.spans[(block.owner[at - block.at] ?? 0) - 1]
}
