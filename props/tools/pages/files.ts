/** Everything that `npm run pages` writes. */
import { ksyDocument } from '../ksy/document.js'
import { errataDocument } from './errata.js'
import { interfaceFiles } from './interfaces.js'
import { lossesDocument } from './losses.js'
import { matrixDocument } from './matrix.js'
import { structuresDocument } from './structures.js'
import { supersededDocument } from './superseded.js'

/** The texts of all generated files by their paths in the package. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  'spec/errata.md': errataDocument(),
  'spec/matrix.md': matrixDocument(),
  'spec/qcow2.ksy': ksyDocument(),
  'spec/qemu.md': lossesDocument(),
  'spec/structures.md': structuresDocument(),
  'spec/superseded.md': supersededDocument(),
  ...interfaceFiles()
})
