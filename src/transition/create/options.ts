/** The options of a new image: their defaults, and what forbids them. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Preallocation } from '../../../spec/disk.js'
import type { Issue } from '../../bytes/issue.js'
import { valueAt } from '../../bytes/object.js'
import { sectorSize } from '../../format/limits.js'
import { refusal } from '../engine/refuse.js'

/** The options of a new image. The defaults are QEMU's. @see CR-06 */
export interface CreateOptions {
  /** Bytes of the guest disk; rounded up to whole sectors. */
  readonly size: number
  readonly version?: 2 | 3
  /** 9 to 21. */
  readonly clusterBits?: number
  /** 0 to 6. */
  readonly refcountOrder?: number
  readonly extendedL2?: boolean
  readonly lazyRefcounts?: boolean
  readonly compressionType?: 'zlib' | 'zstd'
  readonly backing?: { readonly name: string; readonly format: string }
  /** With a backing file only under extended L2. Raw external data has metadata at least. */
  readonly preallocation?: Preallocation
  /** The name of the external data file, and whether it is the raw disk. */
  readonly dataFile?: { readonly name: string; readonly raw: boolean }
}

/** The properties that version 2 has not, or of one kind only. */
const properties = ['lazyRefcounts', 'refcountOrder', 'extendedL2', 'dataFile', 'compressionType'] as const

/** What they are in every version 2 image, which has no external data file. @see HDR-01 */
const version2 = { lazyRefcounts: false, refcountOrder: 4, extendedL2: false, compressionType: 'zlib' } as const

/** Those of the properties that version 2 cannot have. */
export const beyondVersion2 = (o: Partial<Record<(typeof properties)[number], unknown>>) =>
  properties.filter((key) => o[key] !== undefined && o[key] !== valueAt(version2, key))

const defaults = { version: 3, clusterBits: 16, preallocation: 'off', ...version2 } as const

/** Options without defaults left, which an image can have. The size is whole sectors. */
export type CompleteOptions = CreateOptions & Required<Omit<CreateOptions, 'backing' | 'dataFile'>>

/** The issue of an option, by its name, that the others do not allow. */
const forbids = (clause: ClauseId, field: keyof CreateOptions, found: string, expected: string): Issue =>
  refusal(clause, found, expected, { structure: 'options', field })

/** The issues of properties that version 2 cannot have. @see HDR-01 and OPEN-24 */
export const version2Issues = (o: Partial<CreateOptions>): readonly Issue[] =>
  beyondVersion2(o).map((key) => forbids(key === 'lazyRefcounts' ? 'OPEN-24' : 'HDR-01', key, 'version 2', 'version 3'))

/** The options that are exponents of a power of two. */
const exponents = [
  ['clusterBits', 'OPEN-03'],
  ['refcountOrder', 'REF-02']
] as const

/** The issues of options that no image can have, beside those of the header that they make. @see HDR-08 and SW-06 */
const forbidden = (o: CompleteOptions): readonly Issue[] => [
  ...(o.version === 2 ? version2Issues(o) : []),
  ...exponents.flatMap(([key, clause]) =>
    Number.isInteger(o[key]) ? [] : [forbids(clause, key, String(o[key]), 'an integer')]
  ),
  ...(o.size >= 0 && Number.isSafeInteger(o.size) ? [] : [forbids('HDR-08', 'size', String(o.size), 'bytes')]),
  ...(o.backing !== undefined && o.preallocation !== 'off' && !o.extendedL2
    ? [forbids('SW-06', 'preallocation', `${o.preallocation} over a backing file`, 'off, or extended L2 entries')]
    : [])
]

/** The options with their defaults, or what forbids them. */
export const complete = (options: CreateOptions): E.Either<readonly Issue[], CompleteOptions> => {
  const o = { ...defaults, ...options, size: Math.ceil(options.size / sectorSize) * sectorSize }
  const issues = forbidden(o)
  return issues.length > 0 ? E.left(issues) : E.right(o)
}
