/** Everything that `npm run pages` writes. */
import { interfaceFiles } from './interfaces.js'
import { structuresDocument } from './structures.js'

/** The texts of all generated files by their paths in the package. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  'spec/structures.md': structuresDocument(),
  ...interfaceFiles()
})
