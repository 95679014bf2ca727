/** Finds: images over which a program differs, shrunk, as dumps that can be replayed. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { ClauseId } from '../../../spec/clauses/index.js'
import { fromMemory, runSync } from '../../bytes/plan.js'
import { replayedChoices } from '../../fuzz/choices.js'
import { type FuzzImage, imageOf } from '../../fuzz/image.js'
import { isSimpler, simpler } from '../../fuzz/shrink.js'
import { dump, dumpFrame, dumpRegions, patchOf } from '../../image/dump/dump.js'
import { type CommandError, either, get, inContext, orError, system, task, wait } from '../command-error.js'
import { agrees, type Comparison, kindOf, type Trial, tryImage, trialTexts } from './subject.js'

/** A find as it is printed. */
export const Find = t.type({
  find: t.string,
  clause: t.string,
  /** What the image has, or what is changed in it. */
  what: t.readonlyArray(t.string),
  found: t.string,
  expected: t.string,
  /** The first line that the program complained with. */
  complaint: t.string,
  /** The number of the image that it was shrunk from. */
  number: t.number,
  bytes: t.number,
  file: t.string,
  /** The command that does it again. */
  again: t.string
})
export type Find = t.TypeOf<typeof Find>

/** An image, the choices that it was made from, and how the program did on it. */
export interface Tried {
  readonly image: FuzzImage
  readonly made: readonly number[]
  readonly trial: Trial
}

/** The image of choices, which become those that it made. */
const generated = (made: readonly number[]): Pick<Tried, 'image' | 'made'> => {
  const choices = replayedChoices(made)
  const image = imageOf(choices)
  return { image, made: choices.made }
}

/** The clause that a find is about: why the image must be refused, else what is changed in it, else what it makes use of. */
export const clauseOf = ({ image, trial }: Tried): ClauseId =>
  trial.reading._tag === 'Refused' ? trial.reading.clause : (image.faults[0]?.clause ?? image.uses[0] ?? 'RD-01')

/** Most images that one find is shrunk with, and milliseconds. */
const mostTries = 200
const longest = 20_000

/** Whether a trial is the same find: of the same kind and, where an image must be refused, over the same clause. */
const isSame = (a: Trial, b: Trial): boolean =>
  !agrees(b) &&
  kindOf(a) === kindOf(b) &&
  (a.reading._tag !== 'Refused' || (b.reading._tag === 'Refused' && a.reading.clause === b.reading.clause))

/** The simplest image that is the same find. */
export const shrunk = task(async function* (comparison: Comparison, first: Tried, folder: string) {
  const began = performance.now()
  const seen = new Set([String(first.made)])
  let best = first
  let tries = 0
  for (let goesOn = true; goesOn;) {
    goesOn = false
    for (const candidate of simpler(best.made)) {
      if (tries >= mostTries || performance.now() - began > longest) return best
      const next = generated(candidate)
      if (seen.has(String(next.made)) || !isSimpler(next.made, best.made)) continue
      seen.add(String(next.made))
      tries++
      const trial = yield* wait(tryImage(comparison, next.image.bytes, folder))
      if (!isSame(best.trial, trial)) continue
      best = { ...next, trial }
      goesOn = true
      break
    }
  }
  return best
})

/** The dump of an image as text; `undefined` where its header does not decode. */
const dumped = (image: Uint8Array): string | undefined => {
  const parts: string[] = []
  const done = runSync(dump(image.length, 'inline'), {
    read: fromMemory(image),
    emit: (text: string) => parts.push(text)
  })
  return E.isRight(done) ? parts.join('') : undefined
}

/** Writes a find, as a dump where that can be. The value is its file. */
const saved = (folder: string, clause: string, image: Uint8Array): E.Either<CommandError, string> => {
  const text = dumped(image)
  const digest = createHash('sha256').update(image).digest('hex').slice(0, 12)
  const path = join(folder, `${clause}-${digest}.${text === undefined ? 'qcow2' : 'json'}`)
  return system('write', path, () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, text ?? image)
    return path
  })
}

/** The find of a shrunk image, saved in a folder. `command` is what finds it, without the file that is replayed. */
export const findOf = either(function* (tried: Tried, number: number, folder: string, command: string) {
  const { image, trial } = tried
  const clause = clauseOf(tried)
  const file = yield* get(saved(folder, clause, image.bytes))
  const changed = image.faults.map(({ what }) => what)
  const find: Find = {
    find: kindOf(trial),
    clause,
    what: changed.length > 0 ? changed : [...image.uses],
    ...trialTexts(trial),
    complaint: trial.complaint,
    number,
    bytes: image.bytes.length,
    file,
    again: `${command} --replay ${file}`
  }
  return find
})

/** The image of a dump. */
const assembled = either(function* (text: string) {
  const document: unknown = yield* get(E.tryCatch((): unknown => JSON.parse(text), String))
  const { fileLength, geometry } = yield* get(dumpFrame(document))
  const image = new Uint8Array(fileLength)
  for (const region of yield* get(dumpRegions(document))) {
    const patch = yield* get(patchOf(region, geometry))
    if (patch._tag === 'Fill') image.fill(patch.fill, patch.at, patch.at + patch.size)
    else if (patch.at < fileLength) image.set(patch.bytes.subarray(0, fileLength - patch.at), patch.at)
  }
  return image
})

/** The image that a file holds, itself or as a dump. */
export const replayedImage = either(function* (path: string) {
  const bytes = new Uint8Array(yield* get(system('open', path, () => readFileSync(path))))
  if (bytes[0] !== 0x7b) return bytes
  const image = orError(assembled(new TextDecoder().decode(bytes)))
  return yield* get(E.mapLeft(inContext(`Could not assemble '${path}'`))(image))
})
