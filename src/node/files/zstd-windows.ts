/** Windows of zstd frames: what each frame of a stream makes a decoder allocate, known before the decoder gets the frame. */

/** Longest header of a frame in bytes, with its magic number. */
const maxHeader = 18
const skippable = 0x184d_2a50
const dictionarySizes = [0, 1, 2, 4]
const contentSizes = [0, 2, 4, 8]

/** Bytes of the header of a frame, from its descriptor. */
const headerSize = (descriptor: number): number => {
  const isSingle = (descriptor & 0x20) !== 0
  const content = contentSizes[descriptor >> 6] ?? 0
  return 6 + (dictionarySizes[descriptor & 3] ?? 0) + (isSingle ? Math.max(1, content) - 1 : content)
}

/** Bytes of the window of a frame, from its header: all of its content where it is a single segment. */
const windowSize = (head: Buffer): number => {
  const [descriptor = 0, window = 0] = head.subarray(4)
  const base = 2 ** (10 + (window >> 3))
  if ((descriptor & 0x20) === 0) return base + (base / 8) * (window & 7)
  const size = contentSizes[descriptor >> 6] ?? 0
  if (size === 8) return Number(head.readBigUInt64LE(head.length - size))
  return head.readUIntLE(head.length - Math.max(1, size), Math.max(1, size)) + (size === 2 ? 256 : 0)
}

/** Bytes of the magic number and the descriptor, after which the size of a header is known. */
const startSize = 5
const blockHeaderSize = 3

/** Follows the frames of a stream from its first byte on. What is no frame is for the decoder to refuse. */
export class ZstdWindows {
  /** Bytes of the largest window of the frames so far. */
  largest = 0
  private readonly head = Buffer.alloc(maxHeader)
  private filled = 0
  /** Bytes of `head` after which it is looked at. */
  private wanted = startSize
  /** Bytes of a block or of a skippable frame that are still to come. */
  private skipped = 0
  private inFrame = false
  private checksumSize = 0

  /** Takes the next bytes of the stream. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const passed = Math.min(this.skipped, chunk.length - at)
      this.skipped -= passed
      at += passed
      if (at === chunk.length) return
      this.head[this.filled++] = chunk[at++] ?? 0
      if (this.filled === this.wanted) this.look()
    }
  }

  private look(): void {
    if (this.inFrame) this.passBlock()
    else this.passHeader()
  }

  private expect(size: number, filled = 0): void {
    this.wanted = size
    this.filled = filled
  }

  private passBlock(): void {
    const word = this.head.readUIntLE(0, blockHeaderSize)
    const isLast = word % 2 === 1
    const isRun = (word >> 1) % 4 === 1
    this.skipped = (isRun ? 1 : word >> 3) + (isLast ? this.checksumSize : 0)
    this.inFrame = !isLast
    this.expect(isLast ? startSize : blockHeaderSize)
  }

  private passHeader(): void {
    const { head, filled } = this
    const isSkippable = (head.readUInt32LE(0) & 0xffff_fff0) >>> 0 === skippable
    const size = isSkippable ? 8 : headerSize(head[4] ?? 0)
    if (filled < size) {
      this.expect(size, filled)
      return
    }
    if (isSkippable) this.skipped = head.readUInt32LE(4)
    else {
      this.largest = Math.max(this.largest, windowSize(head.subarray(0, size)))
      this.checksumSize = ((head[4] ?? 0) & 4) === 0 ? 0 : 4
    }
    this.inFrame = !isSkippable
    this.expect(isSkippable ? startSize : blockHeaderSize)
  }
}
