/** `qcow2 check`: whether an image is consistent, and its repair. */
import * as E from 'fp-ts/lib/Either.js'
import { flush } from '../../bytes/host-write.js'
import type { JsonObject } from '../../bytes/json.js'
import { orFail } from '../../bytes/plan.js'
import { checkMetadata, repairedRefusals } from '../../image/check/check.js'
import { checkJson, exitCode } from '../../image/check/report.js'
import { type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import type { Repaired, RepairMode } from '../../transition/repair/repair.js'
import { because, commandError, type Failed, failure, get, task, using, wait } from '../command-error.js'
import { openPlace } from '../files/file.js'
import { readAccess } from '../files/lock.js'
import { jsonText, print } from '../files/output.js'
import { cannotOpen, run, type Source } from '../files/source.js'
import { keepVersion } from '../images/below.js'
import type { ImageNode } from '../images/image-node.js'
import { keepKey } from '../images/key.js'
import { namingOthers } from '../images/not-qcow2.js'
import { openDataFile } from '../images/open.js'
import { checkText } from '../text/check-text.js'
import { coloured } from '../text/colours.js'
import { choice, command, flag, type Report } from './command.js'
import { allow, forceShare, ignoredCache, image, output, quiet, remote } from './options.js'

/** Exit code for a format that has no checks. @see CHK-07 */
const notChecked = 63

/** What has been repaired. */
interface Fixed {
  readonly leaks: number
  readonly corruptions: number
}

const nothing: Fixed = { leaks: 0, corruptions: 0 }

const fixedText = ({ leaks, corruptions }: Fixed): string =>
  leaks + corruptions === 0
    ? ''
    : `The following inconsistencies were found and repaired:\n\n    ${leaks} leaked clusters\n    ${corruptions} corruptions\n\nDouble checking the fixed image now...\n`

const fixedJson = ({ leaks, corruptions }: Fixed): JsonObject => ({
  ...(leaks === 0 ? {} : { 'leaks-fixed': leaks }),
  ...(corruptions === 0 ? {} : { 'corruptions-fixed': corruptions })
})

/**
 * Repairs an image, as far as the mode lets it; warns before it frees what looks like a lost table. What writes is loaded
 * only for this.
 *
 * @see CHK-08 and CHK-17
 */
const repaired = async function* (
  image: ImageNode,
  mode: RepairMode,
  folders: readonly string[],
  report: Report
): AsyncGenerator<Failed, Fixed> {
  const { lockImage } = await import('../images/locked-image.js')
  const { name } = image.file
  const refusalOf = ({ issues }: Metadata) => refusal(issues, repairedRefusals(mode))
  const locked = lockImage(image, { alone: true, allow: folders, refusalOf })
  return yield* using(locked, function* ({ files, around }) {
    const warn = ({ evidence }: Repaired): void => {
      for (const { message } of evidence) report(commandError(`warning: ${message}`, { file: name, clause: 'CHK-17' }))
    }
    const repair = yield* get(E.mapLeft(because('Check failed', name))(files.repair(around, mode, warn)))
    yield* get(files.perform([flush]))
    return repair.fixed
  })
}

/** How an image is opened. */
interface Opening {
  readonly allow: readonly string[]
  readonly forceShare: boolean
}

/** The length of the external data file in bytes; `undefined` for an image without one. */
const dataFileLength = task(async function* (image: ImageNode, m: Metadata, opening: Opening) {
  const data = yield* wait(openDataFile(m, image, opening))
  data?.close()
  return data?.length
})

/** Checks an image that is open. Decoders are loaded only when they are asked for. */
const checked = task(async function* (image: ImageNode, file: Source, isDeep: boolean, opening: Opening) {
  const refused = E.mapLeft(cannotOpen(file.name))
  const deep = isDeep ? { deep: (await import('../compression/native.js')).native } : {}
  const m = yield* wait(
    namingOthers(file)(
      run(file, function* () {
        return yield* orFail(yield* readMetadata())
      })
    )
  )
  yield* get(keepVersion(image, m))
  yield* wait(keepKey(file, m, image))
  const length = yield* wait(dataFileLength(image, m, opening))
  const data = length === undefined ? {} : { dataFileLength: length }
  return yield* get(refused(yield* wait(run(file, () => checkMetadata(m, file.length, { ...data, ...deep })))))
})

export const check = command({
  args: { image: image('<image>', 'the image', '-f, --format <format>', ['qcow2', 'raw']) },
  options: {
    output,
    allow,
    forceShare,
    remote,
    strict: flag('--strict', 'count every violated MUST of the format as an error'),
    deep: flag('--deep', 'read and decode every compressed cluster'),
    repair: choice('-r, --repair <what>', 'repair before the check: leaks or all', ['leaks', 'all'], undefined),
    quiet: quiet()
  },
  ignored: [ignoredCache('-T, --cache <mode>')],
  async *run(
    { image: named },
    { output: form, allow: folders, strict, deep, repair, quiet: isQuiet, ...given },
    report
  ) {
    const { driver } = named
    const { name } = named.file
    const opening = { allow: folders, forceShare: given.forceShare || named.forceShare === true }
    if (repair !== undefined && opening.forceShare)
      yield* get(
        failure(
          `Could not open '${name}': -U, force-share=on and file.locking=off can only be used without -r, which changes it`,
          { file: name }
        )
      )
    const fixed = driver === 'raw' || repair === undefined ? nothing : yield* repaired(named, repair, folders, report)
    const found = yield* using(
      openPlace(named.file, readAccess(driver, opening.forceShare), given.remote),
      async function* (file) {
        if (driver === 'raw')
          yield* get(failure('This image format does not support checks', { exitCode: notChecked, clause: 'CHK-07' }))
        return yield* wait(checked(named, file, deep, opening))
      }
    )
    const isJson = form === 'json'
    const text = isJson
      ? jsonText({ ...checkJson(found, name), ...fixedJson(fixed) })
      : fixedText(fixed) + checkText(found)
    if (isJson) yield* get(print(text))
    else if (!isQuiet) yield* get(print(text, coloured))
    const code = exitCode(found, strict)
    return found.checkErrors > 0 ? yield* get(failure('Check failed', { exitCode: code, file: name })) : code
  }
})
