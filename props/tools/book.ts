/** `npm run book [-- FOLDER]`: writes the specification as a static site into dist/book, or into another folder. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bookFiles } from './book/site.js'

const [folder = 'dist/book'] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const files = bookFiles()
for (const [name, text] of files) writeFileSync(join(folder, name), text)
process.stdout.write(`${join(folder, 'index.html')} and ${files.size - 1} other files\n`)
