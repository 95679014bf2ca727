/** Copy-on-read: what a read finds in the backing files is stored in the image. */
import * as E from 'fp-ts/lib/Either.js'
import { type Cause, either, get } from '../command-error.js'
import { allocations } from './allocation.js'
import type { IoFile } from './io-file.js'

/** Stores guest bytes `[at, at + length)` that the image does not hold itself, with the rest of their clusters or subclusters. */
export const copyOnRead = either(function* (file: IoFile, at: number, length: number): Generator<E.Left<Cause>, void> {
  for (const range of yield* get(allocations(file, at, at + length))) {
    if (range.own) continue
    const bytes = yield* get(file.read(range.at, range.end - range.at))
    yield* get(file.changes?.command({ _tag: 'Populate', from: range.at, bytes: bytes.slice() }) ?? E.right(undefined))
  }
})
