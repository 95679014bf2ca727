/** Files as plain arrays of bytes. */
import type { FileChange } from '../../src/store/files.js'

/** The bytes, cut off or followed by zeros. */
export const resized = (bytes: Uint8Array, length: number): Uint8Array => {
  const out = new Uint8Array(length)
  out.set(bytes.subarray(0, length))
  return out
}

const patched = (bytes: Uint8Array, at: number, more: Uint8Array): Uint8Array => {
  if (more.length === 0) return bytes
  const out = resized(bytes, Math.max(bytes.length, at + more.length))
  out.set(more, at)
  return out
}

/** The bytes after a change. */
export const changedBytes = (bytes: Uint8Array, change: FileChange): Uint8Array => {
  switch (change._tag) {
    case 'Write':
      return patched(bytes, change.at, change.bytes)
    case 'Truncate':
      return resized(bytes, change.length)
    case 'Punch':
      return bytes.map((byte, i) => (i >= change.at && i < change.at + change.length ? 0 : byte))
  }
}
