/** Fates: which changes since the last flush a crash left, in words. */
import type { FileRef } from '../bytes/plan.js'
import { equal } from '../bytes/octets.js'
import { type FileChange, type Files, storeOf } from '../store/files.js'
import { read } from '../store/store.js'

/** A change of the epoch in which the power failed, and whether the disk has it. */
export interface Fate {
  readonly change: FileChange
  readonly durable: boolean
}

/** Whether the files are as a change leaves them. */
export const isDurable = (files: Files, change: FileChange): boolean => {
  const store = storeOf(files, change.file)
  if (change._tag === 'Truncate') return store.length === change.length
  const length = change._tag === 'Write' ? change.bytes.length : change.length
  return equal(read(store, change.at, length), change._tag === 'Write' ? change.bytes : new Uint8Array(length))
}

const fileText = ({ part, depth }: FileRef): string =>
  `${part === 'data' ? ' of the data file' : ''}${depth === 0 ? '' : ` of backing file ${depth}`}`

/** A change in words, with its file if that is not the image itself. */
export const changeText = (change: FileChange): string => whatText(change) + fileText(change.file)

const whatText = (change: FileChange): string => {
  switch (change._tag) {
    case 'Write':
      return `write ${change.bytes.length} bytes at ${change.at}`
    case 'Punch':
      return `punch ${change.length} bytes at ${change.at}`
    case 'Truncate':
      return `truncate to ${change.length} bytes`
  }
}

/** A fate in a line. */
export const fateText = ({ change, durable }: Fate): string =>
  `    ${durable ? 'on the disk' : 'lost       '}  ${changeText(change)}`
