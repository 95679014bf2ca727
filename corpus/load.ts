/** Reads the corpus back, for the tests. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { Expect } from './expect.js'
import { imageName } from './recipe.js'

/** QEMU's version, and of every image its name and the digest of its compressed file. */
export const Manifest = t.type({
  qemu: t.string,
  count: t.number,
  images: t.readonlyArray(t.type({ name: t.string, sha256: t.string }))
})
export type Manifest = t.TypeOf<typeof Manifest>

/** The folder of the corpus in the repository, seen from dist/corpus/. */
export const corpusFolder = fileURLToPath(new URL('../../corpus/', import.meta.url))

const readJson = <A>(type: t.Decoder<unknown, A>, path: string): A => {
  const decoded = type.decode(JSON.parse(readFileSync(path, 'utf8')))
  if (E.isLeft(decoded)) throw new Error(`${path}: ${PathReporter.report(decoded).join('\n')}`)
  return decoded.right
}

export const manifest = (folder = corpusFolder): Manifest => readJson(Manifest, `${folder}manifest.json`)

/** The names of all images, in the order of the recipes. */
export const names = (): readonly string[] => manifest().images.map(({ name }) => name)

/** The bytes of a file as it is kept. */
export const packed = (file: string): Buffer => readFileSync(`${corpusFolder}images/${file}`)

export interface Loaded {
  readonly expect: Expect
  readonly image: Uint8Array
  /** The image and its companions by the names they refer to each other with. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** What qemu-img says about an image, without the image. */
export const loadExpect = (name: string): Expect => readJson(Expect, `${corpusFolder}expect/${name}.json`)

export const load = (name: string): Loaded => {
  const expect = loadExpect(name)
  const files = new Map(
    Object.entries(expect.files).map(([file, kept]) => [file, new Uint8Array(gunzipSync(packed(kept)))])
  )
  return { expect, image: files.get(imageName) ?? new Uint8Array(), files }
}
