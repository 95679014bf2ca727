/** Of damaged images check, map and reader say what QEMU says, but where they are meant to differ. */
import * as assert from 'uvu/assert'
import { loadExpect } from '../../corpus/load.js'
import { Ward } from './ask.js'
import { damagedImage, damageOf, patientOf } from './damage.js'
import { differences } from './differences.js'
import { editsText } from './edit.js'
import { eachKept, kept } from './kept.js'
import { patients } from './patients.js'
import { Tally } from './tally.js'
import { ours } from './verdict.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { drawFromEnvironment } from '../run/seed.js'
import { note, suite } from '../run/suite.js'

const test = suite('damaged')
const withQemu = needsQemu(test)

test('the kept verdicts are of the images of the corpus', () => {
  const { images } = kept()
  assert.equal(
    images.map(({ name }) => name),
    patients
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
  const each = Math.floor((sample * runs) / patients.length)
  const waiting = patients.values()
  const work = async (): Promise<void> => {
    for (const name of waiting) {
      const patient = patientOf(name)
      const ward = new Ward(patient.loaded)
      for (let i = 0; i < each; i++) {
        const { edits } = damageOf(patient, beyond + i, seed)
        const image = damagedImage(patient.loaded, edits)
        tally.hold(`${name}, ${editsText(edits)}`, image, (await ward.ask(image)).verdict, ours(image))
      }
      ward.close()
    }
  }
  await Promise.all([work(), work()])
  note(`${each * patients.length} more, ${qemu ?? ''}. ${tally.text()}`)
  assert.ok(tally.late < 5, `${tally.late} answers late`)
})

test.run()
