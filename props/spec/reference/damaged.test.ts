/** The reference agrees with QEMU on damaged images, and with the package on generated ones. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { holds } from '../../run/holds.js'
import { QemuFolder } from '../../damage/ask.js'
import { imageOf, sketches } from '../../damage/generated.js'
import { eachKept } from '../../damage/kept.js'
import { referenceVerdict } from '../../damage/reference.js'
import { Tally } from '../../damage/tally.js'
import { ours, type Subject, type Verdict } from '../../damage/verdict.js'
import { needsQemu, qemu } from '../../run/qemu.js'
import { drawFromEnvironment } from '../../run/seed.js'
import { note, suite } from '../../run/suite.js'

const test = suite('reference, damaged')

test('on every damaged image that it opens, the reference gives the verdict of qemu-img', () => {
  const tally = new Tally()
  let opened = 0
  const share = Math.min(1, drawFromEnvironment().runs)
  for (const { name, image, said } of eachKept(share)) {
    const own = referenceVerdict(image)
    tally.hold(name, image, said, own)
    opened += Number(own.check !== undefined)
  }
  assert.ok(opened > 3500 * share)
  note(`${opened} damaged images. ${tally.text()}`)
})

/** The verdict of the package, where the reference has one too, and that of the reference. */
const both = (image: Subject): { readonly own: Partial<Verdict>; readonly reference: Partial<Verdict> } => {
  const reference = referenceVerdict(image)
  const all = ours(image)
  const own = { ...reference, ...Object.fromEntries(Object.entries(all).filter(([key]) => key in reference)) }
  return { own, reference }
}

test('reader, map and checker agree with the reference on generated images', () => {
  const checks = new Map<string, number>()
  holds(
    fc.property(sketches, (sketch) => {
      const { own, reference } = both(imageOf(sketch))
      assert.equal(own, reference)
      const exit = reference.check?.split(' ', 1).join() ?? 'none'
      checks.set(exit, (checks.get(exit) ?? 0) + 1)
    }),
    { runs: 400 }
  )
  const found = [...checks].sort().map(([exit, n]) => `exit ${exit} ${n}`)
  note(`generated images: ${found.join(', ')}`)
})

/** The number of generated images that are compared with QEMU. */
const sample = 40

needsQemu(test)('qemu-img gives the same verdict on generated images', async () => {
  const { seed, runs } = drawFromEnvironment()
  const tally = new Tally()
  const drawn = fc.sample(sketches, { seed, numRuns: Math.ceil(sample * runs) })
  for (const sketch of drawn) {
    const image = imageOf(sketch)
    const qemuFolder = new QemuFolder(image)
    tally.hold(JSON.stringify(sketch), image, (await qemuFolder.ask(image)).verdict, ours(image))
    qemuFolder.close()
  }
  note(`${drawn.length} generated images, ${qemu ?? ''}. ${tally.text()}`)
})

test.run()
