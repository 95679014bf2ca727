/** An image with every structure that one image can have: written by commands, with clusters of 512 bytes. */
import { isLeft } from 'fp-ts/lib/Either.js'
import { runSync } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import { apply, storeOf, toBytes, worldOf } from '../../../src/store/index.js'
import { type AnyCommand, create, open, step } from '../../../src/transition/index.js'

const bytesOf = (word: string, length: number): Uint8Array =>
  new TextEncoder().encode(word.repeat(length / word.length))

const commands: readonly AnyCommand[] = [
  { _tag: 'Write', at: 0, bytes: bytesOf('guest   ', 2048) },
  { _tag: 'WriteCompressed', at: 4096, bytes: bytesOf('compress', 512) },
  { _tag: 'WriteZeroes', at: 6144, length: 1024, unmap: false },
  { _tag: 'SnapshotCreate', name: 'monday', seconds: 1_800_000_000 },
  { _tag: 'BitmapAdd', name: 'backup', granularity: 512, enabled: true },
  { _tag: 'Write', at: 512, bytes: bytesOf('newer   ', 512) }
]

/** The bytes of the image. */
export const exampleImage = (): Uint8Array => {
  const made = create({ size: 65536, clusterBits: 9 })
  if (isLeft(made)) throw new Error('the example is not created')
  let files = apply(made.right)([])
  const world = () => worldOf(files, () => undefined)
  let done = runSync(open({ backing: [], decompressor: portable }), world())
  for (const command of [...commands, undefined]) {
    if (isLeft(done)) throw new Error('the example is not written')
    files = apply(done.right.writes)(files)
    if (command !== undefined) done = runSync(step(done.right.next, command), world())
  }
  return toBytes(storeOf(files, { part: 'image', depth: 0 }))
}
