/** From the options of a new image to what the creation takes, or to the reason why qemu-img refuses them. */
import { maxClusterBits, maxRefcountOrder, minClusterBits, minExtendedClusterBits } from '../../format/limits.js'
import { beyondVersion2, type CreateOptions } from '../../transition/create/options.js'
import { either, type Failed, failure, get, keepRules } from '../command-error.js'
import { type OptionTexts, optionValues, versions } from './image-options.js'
import { isPreallocation } from './values.js'

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

/** Whether a refcount width of 2 to the power of `order` bits is one of the format. */
export const isRefcountOrder = (order: number): boolean => Number.isInteger(order) && order <= maxRefcountOrder

/** The message for any other refcount width. */
export const badRefcountWidth = 'Refcount width must be a power of two and may not exceed 64 bits'

/**
 * The options of the creation; fails with qemu-img's reason against them. @see CR-06
 *
 * @param diskSize bytes of the guest disk, in place of the option `size`
 */
export const createOptions = either(function* (
  texts: OptionTexts,
  diskSize?: number
): Generator<Failed, CreateOptions> {
  const options = yield* get(optionValues(texts))
  const { backing_file: backing, backing_fmt: format, data_file: dataFile } = options
  const {
    compat = '1.1',
    compression_type: compression = 'zlib',
    preallocation = 'off',
    extended_l2: extendedL2 = false,
    lazy_refcounts: lazyRefcounts = false,
    data_file_raw: raw = false
  } = options
  const version = versions.get(compat)
  const compressionType = compressionTypes.find((type) => type === compression)
  if (version === undefined) return yield* get(failure(`Parameter 'version' does not accept value '${compat}'`))
  if (!isPreallocation(preallocation))
    return yield* get(failure(`Parameter 'preallocation' does not accept value '${preallocation}'`))
  if (compressionType === undefined)
    return yield* get(failure(`Parameter 'compression-type' does not accept value '${compression}'`))
  const clusterBits = Math.log2(Number(options.cluster_size ?? 65536n))
  const refcountOrder = Math.log2(options.refcount_bits ?? 16)
  const beyond =
    version === 2 ? beyondVersion2({ extendedL2, lazyRefcounts, refcountOrder, dataFile, compressionType }) : []
  const kept = keepRules([
    [beyond.includes('extendedL2'), `Extended L2 entries are only ${v3Only}`],
    [
      !Number.isInteger(clusterBits) || clusterBits < minClusterBits || clusterBits > maxClusterBits,
      'Cluster size must be a power of two between 512 and 2048k'
    ],
    [
      extendedL2 && clusterBits < minExtendedClusterBits,
      `Extended L2 entries are only supported with cluster sizes of at least ${2 ** minExtendedClusterBits} bytes`
    ],
    [
      backing !== undefined && preallocation !== 'off' && !extendedL2,
      'Backing file and preallocation can only be used at the same time if extended_l2 is on'
    ],
    [backing === undefined && format !== undefined, 'Backing format cannot be used without backing file'],
    [format !== undefined && !backingFormats.includes(format), `Backing format '${format ?? ''}' not recognized`],
    [beyond.includes('lazyRefcounts'), `Lazy refcounts only ${v3Only}`],
    [!isRefcountOrder(refcountOrder), badRefcountWidth],
    [
      beyond.includes('refcountOrder'),
      'Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)'
    ],
    [raw && dataFile === undefined, 'data-file-raw requires data-file'],
    [raw && backing !== undefined, 'Backing file and data-file-raw cannot be used at the same time'],
    [beyond.includes('dataFile'), `External data files are only ${v3Only}`],
    [beyond.includes('compressionType'), `Non-zlib compression type is only ${v3Only}`]
  ])
  yield* get(kept)
  return {
    size: diskSize ?? Number(options.size ?? 0n),
    version,
    clusterBits,
    refcountOrder,
    extendedL2,
    lazyRefcounts,
    compressionType,
    preallocation,
    ...(backing === undefined ? {} : { backing: { name: backing, format: format ?? '' } }),
    ...(dataFile === undefined ? {} : { dataFile: { name: dataFile, raw } })
  }
})
