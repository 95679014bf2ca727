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
import { cannotOpen, type RemoteOptions, run, type Source } from '../files/source.js'
import { pathFrom } from '../images/follow.js'
import { namingOthers } from '../images/not-qcow2.js'
import { keepVersion } from '../images/below.js'
import { type ImageNode, nodeName } from '../images/image-node.js'
import { openImage, type OpenOptions } from '../images/open.js'
import { coloured } from '../text/colours.js'
import { type Heading, humanInfo, humanRaw } from '../text/info-text.js'
import { command, flag } from './command.js'
import { allow, forceShare, ignored, image, output, remote } from './options.js'

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
}

/** The limits of requests to an image in QEMU 11, with the cache of the host: sizes in bytes, which are those of the pages of memory too. */
const limitsOf = (r: Report): JsonObject => {
  const g = 'metadata' in r ? r.metadata.geometry : undefined
  return {
    ...(g === undefined ? {} : { 'write-zeroes-alignment': grainSize(g) }),
    'request-alignment': 'metadata' in r && r.metadata.header.cryptMethod !== 0 ? sectorSize : 1,
    'min-mem-alignment': 1,
    ...(g === undefined ? {} : { 'discard-alignment': clusterSize(g) }),
    'opt-mem-alignment': 4096,
    'max-iov': 1024
  }
}

const toJson =
  (limits: boolean) =>
  (r: Report): JsonObject => ({
    ...(limits ? { limits: limitsOf(r) } : {}),
    ...('metadata' in r ? infoJson(r) : rawJson(r))
  })

const toText =
  (limits: boolean) =>
  (r: Report): string => {
    const shown = limits ? limitsOf(r) : undefined
    return 'metadata' in r ? humanInfo(r, shown) : humanRaw(r, shown)
  }

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
const infoOf = (image: ImageNode, remote: RemoteOptions, { isJson, limits }: Form): AsyncGenerator<Failed, void> =>
  using(openPlace(image.file, readAccess(image.driver, image.forceShare), remote), async function* (source) {
    const [report, refused] = yield* judged(source, image)
    yield* get(isJson ? print(jsonText(toJson(limits)(report))) : print(toText(limits)(report), coloured))
    if (refused !== undefined) yield* get(E.left(cannotOpen(source.name)([refused])))
  })

/** The same for an image and everything below it; nothing is printed where a file of the chain must be refused. */
const infoOfChain = (image: ImageNode, options: OpenOptions, { isJson, limits }: Form): AsyncGenerator<Failed, void> =>
  using(openImage(image, options), async function* ({ sources, nodes, chain }) {
    const layers: Report[] = []
    for (const [depth, source] of sources.entries()) {
      const layer = chain[depth]
      const part = layer?._tag === 'Raw' ? { ...source, length: layer.size } : source
      const [report, refused] = yield* judged(part, nodes[depth] ?? image)
      if (refused !== undefined) yield* get(E.left(cannotOpen(source.name)([refused])))
      layers.push(report)
    }
    yield* get(
      isJson ? print(jsonText(layers.map(toJson(limits)))) : print(layers.map(toText(limits)).join('\n'), coloured)
    )
  })

export const info = command({
  args: { image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']) },
  options: {
    output,
    limits: flag('--limits', "print the limits of requests too, which are QEMU 11's"),
    backingChain: flag('--backing-chain', 'print the same for its backing files'),
    allow,
    forceShare,
    remote
  },
  ignored: [ignored['-t']],
  run: ({ image: named }, options) => {
    const form = { isJson: options.output === 'json', limits: options.limits }
    const given = { ...named, forceShare: options.forceShare || named.forceShare === true }
    return options.backingChain ? infoOfChain(given, options, form) : infoOf(given, options.remote, form)
  }
})
