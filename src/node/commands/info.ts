/** `qcow2 info`: what an image is. */
import * as E from 'fp-ts/lib/Either.js'
import { integerToJson, type JsonObject } from '../../bytes/json.js'
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
import type { ImageNode } from '../images/image-node.js'
import { openImage, type OpenOptions } from '../images/open.js'
import { type Heading, humanInfo, humanRaw } from '../text/info-text.js'
import { command, flag } from './command.js'
import { allow, forceShare, image, output, remote } from './options.js'

/** What is known of a file beside its bytes. */
const fileInfo = ({ name, length, actualSize }: Source): FileInfo => ({
  filename: name,
  length,
  ...(actualSize === undefined ? {} : { actualSize }),
  fullName: (path) => pathFrom(name, path)
})

/** A report on an image, or on a raw file. */
type Report = InfoReport | Heading

const rawReport = ({ name, length, actualSize }: Source): Heading => ({
  filename: name,
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

const toJson = (r: Report): JsonObject => ('metadata' in r ? infoJson(r) : rawJson(r))
const toText = (r: Report): string => ('metadata' in r ? humanInfo(r) : humanRaw(r))

/** A report, and why the image must be refused, if it must. */
const judged = async function* (
  source: Source,
  node: ImageNode
): AsyncGenerator<Failed, readonly [Report, ImageInfo['refused']]> {
  if (node.driver === 'raw') return [rawReport(source), undefined]
  const info = yield* wait(namingOthers(source)(run(source, () => readInfo(source.length))))
  yield* get(keepVersion(node, info.metadata))
  return [infoReport(info, fileInfo(source)), info.refused]
}

/** An image that must be refused is described as far as it decodes. */
const infoOf = (image: ImageNode, remote: RemoteOptions, isJson: boolean): AsyncGenerator<Failed, void> =>
  using(openPlace(image.file, readAccess(image.driver, image.forceShare), remote), async function* (source) {
    const [report, refused] = yield* judged(source, image)
    yield* get(print(isJson ? jsonText(toJson(report)) : toText(report)))
    if (refused !== undefined) yield* get(E.left(cannotOpen(source.name)([refused])))
  })

/** The same for an image and everything below it; nothing is printed where a file of the chain must be refused. */
const infoOfChain = (image: ImageNode, options: OpenOptions, isJson: boolean): AsyncGenerator<Failed, void> =>
  using(openImage(image, options), async function* ({ sources, nodes }) {
    const layers: Report[] = []
    for (const [depth, source] of sources.entries()) {
      const [report, refused] = yield* judged(source, nodes[depth] ?? image)
      if (refused !== undefined) yield* get(E.left(cannotOpen(source.name)([refused])))
      layers.push(report)
    }
    yield* get(print(isJson ? jsonText(layers.map(toJson)) : layers.map(toText).join('\n')))
  })

export const info = command({
  args: { image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']) },
  options: {
    output,
    backingChain: flag('--backing-chain', 'print the same for its backing files'),
    allow,
    forceShare,
    remote
  },
  run: ({ image: named }, options) => {
    const isJson = options.output === 'json'
    const given = { ...named, forceShare: options.forceShare || named.forceShare === true }
    return options.backingChain ? infoOfChain(given, options, isJson) : infoOf(given, options.remote, isJson)
  }
})
