/** The files of an image in memory: itself, its external data file, and those of its backing files. */
import type { Flush, HostWrite } from '../bytes/host-write.js'
import type { FileRef, SyncWorld } from '../bytes/plan.js'
import { emptyStore, equals, punch, read, type Store, truncate, write } from './store.js'

/** A host write that changes a file. */
export type Change = Exclude<HostWrite, Flush>

/** A file and what it holds. */
export interface StoredFile {
  readonly file: FileRef
  readonly store: Store
}

/** Files, each at most once. A file that is not among them is empty. */
export type Files = readonly StoredFile[]

/** Where a file stands in the list; -1 if it does not. */
export const placeOf = (files: Files, { part, depth }: FileRef): number => {
  for (let i = 0; i < files.length; i++) {
    const file = files[i]?.file
    if (file?.part === part && file.depth === depth) return i
  }
  return -1
}

/** What a file holds. */
export const storeOf = (files: Files, file: FileRef): Store => files[placeOf(files, file)]?.store ?? emptyStore

/** The files, of which one holds this. The same files if it holds this store already. */
const withStore = (files: Files, file: FileRef, store: Store): Files => {
  const place = placeOf(files, file)
  if (place < 0) return [...files, { file, store }]
  return files[place]?.store === store ? files : files.with(place, { file, store })
}

/** The file, changed. */
export const changed = (store: Store, change: Change): Store => {
  switch (change._tag) {
    case 'Write':
      return write(store, change.at, change.bytes)
    case 'Truncate':
      return truncate(store, change.length)
    case 'Punch':
      return punch(store, change.at, change.length)
  }
}

/** What the files hold after the writes, all of them done in order. */
export const apply =
  (writes: readonly HostWrite[]) =>
  (files: Files): Files =>
    writes.reduce<Files>(
      (before, each) =>
        each._tag === 'Flush' ? before : withStore(before, each.file, changed(storeOf(before, each.file), each)),
      files
    )

/** The files as a world in which plans run. */
export const worldOf = <W>(files: Files, emit: (what: W) => void): SyncWorld<W> => ({
  read: ({ file, at, length }) => read(storeOf(files, file), at, length),
  emit: emit
})

/** Every file holds the same. */
export const sameFiles = (a: Files, b: Files): boolean =>
  [...a, ...b].every(({ file }) => equals(storeOf(a, file), storeOf(b, file)))
