/** Blobs: images in a browser's or in Node's Blob or File, which never changes and is read in its own time. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { FileRange } from './plan.js'
import type { Unanswered } from './run-async.js'
import { readInWindowsAsync, type WindowSize } from './window.js'

/** As much of a Blob as is used here. */
export interface BlobLike {
  /** Bytes. */
  readonly size: number
  readonly slice: (start: number, end: number) => { readonly arrayBuffer: () => Promise<ArrayBuffer> }
}

const usual: WindowSize = { size: 2 ** 16, kept: 16 }

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * The bytes of a Blob, as a plan asks for them: zeros past its end. A Blob that can no longer be read, as when its file
 * has changed, answers with the reason.
 *
 * @example
 * import { fromBlob, readAt, runAsync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const read = await runAsync(() => readAt(1, 3), { read: fromBlob(new Blob(['abc'])) })()
 * assert.deepEqual(read._tag === 'Right' && read.right, new TextEncoder().encode('bc\0'))
 */
export const fromBlob = (
  blob: BlobLike,
  window: WindowSize = usual
): ((range: FileRange) => TaskEither<Unanswered, Uint8Array>) =>
  readInWindowsAsync(blob.size, window, ({ at, length }) => async () => {
    try {
      return E.right(new Uint8Array(await blob.slice(at, at + length).arrayBuffer()))
    } catch (error) {
      return E.left({ _tag: 'Unanswered', reason: reasonOf(error) })
    }
  })
