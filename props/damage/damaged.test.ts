/** Of damaged images check, map and reader say what QEMU says, but where they are meant to differ. */
import * as assert from 'uvu/assert'
import { loadExpect } from '../../corpus/load.js'
import { QemuFolder } from './ask.js'
import { damagedImage, damageOf, soundImage } from './damage.js'
import { differences } from './differences.js'
import { editsText } from '../../src/bytes/edit.js'
import { eachKept, kept } from './kept.js'
import { soundImages } from './sound-images.js'
import { Tally } from './tally.js'
import { ours } from './verdict.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { drawFromEnvironment } from '../run/seed.js'
import { note, suite } from '../run/suite.js'

const test = suite('damaged')
const withQemu = needsQemu(test)

test('every recorded verdict is of an image of the corpus', () => {
  const { images } = kept()
  assert.equal(
    images.map(({ name }) => name),
    soundImages
  )
  for (const { name, sha256 } of images)
    assert.is(loadExpect(name).sha256, sha256, `${name} is another image now: npm run damaged asks anew`)
})

test('every answer is that of qemu-img, but for differences that have a row, and every row is needed', () => {
  const tally = new Tally()
  const share = Math.min(1, drawFromEnvironment().runs)
  let count = 0
  for (const { name, image, said } of eachKept(share)) {
    tally.hold(name, image, said, ours(image))
    count++
  }
  const idle = differences.filter(({ clause }) => !tally.used().includes(clause))
  assert.equal(share < 1 ? [] : idle, [], 'rows that explain nothing')
  assert.ok(count >= 4900 * share)
  note(`${count} damaged images. ${tally.text()}`)
})

/** Damages that a run asks QEMU about, and where their numbers start: behind those that are kept. */
const sample = 310
const beyond = 1000

withQemu('qemu-img says the same of damages that were never asked about before', async () => {
  const { seed, runs } = drawFromEnvironment()
  const tally = new Tally()
  const each = Math.floor((sample * runs) / soundImages.length)
  const waiting = soundImages.values()
  const work = async (): Promise<void> => {
    for (const name of waiting) {
      const sound = soundImage(name)
      const qemuFolder = new QemuFolder(sound.loaded)
      for (let i = 0; i < each; i++) {
        const { edits } = damageOf(sound, beyond + i, seed)
        const image = damagedImage(sound.loaded, edits)
        tally.hold(`${name}, ${editsText(edits)}`, image, (await qemuFolder.ask(image)).verdict, ours(image))
      }
      qemuFolder.close()
    }
  }
  await Promise.all([work(), work()])
  note(`${each * soundImages.length} more, ${qemu ?? ''}. ${tally.text()}`)
  assert.ok(tally.late < 5, `${tally.late} answers late`)
})

test.run()
