/** A step of `npm run build`: writes the man page. */
import { writeFileSync } from 'node:fs'
import { manPage } from './pages/man.js'

writeFileSync('dist/src/qcow2.1', await manPage())
