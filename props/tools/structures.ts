/**
 * `npm run structures [-- FOLDER]`: writes what is generated from the field tables, the document spec/structures.md and the
 * interfaces in src/format, into the package or below another folder.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { structuresDocument } from './structures/document.js'
import { interfaceFiles } from './structures/interfaces.js'

const [folder = fileURLToPath(new URL('../../..', import.meta.url))] = process.argv.slice(2)
for (const [path, text] of Object.entries({ 'spec/structures.md': structuresDocument(), ...interfaceFiles() }))
  writeFileSync(join(folder, path), text)
