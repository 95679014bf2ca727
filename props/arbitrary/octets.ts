/** Byte strings, expanded from a seed or a fill, so that long ones cost no more to draw than short ones. */
import fc from 'fast-check'
import { fromText } from '../../src/bytes/octets.js'
import { noise } from '../../src/fuzz/noise.js'

/** Text with characters of one to four bytes; a cut through one of them is no text. */
const text = fromText('name é€😀 0')

/** What fills a byte string. */
type Content =
  | { readonly _tag: 'Fill'; readonly byte: number }
  | { readonly _tag: 'Text'; readonly from: number }
  | { readonly _tag: 'Noise'; readonly seed: number }

const contents: fc.Arbitrary<Content> = fc.oneof(
  { withCrossShrink: true },
  fc.constantFrom(0, 0xff, 0x61).map((byte): Content => ({ _tag: 'Fill', byte })),
  fc.nat({ max: text.length - 1 }).map((from): Content => ({ _tag: 'Text', from })),
  fc.integer().map((seed): Content => ({ _tag: 'Noise', seed }))
)

const fill = (content: Content, length: number): Uint8Array => {
  switch (content._tag) {
    case 'Fill':
      return Uint8Array.from({ length }, () => content.byte)
    case 'Text':
      return Uint8Array.from({ length }, (_, i) => text[(content.from + i) % text.length] ?? 0)
    case 'Noise':
      return noise(content.seed, length)
  }
}

/** Byte strings whose length is drawn from these: zeros, ones, text, text cut off, or noise. */
export const octetsOf = (length: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(contents, length).map(([content, n]) => fill(content, n))

/** Byte strings of this length. */
export const octets = (length: number): fc.Arbitrary<Uint8Array> => octetsOf(fc.constant(length))
