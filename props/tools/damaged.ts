/**
 * `npm run damaged [-- --each N]`: records QEMU's verdicts on damaged images in corpus/damaged.json.gz.
 * `npm run damaged -- --repairs [--each N] [--first N] [--seed N]`: compares the repairs of damaged images with QEMU's.
 *
 * It prints each difference that has no row, and then ends with exit code 1.
 *
 * Every image of `soundImages` is damaged in N ways, those with the numbers 0 to N - 1; for repairs N damages of each structure.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { QemuFolder } from '../damage/ask.js'
import { damagedImage, damageOf, soundImage } from '../damage/damage.js'
import { editsText } from '../../src/bytes/edit.js'
import { type Kept, keptPath } from '../damage/kept.js'
import { soundImages } from '../damage/sound-images.js'
import { compareRepairs } from '../damage/repair-trial.js'
import { qemu } from '../run/qemu.js'

type Image = Kept['images'][number]

/** The time limit of one answer of QEMU, in milliseconds. */
const patience = 300_000

const asked = async (name: string, each: number): Promise<Image> => {
  const sound = soundImage(name)
  const qemuFolder = new QemuFolder(sound.loaded, patience)
  const damages: Image['damages'][number][] = []
  for (let number = 0; number < each; number++) {
    const { edits } = damageOf(sound, number)
    const { check, map, guest, snapshot } = (await qemuFolder.ask(damagedImage(sound.loaded, edits))).verdict
    damages.push([editsText(edits), check, map, guest, snapshot])
  }
  qemuFolder.close()
  return { name, sha256: sound.loaded.expect.sha256, damages }
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      each: { type: 'string', default: '120' },
      repairs: { type: 'boolean', default: false },
      first: { type: 'string', default: '0' },
      seed: { type: 'string', default: '0' }
    }
  })
  if (qemu === undefined) throw new Error('there is no qemu-img on the PATH')
  if (values.repairs) {
    const { counts, faults } = await compareRepairs(Number(values.each), Number(values.first), Number(values.seed))
    for (const [key, n] of counts) console.log(`${n} ${key}`)
    for (const fault of faults) console.log(fault)
    process.exitCode = faults.length === 0 ? 0 : 1
    return
  }
  const images = new Map<string, Image>()
  const waiting = soundImages.values()
  const work = async (): Promise<void> => {
    for (const name of waiting) {
      images.set(name, await asked(name, Number(values.each)))
      console.log(`${images.size} of ${soundImages.length}: ${name}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  const kept: Kept = { qemu, images: soundImages.flatMap((name) => images.get(name) ?? []) }
  const packed = gzipSync(JSON.stringify(kept), { level: 9 })
  writeFileSync(keptPath, packed)
  console.log(`${soundImages.length * Number(values.each)} damaged images, ${packed.length} bytes`)
}

await main()
