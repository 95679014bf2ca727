/** `qcow2 check`: whether an image is consistent. */
import * as E from 'fp-ts/lib/Either.js'
import { check, checkJson, type CheckReport, exitCode } from '../image/check.js'
import type { Finding } from '../image/check-state.js'
import { fail, refusalLine, withSource } from './command.js'
import { dataPath } from './follow.js'
import { complain, print } from './output.js'
import type { Source } from './source.js'
import { run } from './world.js'

/** How to check, and how to print. */
export interface CheckOptions {
  readonly output: 'human' | 'json'
  readonly strict: boolean
}

const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(2)

const words = { corruption: 'ERROR', leak: 'Leaked', error: 'ERROR', flaw: 'FLAW' } as const

const line = (f: Finding): string =>
  `${words[f.severity]} ${f.message}${f.guest === undefined ? '' : `, guest bytes ${f.guest.at} to ${f.guest.at + f.guest.size - 1}`}\n`

const clusters = (r: CheckReport): string => {
  if (r.totalClusters === 0 || r.allocatedClusters === 0) return ''
  const share = percent(r.allocatedClusters, r.totalClusters)
  const fragmented = percent(r.fragmentedClusters, r.allocatedClusters)
  const compressed = percent(r.compressedClusters, r.allocatedClusters)
  return `${r.allocatedClusters}/${r.totalClusters} = ${share}% allocated, ${fragmented}% fragmented, ${compressed}% compressed clusters\n`
}

const text = (r: CheckReport): string => {
  const sound = r.corruptions + r.leaks + r.checkErrors === 0
  return [
    ...r.findings.map(line),
    sound ? 'No errors were found on the image.\n' : '',
    r.corruptions === 0
      ? ''
      : `\n${r.corruptions} errors were found on the image.\nData may be corrupted, or further writes to the image may corrupt it.\n`,
    r.leaks === 0
      ? ''
      : `\n${r.leaks} leaked clusters were found on the image.\nThis means waste of disk space, but no harm to data.\n`,
    r.checkErrors === 0 ? '' : `\n${r.checkErrors} internal errors have occurred during the check.\n`,
    r.flaws === 0
      ? ''
      : `\n${r.flaws} rules of the format are broken that QEMU does not look at; --strict counts them as errors.\n`,
    clusters(r),
    `Image end offset: ${r.imageEndOffset}\n`
  ].join('')
}

const report = (file: Source, r: CheckReport, options: CheckOptions): number => {
  print(options.output === 'json' ? `${JSON.stringify(checkJson(r, file.name), null, 4)}\n` : text(r))
  if (r.checkErrors > 0) complain('Check failed')
  return exitCode(r, options.strict)
}

/** The command. */
export const checkCommand = (name: string, options: CheckOptions): Promise<number> =>
  withSource(name, async (file) => {
    const done = E.flattenW(await run(file.world, () => check(file.length)))
    if (E.isLeft(done)) return fail(refusalLine(name, done.left))
    const { metadata } = done.right
    const data = metadata.header.incompatibleFeatures.externalDataFile ? dataPath(name, metadata) : E.right(name)
    return E.isLeft(data) ? fail(`Could not open '${name}': ${data.left}`) : report(file, done.right, options)
  })
