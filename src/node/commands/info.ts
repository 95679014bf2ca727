/** `qcow2 info`: what an image is. */
import * as E from 'fp-ts/lib/Either.js'
import type { Json, JsonObject } from '../../bytes/json.js'
import { sectorSize } from '../../format/limits.js'
import { type Facts, type FileFacts, infoJson, readFacts } from '../../image/info.js'
import { complain, fail, failed, ok, print } from '../files/output.js'
import { refusalLine, withSource } from '../images/usable.js'
import { pathFrom } from '../images/follow.js'
import { humanInfo, humanRaw } from '../text/info-text.js'
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

const jsonText = (value: Json): string => `${JSON.stringify(value, null, 4)}\n`

/** Prints what is known of an image; the exit code is 1 when it must be refused. */
export const report = (facts: Facts, source: Parameters<typeof fileFacts>[0], json: boolean): number => {
  const value = infoJson(facts, fileFacts(source))
  print(json ? jsonText(value) : humanInfo(value))
  if (facts.refused === undefined) return ok
  complain(refusalLine(source.name, [facts.refused]))
  return failed
}

const rawJson = ({ name, length, actualSize }: Source): JsonObject => ({
  'virtual-size': Math.ceil(length / sectorSize) * sectorSize,
  filename: name,
  format: 'raw',
  ...(actualSize === undefined ? {} : { 'actual-size': actualSize }),
  'dirty-flag': false
})

/** The command. */
export const info = (name: string, json: boolean, raw = false): Promise<number> =>
  withSource(name, async (source) => {
    if (raw) {
      const value = rawJson(source)
      print(json ? jsonText(value) : humanRaw(value))
      return ok
    }
    const facts = await run(source.world, readFacts)
    return E.isLeft(facts) ? fail(refusalLine(name, facts.left)) : report(facts.right, source, json)
  })

const layerJson = async (source: Source, raw: boolean): Promise<E.Either<string, JsonObject>> => {
  if (raw) return E.right(rawJson(source))
  const facts = await run(source.world, readFacts)
  if (E.isLeft(facts)) return E.left(refusalLine(source.name, facts.left))
  const { refused } = facts.right
  return refused === undefined
    ? E.right(infoJson(facts.right, fileFacts(source)))
    : E.left(refusalLine(source.name, [refused]))
}

/** The same for an image and everything below it; nothing is printed where a file of the chain cannot be opened. */
export const infoChain = (image: string, allow: readonly string[], json: boolean): Promise<number> =>
  withChain(image, { allow }, async ({ names, chain }) => {
    const layers: JsonObject[] = []
    for (const [depth, name] of names.entries()) {
      const source = await openSource(name)
      if (E.isLeft(source)) return fail(source.left)
      const layer = await layerJson(source.right, chain[depth]?._tag === 'Raw')
      source.right.close()
      if (E.isLeft(layer)) return fail(layer.left)
      layers.push(layer.right)
    }
    const texts = layers.map((l) => (l['format'] === 'raw' ? humanRaw(l) : humanInfo(l)))
    print(json ? jsonText(layers) : texts.join('\n'))
    return ok
  })
