/** Subjects: programs that read images, run on one image at a time. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { companions } from '../../fuzz/assembly.js'
import { type Reading, reading } from '../../fuzz/reading.js'
import { native } from '../compression/native.js'
import { type CommandError, failure, get, system, task, wait } from '../command-error.js'
import type { Cage } from '../conform/cage.js'
import { execute, type Limits, type Ran } from '../conform/execute.js'
import {
  brokenOff,
  type Expected,
  expectedText,
  type Found,
  foundText,
  isRight,
  readerFound
} from '../conform/outcome.js'
import { sha256 } from '../conform/suite.js'
import { fill, type Template } from '../conform/template.js'

/** A program that reads. */
export interface Subject {
  /** The command line with its places. */
  readonly command: string
  readonly template: Template
  readonly limits: Limits
  readonly cage: Cage
}

/** What is compared: a program with this package, or with another program. */
export interface Comparison {
  readonly reader: Subject
  readonly against?: Subject
}

/** A run of the program on one image: what it had to do, and what it did. */
export interface Trial {
  readonly reading: Reading
  readonly expected: Expected
  readonly found: Found
  /** The first line that the program complained with. */
  readonly complaint: string
}

const imageName = 'img.qcow2'
const outName = 'out.raw'

/** Runs a program on the image of a folder; one that cannot be started ends the whole run. */
const runIn = task(async function* ({ command, template, limits, cage }: Subject, folder: string) {
  const out = template.hasOut ? { out: join(folder, outName) } : {}
  const ran = await execute(cage(fill(template, { image: imageName, out: outName }), folder), {
    folder,
    limits,
    ...out
  })
  return ran.end._tag === 'NotStarted' ? yield* get(failure(`'${command}' could not be started: ${ran.end.why}`)) : ran
})

/** The disk that a program wrote or printed; `undefined` where it is not one that can be compared. */
const diskOf = ({ template, limits }: Subject, ran: Ran, folder: string): Uint8Array | undefined => {
  if (!template.hasOut) return ran.printed
  const path = join(folder, outName)
  const bytes = E.tryCatch(() => (statSync(path).size > limits.output ? undefined : readFileSync(path)), String)
  return E.isRight(bytes) ? bytes.right : undefined
}

/** The disk of a reading, or a refusal. */
const expectedOf = (r: Reading): Expected =>
  r._tag === 'Disk' ? { refusal: false, disk: { length: r.bytes.length, sha256: sha256(r.bytes) } } : { refusal: true }

const unsure = (why: string): Reading => ({ _tag: 'Unsure', why })

const firstLine = ({ complaint }: Ran): string => complaint.split('\n', 1)[0] ?? ''

/** Reads an image by another program. One that does not end by itself is not sure. */
const readBy = task(async function* (subject: Subject, folder: string) {
  const ran = yield* wait(runIn(subject, folder))
  const why = brokenOff(ran.end)
  if (why !== undefined) return unsure(why)
  if (ran.end._tag === 'Exit' && ran.end.code !== 0)
    return { _tag: 'Refused', clause: 'OPEN-01', why: firstLine(ran) } satisfies Reading
  const bytes = diskOf(subject, ran, folder)
  return bytes === undefined ? unsure('it wrote no disk') : ({ _tag: 'Disk', bytes } satisfies Reading)
})

/** Makes a folder in which images are read. */
export const makeFolder = (folder: string): E.Either<CommandError, void> =>
  system('create', folder, () => {
    mkdirSync(folder, { recursive: true })
    for (const [name, bytes] of companions) writeFileSync(join(folder, name), bytes)
  })

/** Runs the program on an image in a folder that {@link makeFolder} made. */
export const tryImage = task(async function* ({ reader, against }: Comparison, image: Uint8Array, folder: string) {
  const [path, out] = [join(folder, imageName), join(folder, outName)]
  yield* get(system('write', path, () => writeFileSync(path, image)))
  const clear = () => system('delete', out, () => rmSync(out, { recursive: true, force: true }))
  yield* get(clear())
  const required: Reading = against === undefined ? reading(image, native) : yield* wait(readBy(against, folder))
  yield* get(clear())
  const expected = expectedOf(required)
  const ran = yield* wait(runIn(reader, folder))
  const found = readerFound(ran, expected, reader.template.hasOut ? out : undefined)
  const trial: Trial = { reading: required, expected, found, complaint: firstLine(ran) }
  return trial
})

/** Whether a program did with an image what it must. Where that is not sure, it must only end. */
export const agrees = ({ reading: r, expected, found }: Trial): boolean =>
  r._tag === 'Unsure' ? found._tag !== 'Broke' : isRight(found, expected)

/** How a program differs, in words without numbers: trials of one kind have it in common. */
export const kindOf = ({ reading: r, expected, found }: Trial): string => {
  if (found._tag === 'Broke') return found.why
  if (r._tag === 'Refused') return 'opens what it must refuse'
  return found._tag === 'Refused' ? 'refuses what it must read' : foundText(found, expected).replaceAll(/\d+/g, 'N')
}

const requiredText = ({ reading: r, expected }: Trial): string => {
  switch (r._tag) {
    case 'Refused':
      return `a refusal: ${r.why}`
    case 'Unsure':
      return 'an end within the limits'
    case 'Disk':
      return expectedText(expected)
  }
}

/** What was found and what was expected, in words. */
export const trialTexts = (trial: Trial): { readonly found: string; readonly expected: string } => ({
  found: foundText(trial.found, trial.expected),
  expected: requiredText(trial)
})
