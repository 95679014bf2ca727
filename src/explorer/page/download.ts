/** Downloads: the edited copy of an image, and its dump. */
import * as E from 'fp-ts/lib/Either.js'
import { onEmit, type Plan, readAt } from '../../bytes/plan.js'
import type { Failure } from '../../bytes/run-async.js'
import { dump } from '../../image/dump/dump.js'
import { type Edit, type Piece, pieces } from '../edits.js'
import { sizeText } from '../numbers.js'
import { newJob, run } from './runner.js'
import type { OpenImage } from './sources.js'

export interface Download {
  readonly name: string
  readonly blob: Blob
}

/** Bytes of the largest image that is copied from a server, and of the largest whose dump has every byte. */
const mostCopied = 2 ** 31
const mostInline = 2 ** 26
const chunk = 2 ** 22

const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes)

/** The bytes of a piece, in parts. */
const partsOf = async (image: OpenImage, piece: Piece): Promise<E.Either<Failure, readonly BlobPart[]>> => {
  if (piece._tag === 'Edit') return E.right([own(piece.bytes)])
  if (image.blob !== undefined) return E.right([image.blob.slice(piece.from, piece.to)])
  const parts: BlobPart[] = []
  for (let at = piece.from; at < piece.to; at += chunk) {
    const bytes = await run(image, [], () => readAt(at, Math.min(chunk, piece.to - at)))
    if (E.isLeft(bytes)) return bytes
    parts.push(own(bytes.right))
  }
  return E.right(parts)
}

/** The image with its edits. A file is not read for it; an image on a server is. */
export const copyOf = async (image: OpenImage, edits: readonly Edit[]): Promise<E.Either<Failure, Download>> => {
  if (image.blob === undefined && image.length > mostCopied)
    return E.left({
      _tag: 'Unanswered',
      reason: `An image of ${sizeText(image.length)} is not copied from a server; download it and open the file.`
    })
  const parts: BlobPart[] = []
  for (const piece of pieces(edits, image.length)) {
    const more = await partsOf(image, piece)
    if (E.isLeft(more)) return more
    parts.push(...more.right)
  }
  return E.right({ name: image.name, blob: new Blob(parts, { type: 'application/octet-stream' }) })
}

/** The dump of the image with its edits; of a small one with every byte, so that it can be assembled again. */
export const dumpOf = async (image: OpenImage, edits: readonly Edit[]): Promise<E.Either<Failure, Download>> => {
  const lines: string[] = []
  const data = image.length <= mostInline ? 'inline' : 'none'
  const done = await run(
    image,
    edits,
    () =>
      onEmit(dump(image.length, data), function* (text: string): Plan<void> {
        lines.push(text)
      }),
    newJob()
  )
  if (E.isLeft(done)) return done
  return E.right({ name: `${image.name}.json`, blob: new Blob(lines, { type: 'application/json' }) })
}
