/** Repairs of damaged images: what a repair reports, and the image that it leaves. */
import * as E from 'fp-ts/lib/Either.js'
import { imageName } from '../../corpus/recipe.js'
import type { Issue } from '../../src/bytes/issue.js'
import { isObject } from '../../src/bytes/json.js'
import { portable } from '../../src/compression/decompress.js'
import { type CheckReport, exitCode } from '../../src/image/check/report.js'
import { type Repaired, repair, type RepairMode } from '../../src/transition/repair/repair.js'
import { readMetadata } from '../../src/image/metadata.js'
import { companionsOf } from '../image/guest/chains.js'
import { runOn } from '../image/world.js'
import { perform } from '../transition/model/machine.js'
import { checked, countsText, type Subject } from './verdict.js'

/** The outcome of a repair: its report, as `countsText` of the check after it with what it has fixed, or 1; and the image. */
export interface RepairOutcome {
  readonly report: string
  readonly image: Uint8Array
}

/** The outcome of this package's repair. */
export interface OwnOutcome extends RepairOutcome {
  readonly refusals: readonly Issue[]
}

/** What the JSON of `qemu-img check -r` reports as fixed; zeros where there is none. */
export const fixedIn = (json: unknown): Repaired['fixed'] => {
  const fixed = (key: string): number => (isObject(json) ? Number(json[key] ?? 0) : 0)
  return { leaks: fixed('leaks-fixed'), corruptions: fixed('corruptions-fixed') }
}

export const outcomeText = (check: string, { leaks, corruptions }: Repaired['fixed']): string =>
  check.length === 1 ? check : `${check}, fixed ${corruptions} ${leaks}`

/** A subject with another image. */
export const withImage = (loaded: Subject, image: Uint8Array): Subject => ({
  ...loaded,
  image,
  files: new Map([...loaded.files, [imageName, image]])
})

const nothing = new Uint8Array(0)

/** What this package's repair reports of an image, the image that it leaves, and why it was refused if it was. */
export const repairOf = (loaded: Subject, mode: RepairMode): OwnOutcome => {
  const { image } = loaded
  const m = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(m) || E.isLeft(companionsOf(loaded, m.right))) return { report: '1', image, refusals: [] }
  const done = runOn(image, repair({ backing: [], decompressor: portable }, image.length, mode))
  if (E.isLeft(done)) return { report: '1', image, refusals: done.left }
  const after = perform({ image, data: nothing, backing: nothing }, done.right.writes).image
  const counts = E.map((r: CheckReport) => countsText(exitCode(r), r))(checked(withImage(loaded, after)))
  return { report: outcomeText(E.getOrElse(() => '1')(counts), done.right.fixed), image: after, refusals: [] }
}
