/** From the options of a new image to what the creation takes, and from what it refuses to qemu-img's words. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import { minExtendedClusterBits } from '../../format/limits.js'
import type { CreateOptions } from '../../transition/create/options.js'
import {
  because,
  type Cause,
  type CommandError,
  commandError,
  either,
  type Failed,
  failure,
  get,
  isError,
  keepRules
} from '../command-error.js'
import { type OptionTexts, optionValues, versions } from './image-options.js'
import { diskSize, isPreallocation } from './values.js'

/** Formats that a backing file may have by name, beyond those that are read here. */
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

const compressionTypes = ['zlib', 'zstd'] as const

const v3Only = 'supported with compatibility level 1.1 and above (use version=v3 or greater)'

/** qemu-img's words for the issues of options that no image can have: the clause, the field where one is meant, the message. */
const refusals: readonly (readonly [ClauseId, string, string])[] = [
  ['HDR-01', 'extendedL2', `Extended L2 entries are only ${v3Only}`],
  ['OPEN-03', '', 'Cluster size must be a power of two between 512 and 2048k'],
  [
    'SUB-01',
    '',
    `Extended L2 entries are only supported with cluster sizes of at least ${2 ** minExtendedClusterBits} bytes`
  ],
  ['SW-06', '', 'Backing file and preallocation can only be used at the same time if extended_l2 is on'],
  ['OPEN-24', '', `Lazy refcounts only ${v3Only}`],
  ['REF-02', '', 'Refcount width must be a power of two and may not exceed 64 bits'],
  [
    'HDR-01',
    'refcountOrder',
    'Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)'
  ],
  ['BACK-07', '', 'Backing file and data-file-raw cannot be used at the same time'],
  ['HDR-01', 'dataFile', `External data files are only ${v3Only}`],
  ['HDR-01', 'compressionType', `Non-zlib compression type is only ${v3Only}`],
  ['OPEN-19', '', "The image size is too large for file format 'qcow2' (try using a larger cluster size)"]
]

/** The error for options that no image can have, in qemu-img's words where it has some. @see CR-06 */
export const inQemuWords =
  (context: string, file: string) =>
  (cause: Cause): CommandError => {
    const issues = isError(cause) ? [] : cause
    const row = refusals.find(([clause, field]) =>
      issues.some((i) => i.clause === clause && (field === '' || i.field === field))
    )
    return row === undefined ? because(context, file)(cause) : commandError(row[2], { clause: row[0], file })
  }

/** What a raw file takes of the options of an image: its size, and whether it gets its space at once. */
export const rawOptions = either(function* (texts: OptionTexts) {
  const other = [...texts.keys()].find((name) => name !== 'size' && name !== 'preallocation')
  if (other !== undefined) yield* get(failure(`Invalid parameter '${other}': a raw file has size and preallocation`))
  const { size, preallocation = 'off' } = yield* get(optionValues(texts))
  if (!isPreallocation(preallocation) || preallocation === 'metadata')
    return yield* get(failure(`Unsupported preallocation mode: ${preallocation}`))
  return { preallocation, size: size === undefined ? undefined : yield* get(diskSize(size)) }
})

/**
 * The options of the creation; fails with qemu-img's reason against their texts. @see CR-06
 *
 * @param size bytes of the guest disk, in place of the option `size`
 */
export const createOptions = either(function* (texts: OptionTexts, size?: number): Generator<Failed, CreateOptions> {
  const options = yield* get(optionValues(texts))
  const { backing_file: backing, backing_fmt: format, data_file: dataFile } = options
  const { compat = '1.1', compression_type: compression = 'zlib', preallocation = 'off', data_file_raw: raw } = options
  const version = versions.get(compat)
  const compressionType = compressionTypes.find((type) => type === compression)
  if (version === undefined) return yield* get(failure(`Parameter 'version' does not accept value '${compat}'`))
  if (!isPreallocation(preallocation))
    return yield* get(failure(`Parameter 'preallocation' does not accept value '${preallocation}'`))
  if (compressionType === undefined)
    return yield* get(failure(`Parameter 'compression-type' does not accept value '${compression}'`))
  const kept = keepRules([
    [backing === undefined && format !== undefined, 'Backing format cannot be used without backing file'],
    [format !== undefined && !backingFormats.includes(format), `Backing format '${format ?? ''}' not recognized`],
    [raw === true && dataFile === undefined, 'data-file-raw requires data-file']
  ])
  yield* get(kept)
  return {
    size: size ?? (yield* get(diskSize(options.size ?? 0n))),
    version,
    clusterBits: Math.log2(Number(options.cluster_size ?? 65536n)),
    refcountOrder: Math.log2(options.refcount_bits ?? 16),
    extendedL2: options.extended_l2 ?? false,
    lazyRefcounts: options.lazy_refcounts ?? false,
    compressionType,
    preallocation,
    ...(backing === undefined ? {} : { backing: { name: backing, format: format ?? '' } }),
    ...(dataFile === undefined ? {} : { dataFile: { name: dataFile, raw: raw ?? false } })
  }
})

/** Whether the external data file is there already and keeps its bytes; fails where they would be lost or not be read. */
export const keepsDataFile = either(function* (texts: OptionTexts) {
  const { keep_data_file: keeps, ...o } = yield* get(optionValues(texts))
  if (keeps !== true) return false
  const preallocation = o.preallocation ?? 'off'
  const kept = keepRules([
    [o.data_file === undefined, "Must not use 'keep_data_file=on' without 'data_file'"],
    [
      preallocation !== 'off' && preallocation !== 'metadata',
      "Preallocating more than only metadata would overwrite the external data file's content and is therefore incompatible with 'keep_data_file=on'"
    ],
    [
      preallocation === 'off' && o.data_file_raw !== true,
      "'keep_data_file=on' requires 'preallocation=metadata' or 'data_file_raw=on', or the file contents will not be visible"
    ]
  ])
  yield* get(kept)
  return true
})
