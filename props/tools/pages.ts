/**
 * `npm run pages [-- FOLDER]`: writes what is generated, the pages of the specification and the interfaces in src/format, into
 * the package or below another folder.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedFiles } from './pages/files.js'

const [folder = fileURLToPath(new URL('../../..', import.meta.url))] = process.argv.slice(2)
for (const [path, text] of Object.entries(generatedFiles())) writeFileSync(join(folder, path), text)
