/** `qcow2 check`: whether an image is consistent. */
import { statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { checkMetadata } from '../image/check.js'
import { checkJson, type CheckReport, exitCode } from '../image/check-report.js'
import { type Metadata, readMetadata } from '../image/metadata.js'
import { checkText } from './check-text.js'
import { fail, refusalLine, withSource } from './command.js'
import { dataPath } from './follow.js'
import { complain, print } from './output.js'
import type { Source } from './source.js'
import { run } from './world.js'

/** How to check, and how to print. */
export interface CheckCommandOptions {
  readonly output: 'human' | 'json'
  readonly strict: boolean
  readonly deep: boolean
}

const report = (file: Source, r: CheckReport, options: CheckCommandOptions): number => {
  print(options.output === 'json' ? `${JSON.stringify(checkJson(r, file.name), null, 4)}\n` : checkText(r))
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
  const deep = options.deep ? (await import('./decompress.js')).native : undefined
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
    return E.isLeft(checked) ? fail(refusalLine(name, checked.left)) : report(file, checked.right, options)
  })
}
