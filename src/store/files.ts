/** The files of an image in memory: itself, its external data file, and those of its backing files. */
import type { Flush, HostWrite } from '../bytes/host-write.js'
import type { FileRef, SyncWorld } from '../bytes/plan.js'
import { emptyStore, equals, punch, read, type Store, truncate, write } from './store.js'

/** A host write that changes a file. */
export type FileChange = Exclude<HostWrite, Flush>

/** A file and its content. */
export interface StoredFile {
  readonly file: FileRef
  readonly store: Store
}

/** Files, each at most once. A file that is not among them is empty. */
export type Files = readonly StoredFile[]

/** The index of a file in the list; -1 if it is not there. */
export const placeOf = (files: Files, { part, depth }: FileRef): number => {
  for (let i = 0; i < files.length; i++) {
    const file = files[i]?.file
    if (file?.part === part && file.depth === depth) return i
  }
  return -1
}

/**
 * The content of a file.
 *
 * @example
 * import { fromBytes, storeOf } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * const files = [{ file: { part: 'image', depth: 0 }, store: fromBytes(Uint8Array.of(7)) }] as const
 * assert.equal(storeOf(files, { part: 'image', depth: 0 }).length, 1)
 * assert.equal(storeOf(files, { part: 'data', depth: 0 }).length, 0)
 */
export const storeOf = (files: Files, file: FileRef): Store => files[placeOf(files, file)]?.store ?? emptyStore

/** The files with another content of one of them; the same list if that is its content already. */
const withStore = (files: Files, file: FileRef, store: Store): Files => {
  const place = placeOf(files, file)
  if (place < 0) return [...files, { file, store }]
  return files[place]?.store === store ? files : files.with(place, { file, store })
}

/** The content after a change. */
export const changed = (store: Store, change: FileChange): Store => {
  switch (change._tag) {
    case 'Write':
      return write(store, change.at, change.bytes)
    case 'Truncate':
      return truncate(store, change.length)
    case 'Punch':
      return punch(store, change.at, change.length)
  }
}

/**
 * The files after host writes, performed in order; flushes have no effect. Law: `apply([...a, ...b]) = flow(apply(a),
 * apply(b))`.
 *
 * @example
 * import { apply, storeOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * assert.equal(storeOf(files, { part: 'image', depth: 0 }).length, 196616)
 */
export const apply =
  (writes: readonly HostWrite[]) =>
  (files: Files): Files =>
    writes.reduce<Files>(
      (before, each) =>
        each._tag === 'Flush' ? before : withStore(before, each.file, changed(storeOf(before, each.file), each)),
      files
    )

/**
 * A world whose reads are answered from the files: zeros past their ends.
 *
 * @example
 * import { readAt, runSync } from 'qcow2-spec/image'
 * import { fromBytes, worldOf } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * const image = { part: 'image', depth: 0 } as const
 * const world = worldOf([{ file: image, store: fromBytes(Uint8Array.of(1, 2, 3)) }], () => undefined)
 * const read = runSync(readAt(1, 2), world)
 * assert.deepEqual(read._tag === 'Right' && read.right, Uint8Array.of(2, 3))
 */
export const worldOf = <W>(files: Files, emit: (what: W) => void): SyncWorld<W> => ({
  read: ({ file, at, length }) => read(storeOf(files, file), at, length),
  emit: emit
})

/**
 * Whether both lists have the same files with the same content; a missing file is an empty one.
 *
 * @example
 * import { fromBytes, sameFiles } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * const file = { part: 'image', depth: 0 } as const
 * assert.ok(sameFiles([{ file, store: fromBytes(new Uint8Array(0)) }], []))
 * assert.ok(!sameFiles([{ file, store: fromBytes(new Uint8Array(1)) }], []))
 */
export const sameFiles = (a: Files, b: Files): boolean =>
  [...a, ...b].every(({ file }) => equals(storeOf(a, file), storeOf(b, file)))
