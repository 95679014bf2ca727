/** Byte ranges, of a file or of the guest disk. */

/** `size` bytes from byte `at` on. */
export interface ByteRange {
  readonly at: number
  readonly size: number
}
