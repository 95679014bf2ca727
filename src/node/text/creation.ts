/** Options of new images: the text of `-o`, what it asks for, and the line that tells it, all as qemu-img has them. */
import * as E from 'fp-ts/lib/Either.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { namedValue, wordsOfAll } from './option-list.js'
import { preallocations } from './modes.js'
import { exactSizeOf, sizeOf } from './size.js'

/** The text of each option that was given. */
export type Texts = ReadonlyMap<string, string>

interface Row {
  readonly name: string
  readonly about: string
  readonly kind: 'size' | 'number' | 'bool' | 'text'
  /** What is told of it when it is not given. */
  readonly absent?: string
}

/** In the order in which they are told. @see CR-06 */
const rows: readonly Row[] = [
  { name: 'cluster_size', about: 'bytes of a cluster, a power of two from 512 to 2M', kind: 'size', absent: '65536' },
  { name: 'extended_l2', about: 'L2 entries with subclusters', kind: 'bool', absent: 'off' },
  { name: 'preallocation', about: 'off, metadata, falloc or full', kind: 'text' },
  { name: 'compression_type', about: 'zlib or zstd', kind: 'text', absent: 'zlib' },
  { name: 'size', about: 'bytes of the guest disk', kind: 'size' },
  { name: 'compat', about: 'v2 or 0.10, v3 or 1.1', kind: 'text' },
  { name: 'backing_file', about: 'name of the backing file', kind: 'text' },
  { name: 'backing_fmt', about: 'format of the backing file', kind: 'text' },
  { name: 'data_file', about: 'name of the external data file', kind: 'text' },
  { name: 'data_file_raw', about: 'the external data file alone is the raw disk', kind: 'bool' },
  { name: 'lazy_refcounts', about: 'counts may be postponed', kind: 'bool', absent: 'off' },
  { name: 'refcount_bits', about: '1, 2, 4, 8, 16, 32 or 64', kind: 'number', absent: '16' }
]

/** The bytes of a size that was found to be one. */
export const bytesOf = (text: string): number | undefined => {
  const size = sizeOf(text)
  return E.isRight(size) ? size.right : undefined
}

const numberOf = (text: string): number | undefined => (/^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : undefined)

const bools: ReadonlyMap<string, boolean> = new Map([
  ...['on', 'yes', 'true', 'y'].map((text) => [text, true] as const),
  ...['off', 'no', 'false', 'n'].map((text) => [text, false] as const)
])

/** What is wrong with the text of an option, by its kind. */
const wrong: Readonly<Record<Row['kind'], (name: string, text: string) => string | undefined>> = {
  size: (name, text) =>
    bytesOf(text) === undefined
      ? `Parameter '${name}' expects a non-negative number below 2^64 ` +
        'Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta- and exabytes, respectively.'
      : undefined,
  number: (name, text) => (numberOf(text) === undefined ? `Parameter '${name}' expects a number` : undefined),
  bool: (name, text) => (bools.has(text) ? undefined : `Parameter '${name}' expects 'on' or 'off'`),
  text: () => undefined
}

/** The options of lists: a name alone means `on`, and with `no` before it `off`. Of two with one name the last holds. */
export const parseOptions = (lists: readonly string[]): E.Either<string, Texts> => {
  const words = wordsOfAll(lists)
  if (E.isLeft(words)) return words
  const pairs = words.right.map((word): readonly [string, string] => {
    const [name, value] = namedValue(word)
    if (value !== undefined) return [name, value]
    const negated = rows.find((row) => row.kind === 'bool' && name === `no${row.name}`)
    return negated === undefined ? [name, 'on'] : [negated.name, 'off']
  })
  for (const [name, text] of pairs) {
    if (name === 'encryption' && bools.get(text) === false) continue
    if (name.startsWith('encrypt')) return E.left(`Parameter '${name}' is not supported: no encrypted image is made`)
    const row = rows.find((r) => r.name === name)
    const why = row === undefined ? `Invalid parameter '${name}'` : wrong[row.kind](name, text)
    if (why !== undefined) return E.left(why)
  }
  return E.right(new Map(pairs))
}

/** The options, for those who ask for them. */
export const optionsHelp = (): string =>
  ['Supported options:', ...rows.map(({ name, about }) => `  ${name} - ${about}`), ''].join('\n')

/** Whether options are asked for in place of being given. */
export const asksForHelp = (lists: readonly string[]): boolean =>
  E.exists((words: readonly string[]) => words.some((word) => word === 'help' || word === '?'))(wordsOfAll(lists))

/** The line that says what is made. */
export const formatting = (image: string, texts: Texts): string => {
  const told = rows.flatMap(({ name, kind, absent }) => {
    const text = texts.get(name) ?? absent
    if (text === undefined) return []
    const value =
      kind === 'size' ? E.toUnion(exactSizeOf(text)) : kind === 'number' ? numberOf(text) : text.replaceAll(',', ',,')
    return [`${name}=${value ?? ''}`]
  })
  return `Formatting '${image}', fmt=qcow2 ${told.join(' ')}\n`
}

/** Formats that a backing file may be said to have, beyond those that are read here. */
export const backingFormats: readonly string[] = [
  'raw',
  'qcow2',
  'qcow',
  'qed',
  'vdi',
  'vhdx',
  'vmdk',
  'vpc',
  'luks',
  'parallels',
  'dmg',
  'bochs',
  'cloop',
  'host_device'
]

const versions: ReadonlyMap<string, 2 | 3> = new Map([
  ['0.10', 2],
  ['v2', 2],
  ['1.1', 3],
  ['v3', 3]
])

const compressionTypes = ['zlib', 'zstd'] as const

const v3Only = 'supported with compatibility level 1.1 and above (use version=v3 or greater)'

/**
 * What the options ask for, or what qemu-img says against them. @see CR-06
 *
 * @param size bytes of the guest disk
 */
export const creationOf = (texts: Texts, size: number): E.Either<string, CreateOptions> => {
  const version = versions.get(texts.get('compat') ?? '1.1')
  const compressionType = compressionTypes.find((t) => t === (texts.get('compression_type') ?? 'zlib'))
  const preallocation = preallocations.find((p) => p === (texts.get('preallocation') ?? 'off'))
  const clusterSize = bytesOf(texts.get('cluster_size') ?? '65536') ?? 0
  const clusterBits = Math.log2(clusterSize)
  const refcountOrder = Math.log2(numberOf(texts.get('refcount_bits') ?? '16') ?? 0)
  const on = (name: string): boolean => bools.get(texts.get(name) ?? 'off') === true
  const [extendedL2, lazyRefcounts, raw] = [on('extended_l2'), on('lazy_refcounts'), on('data_file_raw')]
  const [backing, format, dataFile] = ['backing_file', 'backing_fmt', 'data_file'].map((name) => texts.get(name))
  if (version === undefined || compressionType === undefined || preallocation === undefined) {
    const [name, option] =
      version === undefined
        ? ['version', 'compat']
        : preallocation === undefined
          ? ['preallocation', 'preallocation']
          : ['compression-type', 'compression_type']
    return E.left(`Parameter '${name}' does not accept value '${texts.get(option) ?? ''}'`)
  }
  const v2 = version === 2
  const rules: readonly (readonly [broken: boolean, why: string])[] = [
    [v2 && extendedL2, `Extended L2 entries are only ${v3Only}`],
    [
      !Number.isInteger(clusterBits) || clusterBits < 9 || clusterBits > 21,
      'Cluster size must be a power of two between 512 and 2048k'
    ],
    [
      extendedL2 && clusterBits < 14,
      'Extended L2 entries are only supported with cluster sizes of at least 16384 bytes'
    ],
    [
      backing !== undefined && preallocation !== 'off' && !extendedL2,
      'Backing file and preallocation can only be used at the same time if extended_l2 is on'
    ],
    [backing === undefined && format !== undefined, 'Backing format cannot be used without backing file'],
    [format !== undefined && !backingFormats.includes(format), `Backing format '${format ?? ''}' not recognized`],
    [v2 && lazyRefcounts, `Lazy refcounts only ${v3Only}`],
    [
      !Number.isInteger(refcountOrder) || refcountOrder > 6,
      'Refcount width must be a power of two and may not exceed 64 bits'
    ],
    [
      v2 && refcountOrder !== 4,
      'Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)'
    ],
    [raw && dataFile === undefined, 'data-file-raw requires data-file'],
    [raw && backing !== undefined, 'Backing file and data-file-raw cannot be used at the same time'],
    [v2 && dataFile !== undefined, `External data files are only ${v3Only}`],
    [v2 && compressionType === 'zstd', `Non-zlib compression type is only ${v3Only}`]
  ]
  const broken = rules.find(([is]) => is)
  if (broken !== undefined) return E.left(broken[1])
  return E.right({
    size,
    version,
    clusterBits,
    refcountOrder,
    extendedL2,
    lazyRefcounts,
    compressionType,
    preallocation,
    ...(backing === undefined ? {} : { backing: { name: backing, format: format ?? '' } }),
    ...(dataFile === undefined ? {} : { dataFile: { name: dataFile, raw } })
  })
}
