/** Images at the edges of the rules of header extensions. */
import type { Edit } from '../../src/bytes/edit.js'
import { at, extensionsAt, half, nameMoved, put, type Single, single, word } from './single.js'

/** An unknown extension of so many bytes in front of the first one; a name of a backing file moves with what follows. */
const unknownFirst =
  (length: number) =>
  (image: DataView): readonly Edit[] => {
    const size = 8 + Math.ceil(length / 8) * 8
    const name = Number(image.getBigUint64(8))
    return [
      { _tag: 'Copy', at: extensionsAt + size, from: extensionsAt, size: 64 },
      { _tag: 'Fill', at: extensionsAt, size, byte: 0xa5 },
      put(extensionsAt, `12345678${half(length)}`),
      ...(name === 0 ? [] : [put(8, word(BigInt(name + size)))])
    ]
  }

/** A table of feature names for incompatible bits after the first extension. */
const featureNames =
  (bits: readonly number[]) =>
  (image: DataView): readonly Edit[] => {
    const entries = bits.map((bit) => `00${bit.toString(16).padStart(2, '0')}616263${'00'.repeat(43)}`)
    return [...nameMoved(400)(image), put(128, `6803f857${half(48 * bits.length)}${entries.join('')}`)]
  }

export const extensionEdges: readonly Single[] = [
  ...[0, 3, 8, 20].flatMap((length) => [
    single(
      length % 8 === 0 ? 'EXT-12' : 'EXT-01',
      `extension-${length}-before-format`,
      `An unknown extension of ${length} bytes before the format of the backing file.`,
      'backing',
      unknownFirst(length)
    ),
    single(
      length % 8 === 0 ? 'EXT-12' : 'EXT-01',
      `extension-${length}-before-data-file`,
      `An unknown extension of ${length} bytes before the name of the data file.`,
      'data',
      unknownFirst(length)
    )
  ]),
  single(
    'EXT-03',
    'extension-past-cluster',
    'An extension ends a byte after the first cluster.',
    'width-16',
    at(112, `12345678${half(393)}`)
  ),
  single(
    'EXT-03',
    'extension-to-cluster-end',
    'An extension ends with the first cluster.',
    'width-16',
    at(112, `12345678${half(392)}`)
  ),
  single(
    'EXT-04',
    'extension-past-name',
    'An extension reaches into the name of the backing file.',
    'backing',
    at(128, `12345678${half(1)}`)
  ),
  single(
    'EXT-04',
    'extension-to-name',
    'An extension ends where the name of the backing file begins.',
    'backing',
    at(128, `12345678${half(0)}`)
  ),
  single(
    'EXT-02',
    'extension-twice',
    'Two unknown extensions of the same type.',
    'width-16',
    at(112, '12345678000000001234567800000000')
  ),
  single(
    'EXT-02',
    'extensions-of-two-types',
    'Two unknown extensions of different types.',
    'width-16',
    at(112, '12345678000000001234567900000000')
  ),
  single(
    'EXT-06',
    'backing-format-16',
    'A backing format of 16 bytes.',
    'width-16',
    at(112, `e2792aca00000010${'61'.repeat(16)}`)
  ),
  single(
    'EXT-06',
    'backing-format-15',
    'A backing format of 15 bytes, without a backing file.',
    'width-16',
    at(112, `e2792aca0000000f${'61'.repeat(15)}00`)
  ),
  single(
    'EXT-05',
    'backing-format-terminated',
    'The format of the backing file ends with a NUL.',
    'backing',
    at(116, half(4))
  ),
  single(
    'EXT-05',
    'backing-format-padding',
    'The padding after the format of the backing file is not zero.',
    'backing',
    at(123, 'ffffffffff')
  ),
  ...[0, 62, 63, 64].map((bit) =>
    single(
      'EXT-07',
      `feature-name-bit-${bit}`,
      `A feature name is for bit ${bit}, in a table after the format of the backing file.`,
      'backing',
      featureNames([bit])
    )
  ),
  single(
    'EXT-07',
    'feature-names-2',
    'Two feature names, after the format of the backing file.',
    'backing',
    featureNames([5, 6])
  ),
  single(
    'EXT-07',
    'feature-names-0',
    'A table of no feature names, after the format of the backing file.',
    'backing',
    featureNames([])
  ),
  single(
    'EXT-09',
    'encryption-pointer-alone',
    'A pointer to a LUKS header in an image that is not encrypted.',
    'width-16',
    at(112, `0537be7700000010${word(512n)}${word(512n)}`)
  ),
  single(
    'BMP-14',
    'v2-bitmaps-extension',
    'A version 2 image with a bitmaps extension.',
    'v2-512',
    at(72, `2385287500000018${half(1)}${half(0)}${word(32n)}${word(512n)}`)
  ),
  single('EXT-10', 'bitmaps-extension-25', 'A bitmaps extension of 25 bytes.', 'bitmap', at(116, half(25))),
  single(
    'EXT-21',
    'after-end-marker',
    'A byte after the end marker of the extensions is set.',
    'width-16',
    at(120, '01')
  )
]
