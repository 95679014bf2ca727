/**
 * Makes the corpus: `node dist/corpus/make.js [--grep TEXT] [--out DIR] [--jobs N]`.
 *
 * Every recipe gives images/NAME.qcow2.gz, companions beside it, and expect/NAME.json; manifest.json lists them.
 * With --grep, only recipes whose name includes the text are made, and the others stay.
 * Exits with 1 if a step or a check did not come out as the recipe says.
 */

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { cook } from './cook.js'
import { sha256 } from '../src/node/conform/suite.js'
import { corpusFolder, manifest, type Manifest } from './load.js'
import type { Recipe } from './recipe.js'
import { recipes } from './recipes/index.js'
import { say } from './run.js'

type Entry = Manifest['images'][number]

/** JSON in which a value that fits on one line is on one line. */
const print = (value: unknown, indent = ''): string => {
  const flat = JSON.stringify(value)
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= 118) return flat
  const deeper = `${indent}  `
  const lines = Array.isArray(value)
    ? value.map((item: unknown) => print(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${print(item, deeper)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${lines.map((line) => deeper + line).join(',\n')}\n${indent}${close}`
}

const writeJson = (path: string, value: unknown): void => {
  writeFileSync(path, `${print(value)}\n`)
}

/** Does the work for all items in order, so many at a time. */
const all = async <A, B>(items: readonly A[], jobs: number, work: (item: A) => Promise<B>): Promise<readonly B[]> => {
  const results: B[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return results
}

/** Makes one image and writes its files; gives its entry in the manifest, or why there is none. */
const make = async (recipe: Recipe, out: string): Promise<E.Either<string, Entry>> => {
  const cooked = await cook(recipe)
  if (E.isLeft(cooked)) return E.left(`${recipe.name}: ${cooked.left}`)
  const { expect, files } = cooked.right
  const packed = [...files].map(([file, bytes]) => ({ file, gz: gzipSync(bytes, { level: 9 }) }))
  for (const { file, gz } of packed) writeFileSync(join(out, 'images', file), gz)
  writeJson(join(out, 'expect', `${recipe.name}.json`), expect)
  return E.right({ name: recipe.name, sha256: sha256(packed[0]?.gz ?? Buffer.alloc(0)) })
}

const sizeOf = (folder: string): number =>
  readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)

const options = {
  grep: { type: 'string', default: '' },
  out: { type: 'string', default: corpusFolder },
  jobs: { type: 'string', default: '2' }
} as const

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options })
  const out = `${resolve(values.out)}/`
  const chosen = recipes.filter(({ name }) => name.includes(values.grep))
  for (const folder of ['images', 'expect'].map((name) => join(out, name))) {
    if (values.grep === '') rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
  }
  const [version = ''] = (await say(out, 'qemu-img', ['--version'])).stdout.split('\n')
  const before = values.grep !== '' && existsSync(join(out, 'manifest.json')) ? manifest(out).images : []
  let done = 0
  const made = await all(chosen, Number(values.jobs), async (recipe) => {
    const result = await make(recipe, out)
    done += 1
    if (E.isLeft(result)) console.error(result.left)
    if (done % 25 === 0 || done === chosen.length) console.log(`${done} of ${chosen.length}`)
    return result
  })
  const entries = new Map(
    [...before, ...made.flatMap((one) => (E.isRight(one) ? [one.right] : []))].map((one) => [one.name, one])
  )
  const images = recipes.flatMap(({ name }) => entries.get(name) ?? [])
  writeJson(join(out, 'manifest.json'), { qemu: version, count: images.length, images } satisfies Manifest)
  const failed = made.filter(E.isLeft).length
  const sizes = ['images', 'expect'].map((name) => `${name} ${sizeOf(join(out, name))} bytes`).join(', ')
  console.log(`${made.length - failed} made, ${failed} failed; ${images.length} in all, ${sizes}`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main()
