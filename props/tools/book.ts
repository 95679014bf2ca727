/** `npm run book [-- FOLDER]`: writes the specification as a static site into dist/book, or into another folder. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { entries, writeApi } from './book/api.js'
import { apiFolder } from './book/page.js'
import { bookFiles } from './book/site.js'

const [folder = 'dist/book'] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const files = bookFiles()
for (const [name, text] of files) writeFileSync(join(folder, name), text)
await writeApi(join(folder, apiFolder), entries())
process.stdout.write(
  `${join(folder, 'index.html')}, ${files.size - 1} other files, and the library in ${join(folder, apiFolder)}\n`
)
