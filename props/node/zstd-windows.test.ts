/** The windows of zstd frames, by their headers as RFC 8878 has them, wherever a stream is cut. */
import * as assert from 'uvu/assert'
import { ZstdWindows } from '../../src/node/files/zstd-windows.js'
import { suite } from '../run/suite.js'

const test = suite('windows of zstd frames')

const magic = [0x28, 0xb5, 0x2f, 0xfd]
const skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 0xff, 0xff, 0xff]
/** A block of two bytes, and a last one of a byte that is repeated 2^17 times. */
const blocks = [2 << 3, 0, 0, 0xff, 0xff, 3, 0, 16, 7]
const checksum = [0xff, 0xff, 0xff, 0xff]

/** A frame with this header; a checksum ends it where its descriptor says so. */
const frameOf = (header: readonly number[]): readonly number[] => [
  ...magic,
  ...header,
  ...blocks,
  ...(((header[0] ?? 0) & 4) === 0 ? [] : checksum)
]

const largestOf = (stream: readonly number[], step: number): number => {
  const windows = new ZstdWindows()
  for (let at = 0; at < stream.length; at += step) windows.push(Uint8Array.from(stream.slice(at, at + step)))
  return windows.largest
}

const headers: readonly (readonly [header: readonly number[], window: number])[] = [
  [[0, 0x38], 2 ** 17],
  [[0, 0x3b], 2 ** 17 + 3 * 2 ** 14],
  [[4, 0x38], 2 ** 17],
  [[0x41, 0x38, 9, 1, 1], 2 ** 17],
  [[0x20, 200], 200],
  [[0x60, 0, 1], 512],
  [[0x64, 0xff, 0xff], 65791],
  [[0xa0, 0, 0, 1, 0], 2 ** 16],
  [[0xe0, 0, 0, 0, 0, 1, 0, 0, 0], 2 ** 32],
  [[0x23, 1, 2, 3, 4, 9], 9]
]

test('the window of a frame is read from its header, after frames and skippable frames of any kind', () => {
  const wide = [0, 0xf8]
  for (const [header, window] of headers)
    for (const step of [1, 2, 7, 1000]) {
      const named = `${header.join(' ')} in steps of ${step}`
      const first = [...skippable, ...frameOf(header)]
      assert.is(largestOf(first, step), window, named)
      assert.is(largestOf([...first, ...skippable, ...frameOf(wide)], step), 2 ** 41, named)
      assert.is(largestOf([...frameOf([4, 0]), ...frameOf(header)], step), Math.max(2 ** 10, window), named)
    }
})

test.run()
