/** `npm run structures [-- PATH]`: writes the field tables as a document, to spec/structures.md by default. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { structuresDocument } from '../../src/format/index.js'

const [path = fileURLToPath(new URL('../../../spec/structures.md', import.meta.url))] = process.argv.slice(2)
writeFileSync(path, structuresDocument())
