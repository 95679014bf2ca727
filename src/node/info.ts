/** `qcow2 info`: what an image is. */
import * as E from 'fp-ts/lib/Either.js'
import type { JsonObject } from '../bytes/json.js'
import { sectorSize } from '../format/limits.js'
import { type Facts, type FileFacts, infoJson, readFacts } from '../image/info.js'
import { failed, fail, ok, refusalLine, withSource } from './command.js'
import { pathFrom } from './follow.js'
import { humanInfo, humanRaw } from './info-text.js'
import { withChain } from './open.js'
import { complain, print } from './output.js'
import { openSource, type Source } from './source.js'
import { run } from './world.js'

/** Prints what is known of an image; the exit code is 1 when it must be refused. */
export const report = (facts: Facts, file: Omit<FileFacts, 'fullName'>, json: boolean): number => {
  const value = infoJson(facts, { ...file, fullName: (path) => pathFrom(file.filename, path) })
  print(json ? `${JSON.stringify(value, null, 4)}\n` : humanInfo(value))
  if (facts.refused === undefined) return ok
  complain(refusalLine(file.filename, [facts.refused]))
  return failed
}

/** The command. */
export const info = (name: string, json: boolean, raw = false): Promise<number> =>
  withSource(name, async (source) => {
    if (raw) {
      const value = rawJson(source)
      print(json ? `${JSON.stringify(value, null, 4)}\n` : humanRaw(value))
      return ok
    }
    const { world, length, actualSize } = source
    const facts = await run(world, readFacts)
    if (E.isLeft(facts)) return fail(refusalLine(name, facts.left))
    const file = { filename: name, length, ...(actualSize === undefined ? {} : { actualSize }) }
    return report(facts.right, file, json)
  })

const rawJson = ({ name, length, actualSize }: Source): JsonObject => ({
  'virtual-size': Math.ceil(length / sectorSize) * sectorSize,
  filename: name,
  format: 'raw',
  ...(actualSize === undefined ? {} : { 'actual-size': actualSize }),
  'dirty-flag': false
})

const layerJson = async (source: Source, raw: boolean): Promise<E.Either<string, JsonObject>> => {
  if (raw) return E.right(rawJson(source))
  const { name, length, actualSize } = source
  const facts = await run(source.world, readFacts)
  if (E.isLeft(facts)) return E.left(refusalLine(name, facts.left))
  if (facts.right.refused !== undefined) return E.left(refusalLine(name, [facts.right.refused]))
  const file = { filename: name, length, ...(actualSize === undefined ? {} : { actualSize }) }
  return E.right(infoJson(facts.right, { ...file, fullName: (path) => pathFrom(name, path) }))
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
    print(json ? `${JSON.stringify(layers, null, 4)}\n` : texts.join('\n'))
    return ok
  })
