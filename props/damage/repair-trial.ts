/** Repairs compared: damages of each kind in turn, repaired by this package and by QEMU. */
import * as assert from 'uvu/assert'
import { QemuFolder } from './ask.js'
import { damagedImage, damageOf, soundImage, type SoundImage } from './damage.js'
import { editsText } from '../../src/bytes/edit.js'
import { comparisonOf, explainedRepair, hasChangedData } from './repair-differences.js'
import { repairOf, withImage } from './repairs.js'
import { soundImages } from './sound-images.js'
import { ours } from './verdict.js'

/** The structure that edits of a kind damage. */
const structureOf = ([first]: SoundImage['possible'][number]): string => first?.name.split(':', 1)[0] ?? ''

interface Trial {
  readonly sound: SoundImage
  readonly structure: string
  readonly number: number
}

/** `each` damages of every structure, from the `first` on, of the images that have it by turns. */
const trials = (each: number, first: number): readonly Trial[] => {
  const sounds = soundImages.map(soundImage)
  const structures = [...new Set(sounds.flatMap(({ possible }) => possible.map(structureOf)))]
  return structures.flatMap((structure) => {
    const holders = sounds.filter(({ possible }) => possible.some((edits) => structureOf(edits) === structure))
    return Array.from({ length: each }, (_, i) => first + i).flatMap((n) => {
      const sound = holders[n % holders.length]
      if (sound === undefined) return []
      const kind = sound.possible.findIndex((edits) => structureOf(edits) === structure)
      return [{ sound, structure, number: Math.floor(n / holders.length) * sound.possible.length + kind }]
    })
  })
}

/** By structure, how many repairs were the same, and how many differed by each row. */
export type RepairTally = ReadonlyMap<string, number>

/**
 * Repairs damaged images with this package and with QEMU, in both modes.
 *
 * Fails on a difference that no row explains, on changed guest data, and where the two checks of the repaired image differ.
 */
export const compareRepairs = async (each: number, first: number, seed: number): Promise<RepairTally> => {
  const tally = new Map<string, number>()
  const folders = new Map<string, QemuFolder>()
  const compare = async ({ sound, structure, number }: Trial): Promise<void> => {
    const folder = folders.get(sound.name) ?? new QemuFolder(sound.loaded)
    folders.set(sound.name, folder)
    const { edits } = damageOf(sound, number, seed)
    const damaged = damagedImage(sound.loaded, edits)
    for (const mode of ['leaks', 'all'] as const) {
      const where = `${sound.name}, ${editsText(edits)}, -r ${mode}`
      const p = comparisonOf(damaged, mode, await folder.repair(damaged, mode), repairOf(damaged, mode))
      const clause = explainedRepair(p)
      assert.ok(clause !== undefined, `${where}: QEMU ${p.qemu.report}, not ${p.own.report}`)
      assert.not.ok(hasChangedData(p), `${where}: guest data or a snapshot has changed`)
      const repaired = withImage(damaged, p.own.image)
      const [theirs, mine] = [await folder.check(repaired), ours(repaired).check]
      assert.ok(theirs === mine || theirs === '1', `${where}: afterwards QEMU counts ${theirs}, not ${mine}`)
      const key = `${structure}: ${clause === '' ? 'same' : clause}`
      tally.set(key, (tally.get(key) ?? 0) + 1)
    }
  }
  try {
    for (const trial of trials(each, first)) await compare(trial)
  } finally {
    for (const folder of folders.values()) folder.close()
  }
  return new Map([...tally].sort(([a], [b]) => (a < b ? -1 : 1)))
}
