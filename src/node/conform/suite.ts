/** The vectors of the package, and their files. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, commandError, reason } from '../command-error.js'
import { edited, editsOf } from '../../bytes/edit.js'
import { type Vector, Vectors } from './vector.js'

/** The image of a vector, in its folder. */
export const imageName = 'img.qcow2'

/** The folder of the corpus: the command is one file, which lies one folder higher than this module. */
const corpus =
  ['../../../corpus/', '../../../../corpus/']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'vectors'))) ?? ''

/** The SHA-256 of bytes, in hexadecimal. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const attempt = <A>(what: string, work: () => A): E.Either<CommandError, A> =>
  E.tryCatch(work, (error) => commandError(`${what}: ${reason(error)}`))

/**
 * All vectors of the package, from its vectors.json.
 *
 * @example
 * import { loadVectors } from 'qcow2-spec/vectors'
 * import * as assert from 'node:assert/strict'
 *
 * const all = loadVectors()
 * const vectors = all._tag === 'Right' ? all.right.vectors : []
 * assert.ok(vectors.some(({ id, result }) => id === 'cluster-bits-8' && result === 'invalid'))
 */
export const loadVectors = (): E.Either<CommandError, Vectors> => {
  const what = 'Could not read the vectors of this package'
  return E.chain((json: unknown) => {
    const decoded = Vectors.decode(json)
    const place = (decoded._tag === 'Left' ? (decoded.left[0]?.context ?? []) : []).map(({ key }) => key).join('/')
    return E.isRight(decoded) ? decoded : E.left(commandError(`${what}: ${place} is not what it must be`))
  })(attempt(what, (): unknown => JSON.parse(readFileSync(join(corpus, 'vectors', 'vectors.json'), 'utf8'))))
}

const unpacked = new Map<string, Uint8Array>()

const unpack = (packed: string): Uint8Array => {
  const known = unpacked.get(packed)
  if (known !== undefined) return known
  const bytes = new Uint8Array(gunzipSync(readFileSync(join(corpus, packed))))
  if (bytes.length < 2 ** 20) unpacked.set(packed, bytes)
  return bytes
}

/**
 * The files of a vector, by name: the image, `img.qcow2`, and those beside it. Their bytes are what the verdict is on.
 *
 * @example
 * import { filesOf, loadVectors } from 'qcow2-spec/vectors'
 * import { header } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const all = loadVectors()
 * const [first] = all._tag === 'Right' ? all.right.vectors : []
 * const files = first === undefined ? first : filesOf(first)
 * const image = files?._tag === 'Right' ? files.right.get('img.qcow2') : undefined
 * assert.ok(image !== undefined && header.decode(image)._tag === 'Right')
 */
export const filesOf = (vector: Vector): E.Either<CommandError, ReadonlyMap<string, Uint8Array>> =>
  E.chain((files: ReadonlyMap<string, Uint8Array>) =>
    sha256(files.get(imageName) ?? new Uint8Array()) === vector.sha256
      ? E.right(files)
      : E.left(commandError(`The image of vector ${vector.id} is not the one that its verdict is on`))
  )(
    attempt(
      `Could not make the files of vector ${vector.id}`,
      () =>
        new Map(
          Object.entries(vector.files).map(([name, { packed, edits = '' }]) => {
            const changes = editsOf(edits)
            return [name, E.isRight(changes) ? edited(unpack(packed), changes.right) : unpack(packed)]
          })
        )
    )
  )

/** Writes the files of a vector into a folder, which it makes. */
export const writeFiles = (vector: Vector, folder: string): E.Either<CommandError, void> =>
  E.chain((files: ReadonlyMap<string, Uint8Array>) =>
    attempt(`Could not write the files of vector ${vector.id}`, () => {
      mkdirSync(folder, { recursive: true })
      for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
    })
  )(filesOf(vector))
