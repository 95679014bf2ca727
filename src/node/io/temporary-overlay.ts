/** Temporary overlays: they take the writes to an image, and are deleted when they are closed. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { chainSize } from '../../image/guest/chain.js'
import { create } from '../../transition/create/create.js'
import { actOnEach, because, get, onLeft, task, wait } from '../command-error.js'
import { newImage } from '../files/new-image.js'
import { addPartial, dropPartial } from '../files/partial.js'
import type { ImageNode } from '../images/image-node.js'
import { openForWriting } from '../images/locked-image.js'
import { openImage } from '../images/open.js'
import { localWorld } from './local-world.js'

/** Makes an image without a backing file. */
const makeImage = task(async function* (path: string, size: number) {
  const writes = yield* get(E.mapLeft(because(`Could not create '${path}'`, path))(create({ size })))
  const image = yield* wait(newImage(path, {}))
  const made = E.chain(() => image.publish())(actOnEach(writes, image.perform))
  yield* get(onLeft(image.discard)(made))
})

/** Opens an overlay over an image, which is opened for reading only. Once it is open it has no name. */
export const openTemporaryOverlay = task(async function* (image: ImageNode, allow: readonly string[]) {
  const opening = yield* wait(openImage(image, { allow }))
  opening.close()
  yield* get(localWorld(opening))
  const path = join(tmpdir(), `qcow2-${randomBytes(6).toString('hex')}.overlay`)
  addPartial(path)
  const { secrets, discards } = image
  const own = { ...(secrets === undefined ? {} : { secrets }), ...(discards === undefined ? {} : { discards }) }
  const node: ImageNode = { driver: 'qcow2', file: { name: path }, backing: image, ...own }
  const made = await makeImage(path, chainSize(opening.chain))()
  const opened = E.isLeft(made) ? made : await openForWriting(node, { allow })()
  rmSync(path, { force: true })
  dropPartial(path)
  return yield* get(opened)
})
