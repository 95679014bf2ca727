/** What the repository has about each clause: places in the code and in the tests, vectors, scripts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { loadVectors, type Vector } from '../../../src/node/conform/index.js'

/** The folder of the package, with a slash at its end. */
const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** The path of a file of the package. */
export const pathOf = (path: string): string => join(root, path)

export const textOf = (path: string): string => readFileSync(pathOf(path), 'utf8')

/** The built page of the explorer. */
export const explorerPage = (): string =>
  readFileSync(new URL('../../../src/explorer/explorer.html', import.meta.url), 'utf8')

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort()

/** The files that name each clause. */
const naming = (paths: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>()
  for (const path of paths)
    for (const id of new Set(Array.from(textOf(path).matchAll(/\b[A-Z][A-Z0-9]*-\d\d\b/g), ([match]) => match))) {
      const files = found.get(id) ?? []
      files.push(path)
      found.set(id, files)
    }
  return found
}

/** The files of src that carry a clause. */
export const code = naming(filesBelow('src'))

/** The tests and tables of tests that name a clause. */
export const tests = naming(filesBelow('props').filter((path) => !path.startsWith('props/tools')))

/** The conformance vectors of this package. */
export const vectors: readonly Vector[] = (() => {
  const all = loadVectors()
  return E.isRight(all) ? all.right.vectors : []
})()
