/** `qcow2 info`: what an image is. */
import * as E from 'fp-ts/lib/Either.js'
import { integerToJson, type Json, type JsonObject } from '../../bytes/json.js'
import { sectorSize } from '../../format/limits.js'
import { type Facts, type FileFacts, infoReport, type InfoReport, readFacts } from '../../image/info.js'
import { infoJson } from '../../image/info-json.js'
import { complain, fail, failed, ok, print } from '../files/output.js'
import { refusalLine, withSource } from '../images/usable.js'
import { pathFrom } from '../images/follow.js'
import { type Heading, humanInfo, humanRaw } from '../text/info-text.js'
import { withChain } from '../images/open.js'
import { openSource, type Source } from '../files/source.js'
import { run } from '../files/world.js'

/** What is known of a file beside its bytes. */
const fileFacts = ({ name, length, actualSize }: Pick<Source, 'name' | 'length' | 'actualSize'>): FileFacts => ({
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

const jsonText = (value: Json): string => `${JSON.stringify(value, null, 4)}\n`

/** Prints what is known of an image; the exit code is 1 when it must be refused. */
export const report = (facts: Facts, source: Parameters<typeof fileFacts>[0], json: boolean): number => {
  const value = infoReport(facts, fileFacts(source))
  print(json ? jsonText(toJson(value)) : toText(value))
  if (facts.refused === undefined) return ok
  complain(refusalLine(source.name, [facts.refused]))
  return failed
}

/** The command. */
export const info = (name: string, json: boolean, raw = false): Promise<number> =>
  withSource(name, async (source) => {
    if (raw) {
      const value = rawReport(source)
      print(json ? jsonText(toJson(value)) : toText(value))
      return ok
    }
    const facts = await run(source.world, readFacts)
    return E.isLeft(facts) ? fail(refusalLine(name, facts.left)) : report(facts.right, source, json)
  })

const layerReport = async (source: Source, raw: boolean): Promise<E.Either<string, Report>> => {
  if (raw) return E.right(rawReport(source))
  const facts = await run(source.world, readFacts)
  if (E.isLeft(facts)) return E.left(refusalLine(source.name, facts.left))
  const { refused } = facts.right
  return refused === undefined
    ? E.right(infoReport(facts.right, fileFacts(source)))
    : E.left(refusalLine(source.name, [refused]))
}

/** The same for an image and everything below it; nothing is printed where a file of the chain cannot be opened. */
export const infoChain = (image: string, allow: readonly string[], json: boolean): Promise<number> =>
  withChain(image, { allow }, async ({ names, chain }) => {
    const layers: Report[] = []
    for (const [depth, name] of names.entries()) {
      const source = await openSource(name)
      if (E.isLeft(source)) return fail(source.left)
      const layer = await layerReport(source.right, chain[depth]?._tag === 'Raw')
      source.right.close()
      if (E.isLeft(layer)) return fail(layer.left)
      layers.push(layer.right)
    }
    print(json ? jsonText(layers.map(toJson)) : layers.map(toText).join('\n'))
    return ok
  })
