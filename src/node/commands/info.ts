/** `qcow2 info`: what an image is. */
import * as E from 'fp-ts/lib/Either.js'
import { integerToJson, type JsonObject } from '../../bytes/json.js'
import { clusterSize, grainSize } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import { type ImageInfo, type FileInfo, infoReport, type InfoReport, readInfo } from '../../image/info.js'
import { infoJson } from '../../image/info-json.js'
import { type Failed, get, using, wait } from '../command-error.js'
import { openPlace } from '../files/file.js'
import { jsonText, print } from '../files/output.js'
import { readAccess } from '../files/lock.js'
import { isBlockDevice } from '../files/device.js'
import { cannotOpen, isUrl, type RemoteOptions, run, type Source } from '../files/source.js'
import { pathFrom } from '../images/follow.js'
import { namingOthers } from '../images/not-qcow2.js'
import { keepVersion } from '../images/below.js'
import { type ImageNode, nodeName } from '../images/image-node.js'
import { openImage, type OpenOptions } from '../images/open.js'
import { coloured } from '../text/colours.js'
import { type ChildNode, childrenJson } from '../text/child-node.js'
import { type Heading, humanInfo, humanRaw, type Shown } from '../text/info-text.js'
import { command, flag } from './command.js'
import { allow, forceShare, ignored, image, likeNewer, output, remote } from './options.js'

/** What is known of a file beside its bytes. */
const fileInfo = ({ name, length, actualSize }: Source, node: ImageNode): FileInfo => ({
  filename: nodeName(node),
  length,
  ...(actualSize === undefined ? {} : { actualSize }),
  fullName: (path) => pathFrom(name, path)
})

/** A report on an image, or on a raw file. */
type Report = InfoReport | Heading

const rawReport = ({ length, actualSize }: Source, node: ImageNode): Heading => ({
  filename: nodeName(node),
  virtualSize: BigInt(Math.ceil(length / sectorSize) * sectorSize),
  ...(actualSize === undefined ? {} : { actualSize })
})

const rawJson = ({ filename, virtualSize, actualSize }: Heading): JsonObject => ({
  'virtual-size': integerToJson(virtualSize),
  filename,
  format: 'raw',
  ...(actualSize === undefined ? {} : { 'actual-size': actualSize }),
  'dirty-flag': false
})

/** How a report is printed. */
interface Form {
  readonly isJson: boolean
  /** Whether the limits of requests are printed. */
  readonly limits: boolean
  /** Whether the file below each image is reported too, and snapshots are listed as in QEMU 10 and 11. */
  readonly newer: boolean
}

/** The limits of requests to an image in QEMU 11, with the cache of the host: sizes in bytes, which are those of the pages of memory too. */
const limitsOf = (r?: Report): JsonObject => {
  const m = r !== undefined && 'metadata' in r ? r.metadata : undefined
  const g = m?.geometry
  return {
    ...(g === undefined ? {} : { 'write-zeroes-alignment': grainSize(g) }),
    'request-alignment': m !== undefined && m.header.cryptMethod !== 0 ? sectorSize : 1,
    'min-mem-alignment': 1,
    ...(g === undefined ? {} : { 'discard-alignment': clusterSize(g) }),
    'opt-mem-alignment': 4096,
    'max-iov': 1024
  }
}

const inSectors = (length: number): number => Math.ceil(length / sectorSize) * sectorSize

/** The driver of the file of this name. */
const protocolOf = (name: string): string => {
  if (isUrl(name)) return name.slice(0, name.indexOf(':')).toLowerCase()
  return isBlockDevice(name) ? 'host_device' : 'file'
}

/** The file below an image, and the part of it that holds the image. */
const childOf = (source: Source, { file }: ImageNode, limits: { readonly limits?: JsonObject }): ChildNode => {
  const { name, length, wholeLength, actualSize } = source
  const size = actualSize === undefined ? {} : { actualSize }
  const whole = inSectors(wholeLength ?? length)
  const child = { filename: file.name, format: protocolOf(name), length: whole, ...size, ...limits }
  if (file.part === undefined) return child
  return {
    filename: nodeName({ driver: 'raw', file }),
    format: 'raw',
    length: inSectors(length),
    ...size,
    ...limits,
    child
  }
}

/** What is printed beside a report. */
const shownWith = ({ limits, newer }: Form, report: Report, source: Source, node: ImageNode): Shown => ({
  ...(limits ? { limits: limitsOf(report) } : {}),
  ...(newer ? { child: childOf(source, node, limits ? { limits: limitsOf() } : {}) } : {})
})

const toJson = (r: Report, { limits, child }: Shown): JsonObject => ({
  ...(limits === undefined ? {} : { limits }),
  ...(child === undefined ? {} : { children: childrenJson(child) }),
  ...('metadata' in r ? infoJson(r, child !== undefined) : rawJson(r))
})

const toText = (r: Report, shown: Shown): string => ('metadata' in r ? humanInfo(r, shown) : humanRaw(r, shown))

/** A report, and why the image must be refused, if it must. */
const judged = async function* (
  source: Source,
  node: ImageNode
): AsyncGenerator<Failed, readonly [Report, ImageInfo['refused']]> {
  if (node.driver === 'raw') return [rawReport(source, node), undefined]
  const info = yield* wait(namingOthers(source)(run(source, () => readInfo(source.length))))
  yield* get(keepVersion(node, info.metadata))
  return [infoReport(info, fileInfo(source, node)), info.refused]
}

/** An image that must be refused is described as far as it decodes. */
const infoOf = (image: ImageNode, remote: RemoteOptions, form: Form): AsyncGenerator<Failed, void> =>
  using(openPlace(image.file, readAccess(image.driver, image.forceShare), remote), async function* (source) {
    const [report, refused] = yield* judged(source, image)
    const shown = shownWith(form, report, source, image)
    yield* get(form.isJson ? print(jsonText(toJson(report, shown))) : print(toText(report, shown), coloured))
    if (refused !== undefined) yield* get(E.left(cannotOpen(source.name)([refused])))
  })

/** The same for an image and everything below it; nothing is printed where a file of the chain must be refused. */
const infoOfChain = (image: ImageNode, options: OpenOptions, form: Form): AsyncGenerator<Failed, void> =>
  using(openImage(image, options), async function* ({ sources, nodes, chain }) {
    const layers: (readonly [Report, Shown])[] = []
    for (const [depth, source] of sources.entries()) {
      const layer = chain[depth]
      const part = layer?._tag === 'Raw' ? { ...source, length: layer.size } : source
      const node = nodes[depth] ?? image
      const [report, refused] = yield* judged(part, node)
      if (refused !== undefined) yield* get(E.left(cannotOpen(source.name)([refused])))
      layers.push([report, shownWith(form, report, part, node)])
    }
    yield* get(
      form.isJson
        ? print(jsonText(layers.map((layer) => toJson(...layer))))
        : print(layers.map((layer) => toText(...layer)).join('\n'), coloured)
    )
  })

export const info = command({
  args: { image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']) },
  options: {
    output,
    limits: flag('--limits', "print the limits of requests too, which are QEMU 11's"),
    like: likeNewer('print the report'),
    backingChain: flag('--backing-chain', 'print the same for its backing files'),
    allow,
    forceShare,
    remote
  },
  ignored: [ignored['-t']],
  run: ({ image: named }, options) => {
    const form = { isJson: options.output === 'json', limits: options.limits, newer: options.like }
    const given = { ...named, forceShare: options.forceShare || named.forceShare === true }
    return options.backingChain ? infoOfChain(given, options, form) : infoOf(given, options.remote, form)
  }
})
