/** Repairs compared: damages of each kind in turn, repaired by this package and by QEMU. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { QemuFolder } from './ask.js'
import { damagedImage, damageOf, soundImage, type SoundImage } from './damage.js'
import { editsText } from '../../src/bytes/edit.js'
import { equal } from '../../src/bytes/octets.js'
import { comparisonOf, explainedRepair, hasChangedData, type RepairComparison } from './repair-differences.js'
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

/** What a run of comparisons shows. */
export interface RepairTally {
  /** By structure, how many repairs were the same, and how many differed by each row. */
  readonly counts: ReadonlyMap<string, number>
  /** The repairs with a difference that no row explains, with changed guest data, or after which the two checks differ. */
  readonly faults: readonly string[]
}

/** What is wrong with a repair; undefined if nothing is. */
const faultOf = (p: RepairComparison, clause: ClauseId | '' | undefined, afterwards: string): string | undefined => {
  if (clause === undefined) return `QEMU ${p.qemu.report}, not ${p.own.report}`
  if (hasChangedData(p)) return 'guest data or a snapshot has changed'
  return afterwards === p.afterOwn.check || afterwards === '1'
    ? undefined
    : `afterwards QEMU counts ${afterwards}, not ${p.afterOwn.check}`
}

/** A function of images that answers the same bytes once: most repairs leave what another one leaves, or the damaged image. */
const oncePerImage = <A>(answer: (image: Uint8Array) => A): ((image: Uint8Array) => A) => {
  const known: { readonly image: Uint8Array; readonly answer: A }[] = []
  return (image) => {
    const found = known.find((other) => equal(other.image, image))
    if (found !== undefined) return found.answer
    const one = { image, answer: answer(image) }
    known.push(one)
    return one.answer
  }
}

/** Repairs damaged images with this package and with QEMU, in both modes. */
export const compareRepairs = async (each: number, first: number, seed: number): Promise<RepairTally> => {
  const counts = new Map<string, number>()
  const faults: string[] = []
  const folders = new Map<string, QemuFolder>()
  const compare = async ({ sound, structure, number }: Trial): Promise<void> => {
    const folder = folders.get(sound.name) ?? new QemuFolder(sound.loaded)
    folders.set(sound.name, folder)
    const { edits } = damageOf(sound, number, seed)
    const damaged = damagedImage(sound.loaded, edits)
    const verdictOf = oncePerImage((image) => ours(withImage(damaged, image)))
    const qemuCheck = oncePerImage((image) => folder.check(withImage(damaged, image)))
    for (const mode of ['leaks', 'all'] as const) {
      const p = comparisonOf(damaged, mode, await folder.repair(damaged, mode), repairOf(damaged, mode), verdictOf)
      const clause = explainedRepair(p)
      const fault = faultOf(p, clause, await qemuCheck(p.own.image))
      if (fault !== undefined) faults.push(`${sound.name}, ${editsText(edits)}, -r ${mode}: ${fault}`)
      const key = `${structure}: ${clause === '' ? 'same' : (clause ?? 'unexplained')}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  try {
    for (const trial of trials(each, first)) await compare(trial)
  } finally {
    for (const folder of folders.values()) folder.close()
  }
  return { counts: new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1))), faults }
}
