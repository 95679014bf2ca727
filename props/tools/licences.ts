/** The licences of the packages in a bundle, which go where the bundle goes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

/** The folders of the packages that something in the bundles is from. */
const packagesIn = (bundles: readonly Metafile[]): readonly string[] => {
  const inputs = bundles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) => Object.keys(output.inputs))
  )
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [])
  return [...new Set(folders)].sort()
}

/** The text of the licence of each package in the bundles, under its name. */
export const licencesOf = (...bundles: readonly Metafile[]): string =>
  packagesIn(bundles)
    .map((folder) => {
      const file = readdirSync(folder).find((name) => /^licen[cs]e(\.\w+)?$/i.test(name))
      if (file === undefined) throw new Error(`${folder} has no licence`)
      return `${folder.replace(/^.*node_modules\//, '')}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
