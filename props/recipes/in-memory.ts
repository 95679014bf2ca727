/** Makes an image in memory, without QEMU and without files: `node in-memory.js IMAGE` writes it at the end. */
import { writeFileSync } from 'node:fs'
import { portable, runSync, showFailure } from 'qcow2-spec/image'
import { apply, storeOf, toBytes, worldOf } from 'qcow2-spec/store'
import { type AnyCommand, create, open, step } from 'qcow2-spec/transition'

const commands: readonly AnyCommand[] = [
  { _tag: 'Write', at: 0, bytes: new Uint8Array(65536).fill(7) },
  { _tag: 'SnapshotCreate', name: 'before' },
  { _tag: 'WriteZeroes', at: 0, length: 4096, unmap: true },
  { _tag: 'BitmapAdd', name: 'since', granularity: 65536, enabled: true }
]

const made = create({ size: 2 ** 30, clusterBits: 12 })
if (made._tag === 'Left') throw new Error(showFailure(made.left))
let files = apply(made.right)([])
const world = () => worldOf(files, () => undefined)

let done = runSync(open({ backing: [], decompressor: portable }), world())
for (const command of commands) {
  if (done._tag === 'Left') throw new Error(showFailure(done.left))
  files = apply(done.right.writes)(files)
  done = runSync(step(done.right.next, command), world())
}
if (done._tag === 'Left') throw new Error(showFailure(done.left))
files = apply(done.right.writes)(files)
writeFileSync(process.argv[2] ?? 'made.qcow2', toBytes(storeOf(files, { part: 'image', depth: 0 })))
