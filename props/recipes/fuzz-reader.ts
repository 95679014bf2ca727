/** Looks for images on which a reader dies or hangs: `node fuzz-reader.js qemu-img info` appends the image to the command. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { arbitraryShape } from 'qcow2-spec/arbitraries'
import { apply, storeOf, toBytes } from 'qcow2-spec/store'
import { create } from 'qcow2-spec/transition'

const [command = 'true', ...words] = process.argv.slice(2)
const image = join(mkdtempSync(join(tmpdir(), 'fuzz-')), 'img.qcow2')

const images = arbitraryShape.map(({ options }) => {
  const made = create(options)
  return made._tag === 'Left'
    ? new Uint8Array(512)
    : toBytes(storeOf(apply(made.right)([]), { part: 'image', depth: 0 }))
})
const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 8 })
fc.assert(
  fc.property(images, damage, (bytes, changes) => {
    for (const { at, byte } of changes) bytes[at % bytes.length] = byte
    writeFileSync(image, bytes)
    const { signal, error } = spawnSync(command, [...words, image], { timeout: 5000, stdio: 'ignore' })
    return signal === null && error === undefined // an exit code is an answer
  }),
  { numRuns: 200, interruptAfterTimeLimit: 60_000 }
)
