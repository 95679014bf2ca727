/** `qcow2 check`: whether an image is consistent, and its repair. */
import { statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { JsonObject } from '../../bytes/json.js'
import { showFailure } from '../../bytes/run-async.js'
import { checkMetadata, passedBy } from '../../image/check/check.js'
import { checkJson, type CheckReport, exitCode } from '../../image/check/report.js'
import { type Metadata, readMetadata } from '../../image/metadata.js'
import type { RepairMode } from '../../transition/repair/repair.js'
import { checkText } from '../text/check-text.js'
import { complain, fail, print } from '../files/output.js'
import { refusalLine, withSource } from '../images/usable.js'
import { reason } from '../files/file.js'
import { dataPath } from '../images/follow.js'
import type { Source } from '../files/source.js'
import { run } from '../files/world.js'

/** How to check, and how to print. */
export interface CheckCommandOptions {
  readonly output: 'human' | 'json'
  readonly strict: boolean
  readonly deep: boolean
  readonly quiet: boolean
  /** What is repaired first. */
  readonly repair?: RepairMode
  /** What the image is; qcow2 unless it is given. */
  readonly format?: 'qcow2' | 'raw'
}

/** Exit code for a format that knows no checks. @see CHK-07 */
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

/** Repairs an image, as far as the mode lets it. @see CHK-08 */
const repaired = async (name: string, mode: RepairMode): Promise<E.Either<string, Fixed>> => {
  const held = await (
    await import('../images/open-writing.js')
  ).hold(name, { alone: true, passed: passedBy(mode === 'all') })
  if (E.isLeft(held)) return held
  const { session, around, close } = held.right
  try {
    const done = session.repair(around, mode)
    if (E.isLeft(done)) return E.left(`Check failed: ${showFailure(done.left)}`)
    session.end()
    return E.right(done.right.mended)
  } catch (error) {
    return E.left(`'${name}': ${reason(error)}`)
  } finally {
    close()
  }
}

const report = (file: Source, r: CheckReport, options: CheckCommandOptions, fixed: Fixed): number => {
  const text =
    options.output === 'json'
      ? `${JSON.stringify({ ...checkJson(r, file.name), ...fixedJson(fixed) }, null, 4)}\n`
      : fixedText(fixed) + checkText(r)
  if (!options.quiet || options.output === 'json') print(text)
  if (r.checkErrors > 0) complain('Check failed')
  return exitCode(r, options.strict)
}

/** The length of the external data file in bytes; `undefined` for an image without one. */
const dataFileLength = (name: string, m: Metadata): E.Either<string, number | undefined> =>
  m.header.incompatibleFeatures.externalDataFile
    ? E.map((path: string) => statSync(path).size)(dataPath(name, m))
    : E.right(undefined)

/** The command. Decoders are loaded only when they are asked for. */
export const checkCommand = async (name: string, options: CheckCommandOptions): Promise<number> => {
  if (options.format === 'raw')
    return withSource(name, () => {
      complain('This image format does not support checks')
      return Promise.resolve(notChecked)
    })
  const deep = options.deep ? (await import('../compression/decompress.js')).native : undefined
  const fixed = options.repair === undefined ? E.right(nothing) : await repaired(name, options.repair)
  if (E.isLeft(fixed)) return fail(fixed.left)
  return withSource(name, async (file) => {
    const m = E.flattenW(await run(file.world, readMetadata))
    if (E.isLeft(m)) return fail(refusalLine(name, m.left))
    const data = dataFileLength(name, m.right)
    if (E.isLeft(data)) return fail(`Could not open '${name}': ${data.left}`)
    const done = await run(file.world, () =>
      checkMetadata(m.right, file.length, {
        ...(data.right === undefined ? {} : { dataFileLength: data.right }),
        ...(deep === undefined ? {} : { deep })
      })
    )
    const checked = E.flattenW(done)
    return E.isLeft(checked) ? fail(refusalLine(name, checked.left)) : report(file, checked.right, options, fixed.right)
  })
}
