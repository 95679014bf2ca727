/** The readers of this package: the library with decoders, and the reference. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { readGuest as referenceGuest } from '../../spec/reference/reader.js'
import { chainSize } from '../../src/image/guest/chain.js'
import { type Decompressor, readGuest } from '../../src/image/index.js'
import { imageName } from '../../src/node/conform/suite.js'
import { openChain, run } from '../../src/node/index.js'
import { imageOf, tools } from '../spec/reference/corpus.js'

/** The disk of the image in a folder, or why it is refused. */
export type ReadFolder = (folder: string) => Promise<E.Either<string, Uint8Array>>

/** The disk as the library reads it with some decoders, with backing files in the same folder, which becomes the current one: json: names are relative to that. */
export const withDecoders =
  (decoders: Decompressor): ReadFolder =>
  async (folder) => {
    process.chdir(folder)
    const opened = await openChain(imageName)()
    if (E.isLeft(opened)) return E.left(opened.left.message)
    const { chain } = opened.right
    const bytes = await run(opened.right, () => readGuest(chain, 0, chainSize(chain), decoders))()
    return E.isLeft(bytes) ? E.left(JSON.stringify(bytes.left)) : bytes
  }

/** The disk as the reference reads it. */
export const withReference: ReadFolder = async (folder) => {
  const files = new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]))
  const opened = imageOf(files, files.get(imageName) ?? new Uint8Array())
  return Promise.resolve(referenceGuest(opened, 0, opened.size, tools))
}
