/** Dictionaries for AFL++ and libFuzzer: the magic numbers, types and bits of the field tables. */
import { writeFileSync } from 'node:fs'
import type * as E from 'fp-ts/lib/Either.js'
import { maskOf, type BitRow } from '../../bytes/bits.js'
import { toHex } from '../../bytes/octets.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from '../../format/feature.js'
import { headerFields, magic } from '../../format/header.js'
import { l1Entry } from '../../format/l1.js'
import { standardBits } from '../../format/l2.js'
import { edges } from '../../fuzz/edges.js'
import { type CommandError, system } from '../command-error.js'

/** Bytes of a big-endian number. */
const bytesOf = (n: bigint, size: number): string => n.toString(16).padStart(2 * size, '0')

const token = (name: string, hex: string): string =>
  `${name.toLowerCase().replaceAll(/\W+/g, '_')}="${hex.replaceAll(/../g, '\\x$&')}"`

const bitTokens = (of: string, rows: Readonly<Record<string, BitRow>>): readonly string[] =>
  Object.values(rows).map((row) => token(`${of}_${row.name}`, bytesOf(maskOf(row), 8)))

/** The numbers at the edges of the rules of the header's fields. */
const headerTokens = (): readonly string[] =>
  headerFields.rows
    .filter(({ row }) => row.rules.length > 0)
    .flatMap(({ row }) =>
      edges(2n ** BigInt(8 * row.as.size) - 1n, row.rules)
        .slice(0, 12)
        .map((n, i) => token(`${row.name}_${i}`, bytesOf(n, row.as.size)))
    )

/** A dictionary in the format that AFL++ and libFuzzer share. */
const dictionary = (): string =>
  [
    token('magic', bytesOf(BigInt(magic), 4)),
    ...Object.entries(extensionTypes).map(([name, type]) => token(`extension_${name}`, bytesOf(BigInt(type), 4))),
    ...bitTokens('incompatible', incompatibleFeatures.rows),
    ...bitTokens('compatible', compatibleFeatures.rows),
    ...bitTokens('autoclear', autoclearFeatures.rows),
    ...bitTokens('l1', l1Entry.leaf.rows),
    ...bitTokens('l2', standardBits.rows),
    token('compressed', bytesOf(1n << 62n, 8)),
    token('raw', toHex(new TextEncoder().encode('raw'))),
    ...headerTokens(),
    ''
  ].join('\n')

/** Writes the dictionary into a file. */
export const writeDictionary = (path: string): E.Either<CommandError, void> =>
  system('write', path, () => writeFileSync(path, dictionary()))
